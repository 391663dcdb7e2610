//! Managed groups compiled and evaluated: rules, labels, overrides, scope; what hides payloads in bodies; what is not built.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { groupRule, PATH, rule, transformations, webAclDoc } from '../../../../test/support/web-acl.ts'
import { type Asked, askerOf } from '../../../../test/support/web-acl-verdict.ts'
import { MISSING_RULE_GROUPS } from '../../../domain/waf/managed-groups.ts'
import type { StoredRule } from '../../../domain/waf/web-acl.ts'
import { compileWebAcl } from '../compile.ts'
import { bodyTexts } from './body-texts.ts'
import { variants } from './variants.ts'

type Managed = NonNullable<NonNullable<StoredRule['Statement']>['ManagedRuleGroupStatement']>
const managed = (name: string, more: Partial<Managed> = {}) =>
  groupRule(name, { ManagedRuleGroupStatement: { VendorName: 'AWS', Name: `AWSManagedRules${name}RuleSet`, ...more } })

test('each rule of the Common rule set and of others finds what it is for, in its own part of a request', () => {
  const groups = ['Common', 'AdminProtection', 'KnownBadInputs', 'SQLi', 'Linux', 'Unix', 'Windows', 'PHP', 'WordPress']
  const ask = askerOf(webAclDoc(groups.map((name) => managed(name))))
  const rows: [rule: string | undefined, asked: Asked][] = [
    [undefined, { url: '/products/1?q=red+shoes&page=2' }],
    [undefined, { url: '/', method: 'POST', body: 'name=O%27Brien&comment=Two+%26+a+half' }],
    ['NoUserAgent_HEADER', { headers: ['Host', 'shop.example.com', 'X', 'User-Agent'] }],
    [
      'UserAgent_BadBots_HEADER',
      { headers: ['Host', 'shop.example.com', 'User-Agent', 'sqlmap/1.7 (https://sqlmap.org)'] },
    ],
    ['SizeRestrictions_QUERYSTRING', { url: `/?${'a'.repeat(2049)}` }],
    [undefined, { url: `/?${'a'.repeat(2048)}` }],
    [
      'SizeRestrictions_Cookie_HEADER',
      { headers: ['Cookie', `a=${'b'.repeat(5118)}`, 'Cookie', `a=${'b'.repeat(5118)}`] },
    ],
    ['SizeRestrictions_BODY', { method: 'POST', body: 'a'.repeat(8193) }],
    [undefined, { method: 'POST', body: 'a'.repeat(8192) }],
    ['SizeRestrictions_URIPATH', { url: `/${'a'.repeat(1024)}` }],
    ['EC2MetaDataSSRF_QUERYARGUMENTS', { url: '/?u=http%3A%2F%2F169.254.169.254%2Flatest%2Fmeta-data%2F' }],
    ['GenericLFI_QUERYARGUMENTS', { url: '/?f=..%2F..%2Fetc%2Fhosts' }],
    ['GenericLFI_URIPATH', { url: '/a/..%252f..%252fx' }],
    ['RestrictedExtensions_URIPATH', { url: '/app/error.log' }],
    ['GenericRFI_QUERYARGUMENTS', { url: '/?page=http://192.0.2.9/c99.txt' }],
    ['CrossSiteScripting_COOKIE', { headers: ['Cookie', 'a=1; b=%3Cscript%3Ealert(1)%3C/script%3E'] }],
    ['CrossSiteScripting_QUERYARGUMENTS', { url: '/?%3Cscript%3Ealert(1)%3C/script%3E=1' }],
    ['CrossSiteScripting_BODY', { method: 'POST', body: '{"a":{"b":["\\u003cimg src=x onerror=alert(1)\\u003e"]}}' }],
    ['AdminProtection_URIPATH', { url: '/sqlmanager/' }],
    ['JavaDeserializationRCE_BODY', { method: 'POST', body: 'x=(java.lang.Runtime).getRuntime().exec("whoami")' }],
    ['Host_localhost_HEADER', { headers: ['User-Agent', 'curl/8', 'Host', 'localhost:8080'] }],
    ['PROPFIND_METHOD', { method: 'PROPFIND' }],
    ['ExploitablePaths_URIPATH', { url: '/WEB-INF/web.xml' }],
    ['Log4JRCE_HEADER', { headers: ['X-Api', `\${\${lower:j}ndi:ldap:a}`] }],
    ['ReactJSRCE_BODY', { method: 'POST', body: '{"then":"$1:__proto__:then","status":"resolved_model"}' }],
    ['SQLi_QUERYARGUMENTS', { url: "/?id=1'+or+'1'='1" }],
    ['SQLi_COOKIE', { headers: ['Cookie', "session=1' or '1'='1"] }],
    ['LFI_QUERYSTRING', { url: '/?f=/proc/version' }],
    ['UNIXShellCommandsVariables_BODY', { method: 'POST', body: 'host=127.0.0.1;cat+/etc/passwd' }],
    ['WindowsShellCommands_QUERYARGUMENTS', { url: '/?h=x%26%26vssadmin+list' }],
    ['PowerShellCommands_QUERYARGUMENTS', { url: '/?c=Invoke-Expression' }],
    ['PHPHighRiskMethodsVariables_QUERYSTRING', { url: '/?x=$_GET[0]' }],
    ['WordPressExploitablePaths_URIPATH', { url: '/blog/xmlrpc.php' }],
  ]
  for (const [name, asked] of rows) {
    const { action, rule: found, request } = ask(asked)
    const shown = JSON.stringify(asked).slice(0, 200)
    assert.deepEqual([found, action], [name, name === undefined ? 'ALLOW' : 'BLOCK'], shown)
    assert.equal(request.labels.length, name === undefined ? 0 : 1, shown)
  }
  assert.deepEqual(ask({ url: '/WEB-INF/x' }).request.labels, [
    'awswaf:managed:aws:known-bad-inputs:ExploitablePaths_URIPath',
  ])
})

