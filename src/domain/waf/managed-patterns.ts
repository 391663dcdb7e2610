//! Patterns of our own for managed rules that the engine's rule set has nothing for. RE2 syntax, matched anywhere in a
//! value without regard to case; `managed-families.ts` says which kind of attack each belongs to.

/** Files that a server has for itself. Query arguments name files and hosts as well: no `.com`, `.dat`, `.cs` ... */
const SYSTEM_EXTENSIONS = [
  ...['backup', 'bak', 'bat', 'cfg', 'cmd', 'conf', 'config', 'db', 'dbf', 'dll', 'htaccess', 'htpasswd', 'inc', 'ini'],
  ...['key', 'lnk', 'log', 'mdb', 'old', 'orig', 'pass', 'pem', 'pwd', 'reg', 'sav', 'save', 'sql', 'sqlite', 'swp'],
  ...['sys', 'webinfo'],
].join('|')

const ADMIN_SEGMENTS = [
  ...[
    '_?admin',
    'admin-?console',
    'admin-?panel',
    'admin\\d',
    'admin(?:er|istrator|istration)?\\.(?:php|aspx?|jsp|cgi)',
  ],
  ...['adminer', 'administrator', 'cpanel', 'host-manager', 'jmx-console', 'manager/(?:html|status|text)'],
  ...['mysql-?(?:admin|manager)', 'myadmin', 'php-?my-?admin[^/]*', 'phppgadmin', 'pma', 'sql-?(?:admin|manager|web)'],
  ...['sqlite-?manager', 'sysadmin', 'web-?admin', 'web-console', 'webmin', 'wp-admin'],
].join('|')

/** Names by which tools that look for vulnerabilities call themselves. */
const SCANNERS = [
  ...['acunetix', 'arachni', 'burpcollaborator', 'commix', 'dirbuster', 'dirb', 'feroxbuster', 'ffuf', 'fimap'],
  ...['gobuster', 'grabber', 'havij', 'jaascois', 'jorgee', 'masscan', 'morfeus', 'nessus', 'netsparker', 'nikto'],
  ...['nmap', 'nsauditor', 'nuclei', 'openvas', 'pangolin', 'paros', 'skipfish', 'sqlmap', 'sqlninja', 'vega'],
  ...['w3af', 'webinspect', 'wfuzz', 'whatweb', 'wpscan', 'zgrab', 'zmeu'],
].join('|')

/** Programs of Windows, and behind what a command begins. */
const WINDOWS_COMMANDS = [
  ...['bitsadmin\\b', 'certutil\\b', 'cmd(?:\\.exe)?(?:[\\s/]|$)', 'dir\\s+[a-z]:', 'ipconfig(?:\\s|$)'],
  ...['net\\s+(?:localgroup|share|start|user|view)\\b', 'nltest\\b', 'nslookup(?:\\s|$)', 'ping\\s+-n\\b'],
  ...['type\\s+[a-z%]:?\\\\', 'vssadmin\\b'],
].join('|')

const EXPLOITABLE = [
  // Of Java's applications, of repositories, of secrets.
  ...['web-inf(?:/|$)', 'meta-inf(?:/|$)', '\\.(?:git|svn|hg|bzr|cvs)(?:/|$)', '\\.(?:aws|ssh|docker|kube)/'],
  ...['\\.(?:env|htpasswd|htaccess|ds_store|npmrc|netrc|pgpass|bash_history)(?:[./~]|$)', 'id_(?:rsa|dsa|ed25519)$'],
  // Of known vulnerabilities.
  ...['_ignition/execute-solution', 'actuator/(?:env|gateway|heapdump|jolokia)', 'boaform/', 'cgi-bin/\\.', 'hnap1'],
  ...[
    'invoker/(?:ejb|jmx|readonly)',
    'jolokia/',
    'phpinfo\\.php',
    'phpunit/.*eval-stdin\\.php',
    'server-(?:info|status)$',
  ],
  // Of scanners, which ask for them to see what an error looks like.
  ...['appscan_fingerprint', 'nessus_is_probing', 'nessustest'],
  ...['solr/admin/', 'struts/webconsole', 'telescope/requests', 'trace\\.axd', 'web\\.config', 'wls-wsat/'],
].join('|')

/** Schemas and tables of databases that describe the database, and procedures that leave it. */
const SQL_SCHEMAS = [
  ...['all_tables', 'information_schema', 'msysaccessobjects', 'mysql\\.(?:db|user)', 'pg_catalog', 'pg_shadow'],
  ...['pg_sleep', 'sqlite_(?:master|temp_master)', 'sys(?:columns|databases|objects|tables)', 'user_tables', 'xp_\\w+'],
].join('|')

export interface ManagedPattern {
  readonly regex: string
  /** What it stands for. */
  readonly means: string
}

