//! What `npm start` and `npm test` need on a machine that has Node 20 and npm and nothing else. Plain JavaScript without
//! packages: it runs before there are any. Quiet and quick when nothing is missing; what it may not install, it names.
//!   node scripts/prepare.mjs [--test | --bench | --testssl]
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const STAMP = join(ROOT, 'node_modules', '.cachefront-stamp')
/** Oldest Node that runs the program; the packages bring Node 26 for the systems in optionalDependencies. */
const NODE_MAJOR_MIN = 24
/** How long dpkg may be busy with somebody else's work. Seconds. */
const DPKG_LOCK_SECONDS = 180

/**
 * Packages of the operating system. `found`: any of these files or programs means that it is there. `services`: what
 * the package would start by itself.
 */
const SYSTEM_PACKAGES = [
  { name: 'redis-server', found: ['redis-server', 'valkey-server'], services: ['redis-server'], when: 'always' },
  { name: 'memcached', found: ['memcached'], services: ['memcached'], when: 'always' },
  { name: 'redis-tools', found: ['redis-cli'], services: [], when: 'test' },
  { name: 'bind9-dnsutils', found: ['dig'], services: [], when: 'test' },
  { name: 'openssl', found: ['openssl'], services: [], when: 'test' },
  { name: 'curl', found: ['curl'], services: [], when: 'test' },
  { name: 'awscli', found: ['/usr/bin/aws'], services: [], when: 'test' },
  { name: 'chromium', found: ['chromium', 'chromium-browser', 'google-chrome'], services: [], when: 'test' },
  {
    name: 'fonts-dejavu-core',
    found: ['/usr/share/fonts/truetype/dejavu/DejaVuSansMono.ttf'],
    services: [],
    when: 'test',
  },
  { name: 'python3-boto3', found: ['/usr/lib/python3/dist-packages/boto3'], services: [], when: 'test' },
  {
    name: 'python3-cryptography',
    found: ['/usr/lib/python3/dist-packages/cryptography'],
    services: [],
    when: 'test',
  },
  { name: 'nftables', found: ['nft'], services: ['nftables'], when: 'test' },
  { name: 'pebble', found: ['pebble'], services: [], when: 'test' },
  { name: 'iproute2', found: ['ip'], services: [], when: 'test' },
  { name: 'python3-redis', found: ['/usr/lib/python3/dist-packages/redis'], services: [], when: 'test' },
  { name: 'python3-pymemcache', found: ['/usr/lib/python3/dist-packages/pymemcache'], services: [], when: 'test' },
  { name: 'testssl.sh', found: ['testssl', 'testssl.sh'], services: [], when: 'testssl' },
  { name: 'nghttp2-client', found: ['nghttp'], services: [], when: 'test' },
  { name: 'nginx', found: ['nginx'], services: ['nginx'], when: 'bench' },
  { name: 'varnish', found: ['varnishd'], services: ['varnish', 'varnishncsa'], when: 'bench' },
  { name: 'wrk', found: ['wrk'], services: [], when: 'bench' },
  { name: 'nghttp2-client', found: ['h2load'], services: [], when: 'bench' },
]

/** How a person installs packages, by the tool that is there. */
const BY_HAND = [
  ['apt-get', 'sudo apt-get install'],
  ['dnf', 'sudo dnf install'],
  ['apk', 'sudo apk add'],
  ['brew', 'brew install'],
]

const started = process.hrtime.bigint()
const say = (text) => process.stdout.write(`prepare: ${text}\n`)
const seconds = () => `${(Number(process.hrtime.bigint() - started) / 1e9).toFixed(0)} s`