test('overrides, excluded rules, the override action and the scope of a group', () => {
  const traversal = { url: '/../x' }
  const both = { url: '/../x?q=<script>alert(1)</script>' }
  const counting = askerOf(
    webAclDoc([
      managed('Common', { RuleActionOverrides: [{ Name: 'GenericLFI_URIPATH', ActionToUse: { Count: {} } }] }),
    ]),
  )
  assert.deepEqual([counting(traversal).action, counting(traversal).counted], ['ALLOW', ['GenericLFI_URIPATH']])
  assert.deepEqual(
    [counting(both).rule, counting(both).request.labels.length],
    ['CrossSiteScripting_QUERYARGUMENTS', 2],
  )
  const excluding = askerOf(webAclDoc([managed('Common', { ExcludedRules: [{ Name: 'GenericLFI_URIPATH' }] })]))
  assert.deepEqual([excluding(traversal).action, excluding(traversal).counted], ['ALLOW', ['GenericLFI_URIPATH']])
  const observed = askerOf(webAclDoc([{ ...managed('Common'), OverrideAction: { Count: {} } }]))
  assert.deepEqual([observed(both).action, observed(both).counted], ['ALLOW', ['GenericLFI_URIPATH']])
  const scope = { SqliMatchStatement: { FieldToMatch: PATH, TextTransformations: transformations('NONE') } }
  const scoped = askerOf(webAclDoc([managed('Common', { ScopeDownStatement: { NotStatement: { Statement: scope } } })]))
  assert.equal(scoped(traversal).action, 'BLOCK')
  assert.equal(scoped({ url: "/1' or '1'='1/../x" }).action, 'ALLOW')
})

test('SqliMatch and XssMatch: after text transformations; HIGH finds more than LOW', () => {
  const sqli = (SensitivityLevel?: 'HIGH' | 'LOW') =>
    askerOf(
      webAclDoc([
        rule('sqli', {
          SqliMatchStatement: {
            FieldToMatch: { QueryString: {} },
            TextTransformations: transformations('LOWERCASE'),
            ...(SensitivityLevel === undefined ? {} : { SensitivityLevel }),
          },
        }),
        rule('xss', { XssMatchStatement: { FieldToMatch: PATH, TextTransformations: transformations('NONE') } }),
      ]),
    )
  const query = (text: string) => ({ url: `/?${text}` })
  for (const level of [undefined, 'LOW', 'HIGH'] as const) {
    assert.equal(sqli(level)(query("1' OR '1'='1")).rule, 'sqli')
    assert.equal(sqli(level)(query('id=1&q=select a colour from the list')).action, 'ALLOW')
    assert.equal(sqli(level)({ url: '/<script>alert(1)</script>' }).rule, 'xss')
  }
  const buried = query('a b c d e f g; waitfor delay "0:0:5"')
  assert.deepEqual(
    [sqli()(buried).action, sqli('LOW')(buried).action, sqli('HIGH')(buried).rule],
    ['ALLOW', 'ALLOW', 'sqli'],
  )
})