export const MANAGED_PATTERNS: Readonly<Record<string, ManagedPattern>> = {
  'admin-paths': {
    regex: `(?:^|/)(?:${ADMIN_SEGMENTS})(?:/|$)`,
    means: 'A segment of the path that is a place of administration: admin, phpmyadmin, sqlmanager, manager/html ...',
  },
  'ec2-metadata': {
    regex:
      '169\\.254\\.(?:169\\.254|170\\.2)\\b|\\bfd00:ec2::254\\b|://(?:2852039166|0xa9fea9fe)\\b|latest/(?:meta-data|dynamic/instance-identity)',
    means: 'Address or paths of the instance metadata service',
  },
  'exploitable-paths': {
    regex: `(?:^|/)(?:${EXPLOITABLE})`,
    means: 'WEB-INF, repositories, files of secrets, pages of known vulnerabilities',
  },
  'java-serialized': {
    regex: '(?:^|[^a-z0-9+/])(?:rO0AB|KztAAU|Cs7QAF)',
    means: 'A serialized Java object in base64',
  },
  localhost: {
    regex: '^(?:localhost|127\\.\\d{1,3}\\.\\d{1,3}\\.\\d{1,3}|\\[::1\\])\\.?(?::\\d*)?$',
    means: 'The host is the server itself',
  },
  'nosql-operators': {
    regex:
      '(?:^|\\[)\\$(?:all|and|between|elemMatch|eq|exists|expr|gte?|in|jsonSchema|like|lte?|ne|nin|nor|not|or|regex|where|xor)\\]?$',
    means: 'A name that is an operator of MongoDB',
  },
  'php-open-tag': { regex: '<\\?(?:php\\b|=|\\s)|\\[/?php\\]', means: 'Where PHP begins' },
  'proc-files': {
    regex: '/proc/(?:version|cmdline|cpuinfo|meminfo|mounts|sched_debug|self|net|\\d+)(?:\\b|/)|/sys/class/net/',
    means: 'Files of /proc and /sys',
  },
  'react-flight': {
    regex:
      '\\$[0-9a-f]+:(?:__proto__|constructor|prototype)\\b|"status"\\s*:\\s*"resolved_model"|\\bchild_process\\b|\\bprocess\\.(?:mainModule|binding)\\b',
    means: 'References to prototypes in React’s Flight format (CVE-2025-55182), and what runs commands in Node.js',
  },
  'restricted-extensions': {
    regex: `\\.(?:${SYSTEM_EXTENSIONS})(?:\\x00|~|$)`,
    means: `Ends with ${SYSTEM_EXTENSIONS.replaceAll('|', ', ')}`,
  },
  'scanner-agents': {
    regex: `\\b(?:${SCANNERS})\\b`,
    means: 'Tools that look for vulnerabilities and say so: nessus, nmap, sqlmap ...',
  },
  'sql-names': {
    regex: `\\b(?:${SQL_SCHEMAS})\\b|\\b(?:current_user|database|db_name|schema_name|user_name)\\s*\\(`,
    means: 'Names of tables that describe a database: information_schema, sysobjects, pg_catalog ...',
  },
  'sql-tautologies': {
    regex:
      '["\'`]\\s*\\)?\\s*(?:and|or|xor|&&|\\|\\|)\\s*\\(?\\s*["\'`]?\\w+["\'`]?\\s*(?:=|<=>|!=|<>|<|>|\\b(?:not\\s+)?(?:like|regexp|rlike)\\b)',
    means: 'A comparison behind a quotation mark and AND, OR or XOR',
  },
  'url-question-mark': {
    regex: '^(?:file|ftps?|https?)(?:://.*)?\\?+$',
    means: 'A URL that ends with a question mark, to cut off what the application puts behind it',
  },
  'url-with-ipv4': {
    regex: '\\b(?:file|ftps?|https?)://(?:[^/@\\s]*@)?\\d{1,3}(?:\\.\\d{1,3}){3}\\b|\\bfile:///',
    means: 'A URL whose host is an IPv4 address, or of a local file',
  },
  'windows-batch': {
    regex:
      '\\bfor(?:\\s+/[dflr]\\b)*[^()]{0,100}\\s%{1,2}\\S\\S*\\s+in\\s*\\(|\\bif\\s+(?:/i\\s+)?(?:not\\s+)?(?:(?:exist|defined|errorlevel|cmdextversion)\\s+\\S+\\s+\\S|["(\\[%{]?[^\\s=]{1,60}\\s*(?:={2,3}|\\s(?:equ|neq|lss|leq|gtr|geq)\\s)\\s*\\S)',
    means: 'FOR and IF of batch files',
  },
  'windows-commands': {
    regex: `[;&|\\r\\n\\x60]\\s*(?:${WINDOWS_COMMANDS})|\\bcmd(?:\\.exe)?\\s+/[ck]\\b|%(?:appdata|comspec|programdata|systemroot|windir)%`,
    means: 'cmd, nslookup, net user ... behind what separates commands; variables of Windows',
  },
  'wordpress-commands': {
    regex: 'do[-_]reset[-_]wordpress|revslider_show_image|duplicator_download|cpmvc_do_action|rest_route=/?wp/v2/users',
    means: 'Commands of WordPress and of plugins that give files or users away',
  },
  'wordpress-paths': {
    regex:
      '(?:^|/)(?:xmlrpc\\.php|wp-config[^/]*|wp-admin/(?:install|setup-config)\\.php|wp-content/(?:debug\\.log|uploads/.*\\.php\\d?)|(?:tim)?thumb\\.php|wp-content/plugins/[^/]*/readme\\.txt)(?:/|$)',
    means: 'xmlrpc.php, wp-config.php, installers, programs among uploads',
  },
}