function findProgram(name) {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/local/sbin', '/usr/sbin', '/sbin']
  return directories.some((directory) => {
    try {
      accessSync(join(directory, name), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

const isThere = (file) => (file.startsWith('/') ? existsSync(file) : findProgram(file))

/** Runs to the end without showing anything; what it printed is shown when it fails. */
function run(command, args, env = {}) {
  const result = spawnSync(command, args, {
    cwd: ROOT,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  const output = `${result.stdout ?? ''}${result.stderr ?? ''}${result.error?.message ?? ''}`.trim()
  return { ok: result.status === 0, output }
}

/** True when node_modules holds what package-lock.json says (npm keeps its own account of what it installed). */
function npmPackagesMatch(lockText) {
  let installed
  try {
    installed = JSON.parse(readFileSync(join(ROOT, 'node_modules', '.package-lock.json'), 'utf8')).packages
  } catch {
    return false
  }
  return Object.entries(JSON.parse(lockText).packages).every(
    ([path, { version, optional, link }]) =>
      path === '' || link === true || installed[path]?.version === version || (optional === true && !installed[path]),
  )
}

function runNpm(...args) {
  const npm = process.env.npm_execpath
  const all = [...args, '--include=dev', '--include=optional', '--no-audit', '--no-fund']
  return npm?.endsWith('.js') ? run(process.execPath, [npm, ...all]) : run('npm', all)
}

/**
 * What package-lock.json says, exactly. `npm ci` refuses a lock file that leaves out optional packages of other systems,
 * which a registry may not carry: then `npm install` takes the versions of the lock file, which stays as it is.
 */
function installNpmPackages(lockText) {
  const clean = runNpm('ci')
  if (clean.ok || !clean.output.includes('Missing: ')) return clean
  const installed = runNpm('install', '--no-save')
  const lockFile = join(ROOT, 'package-lock.json')
  if (readFileSync(lockFile, 'utf8') !== lockText) writeFileSync(lockFile, lockText)
  return installed
}

function prepareNpmPackages() {
  const lockText = readFileSync(join(ROOT, 'package-lock.json'), 'utf8')
  const hash = createHash('sha256').update(lockText).digest('hex')
  if (existsSync(STAMP) && readFileSync(STAMP, 'utf8') === hash) return
  if (!npmPackagesMatch(lockText)) {
    say('installing the npm packages (a minute at most on a fresh machine) ...')
    const { ok, output } = installNpmPackages(lockText)
    if (!ok) {
      const lines = output.split('\n').filter((line) => !line.includes('EBADENGINE'))
      process.stderr.write(`${lines.slice(0, 20).join('\n')}\n`)
      say('npm could not install the packages (above); without them nothing runs.')
      process.exit(1)
    }
    say(`npm packages installed (${seconds()})`)
  }
  writeFileSync(STAMP, hash)
}

function checkNode() {
  const pinned = existsSync(join(ROOT, 'node_modules', '.bin', 'node'))
  if (pinned || Number(process.versions.node.split('.')[0]) >= NODE_MAJOR_MIN) return
  say(
    `Node ${NODE_MAJOR_MIN} or newer is needed and npm has none for ${process.platform}-${process.arch}: install it from nodejs.org.`,
  )
  process.exit(1)
}

/** Keeps packages from starting their services while they are installed (Debian's invoke-rc.d asks this script). */
function withoutServices(work) {
  const policy = '/usr/sbin/policy-rc.d'
  const ours = !existsSync(policy)
  // Ctrl-C ends apt-get, which has it from the terminal too; we must live until the script is removed.
  process.once('SIGINT', () => process.exit(130))
  if (ours) writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 })
  try {
    return work()
  } finally {
    if (ours) rmSync(policy, { force: true })
  }
}

/** The system's own services stay stopped, at the next boot too: the program runs engines of its own. */
function disableServices(services) {
  const systemd = existsSync('/run/systemd/system')
  for (const service of services) {
    if (systemd) run('systemctl', ['disable', '--now', service])
    else if (existsSync(`/etc/init.d/${service}`)) run('update-rc.d', [service, 'disable'])
  }
}

function aptInstall(packages) {
  const names = packages.map((one) => one.name)
  const env = { DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'a' }
  const lock = ['-o', `DPkg::Lock::Timeout=${DPKG_LOCK_SECONDS}`]
  say(`installing ${names.join(', ')} with apt-get ...`)
  return withoutServices(() => {
    const update = run('apt-get', [...lock, '-q', 'update'], env)
    const install = run('apt-get', [...lock, '-q', '-y', '--no-install-recommends', 'install', ...names], env)
    disableServices(packages.flatMap((one) => one.services))
    if (install.ok) {
      say(`${names.join(', ')} installed (${seconds()}); their own services stay stopped`)
      return true
    }
    const lines = `${update.ok ? '' : update.output}\n${install.output}`.trim().split('\n')
    process.stderr.write(`${lines.slice(-8).join('\n')}\n`)
    return false
  })
}

function prepareSystemPackages(wanted) {
  const missing = SYSTEM_PACKAGES.filter((one) => wanted.has(one.when) && !one.found.some(isThere))
  if (missing.length === 0) return
  const mayInstall = process.getuid?.() === 0 && findProgram('apt-get')
  if (mayInstall && aptInstall(missing)) return
  const left = missing.filter((one) => !one.found.some(isThere))
  if (left.length === 0) return
  const names = left.map((one) => one.name).join(' ')
  const [, command] = BY_HAND.find(([tool]) => findProgram(tool)) ?? ['', 'install by your package manager:']
  const effect = left.some((one) => one.when === 'always')
    ? 'Until then the edge runs, and ElastiCache operations that need the engine answer with an error.'
    : 'What needs them is left out.'
  say(`missing: ${names}. Get them with: ${command} ${names}. ${effect}`)
}

prepareNpmPackages()
checkNode()
const wanted = new Set(['always'])
if (process.argv.includes('--test')) wanted.add('test')
if (process.argv.includes('--bench')) wanted.add('bench')
if (process.argv.includes('--testssl')) wanted.add('testssl')
prepareSystemPackages(wanted)