test('what is not built has no plan, and says what it is', () => {
  const broken = (...rules: Parameters<typeof webAclDoc>[0]) => compileWebAcl(webAclDoc(rules)).broken ?? ''
  for (const name of Object.keys(MISSING_RULE_GROUPS)) {
    const statement = { ManagedRuleGroupStatement: { VendorName: 'AWS', Name: name } }
    assert.match(broken(groupRule('x', statement)), new RegExp(`${name}.* not built`))
  }
  assert.match(broken(managed('NoSuch')), /none of that name/)
  assert.match(broken(managed('Common', { VendorName: 'Fortinet' })), /not built/)
  assert.match(broken(managed('Common', { Version: 'Version_1.19' })), /no version Version_1.19/)
  assert.equal(broken(managed('Common', { Version: 'Version_1.0' })), '')
  assert.match(
    broken(managed('Common', { ManagedRuleGroupConfigs: [{ LoginPath: '/login' }] })),
    /Configs are not built/,
  )
})

test('texts of bodies and what they decode to', () => {
  assert.deepEqual(bodyTexts('a=1&b=%3C&c', ''), ['a', '1', 'b', '%3C', 'c'])
  assert.deepEqual(bodyTexts('{"a":"\\u003c","a":["b\\"c"],"d":1}', 'text/plain').slice(0, 4), ['a', '<', 'a', 'b"c'])
  assert.ok(bodyTexts('{"cut":"off <script', '').includes('off <script'))
  assert.ok(bodyTexts('{ ; cat /etc/passwd', '').includes('{ ; cat /etc/passwd'))
  assert.ok(bodyTexts('<a href="x">', '').includes('<a href="x">'))
  const part = 'Content-Disposition: form-data; name="a"; filename="b.php"\r\n\r\nsome text'
  for (const type of ['multipart/form-data; boundary=xyz', 'text/plain']) {
    const texts = bodyTexts(`--xyz\r\n${part}\r\n--xyz--\r\n`, type)
    for (const text of ['a', 'b.php', 'some text']) assert.ok(texts.includes(text), `${text} of ${type}`)
  }
  assert.ok(
    bodyTexts(`preamble\r\n--xyz\r\n${part}\r\n--xyz--`, 'multipart/form-data; boundary="xyz"').includes('some text'),
  )
  const rows: [text: string, also: string][] = [
    ['%3Cscript%3E', '<script>'],
    ['%253Cscript', '<script'],
    ['%u003cscript', '<script'],
    ['%uff1cscript', '<script'],
    ['a+b', 'a b'],
    ['&lt;script&gt;', '<script>'],
    ['&#60;&#x73;cript', '<script'],
    ['%26lt;script', '<script'],
    ['\\u003cscript', '<script'],
    ['\\x3cscript', '<script'],
    ['\\u003ca', '<a'],
  ]
  for (const [text, also] of rows) assert.ok(variants([text]).includes(also), text)
  assert.deepEqual(variants(['100%', '%zz', '', 'x&y', 'x&y']), ['100%', '%zz', 'x&y'])
  // No more than a few times the body, whatever it is made of.
  for (const piece of ['%', '&', '&#', '\\', '"', '"\\', '{"', '--x\r\n', '=', '&a=', '=\\', ';="\\']) {
    const long = piece.repeat(65_536 / piece.length)
    const made = variants(bodyTexts(long, 'multipart/form-data; boundary=x'))
    assert.ok(made.reduce((sum, text) => sum + text.length, 0) <= 8 * long.length, piece)
  }
})
