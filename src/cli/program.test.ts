import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import type { CliHost, UpFlags, UpOption } from './host.ts'
import { runCli } from './program.ts'

const OPTIONS: readonly UpOption[] = [
  {
    name: 'http-listen',
    env: 'CACHEFRONT_HTTP_LISTEN',
    argument: 'ADDRESS:PORT',
    default: '127.0.0.1:8080',
    about: 'the edge',
  },
  { name: 'bare', env: null, argument: null, default: null, about: 'without the sample' },
  { name: 'allow-origin', env: null, argument: 'CIDR', list: true, default: null, about: 'origins' },
  {
    name: 'pops',
    env: 'CACHEFRONT_POPS',
    argument: 'N',
    default: '1',
    about: 'points of presence',
  },
]

async function run(args: readonly string[], changes: Partial<CliHost> = {}, home = '/nowhere/home') {
  const printed: string[] = []
  const complained: string[] = []
  const ups: UpFlags[] = []
  const host: CliHost = {
    version: '1.2.3',
    upOptions: OPTIONS,
    up: async (flags) => {
      ups.push(flags)
      return 0
    },
    startKeeper: async () => assert.fail('no keeper is needed'),
    home: (flag) => flag ?? home,
    files: (at) => ({
      state: join(at, 'state.db'),
      accessKeys: join(at, 'keys', 'access-keys.json'),
      auditLog: join(at, 'audit.log'),
      installation: join(at, 'installation.json'),
      keeperSocket: join(at, 'keeper.sock'),
      keeper: join(at, 'keeper'),
      logs: at,
      tls: join(at, 'tls'),
    }),
    endpoint: undefined,
    credentials: { accessKeyId: 'id', secretAccessKey: 'secret' },
    enginePath: [],
    out: {
      print: (text) => void printed.push(text),
      complain: (text) => void complained.push(text),
      interactive: false,
      ask: async () => 'no',
    },
    ...changes,
  }
  const code = await runCli(host, args)
  return { code, out: printed.join('\n'), err: complained.join('\n'), ups }
}

const inHome = async (work: (home: string) => Promise<void>) => {
  const home = await mkdtemp(join(tmpdir(), 'cachefront-cli-'))
  try {
    await work(home)
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

const COMMANDS = [
  'up',
  'down',
  'status',
  'explain',
  'invalidate',
  'clock',
  'logs',
  'cache',
  'waf',
  'trust',
  'doctor',
  'reset',
  'call',
]

describe('the command line', () => {
  it('names every command, and gives each an example', async () => {
    const { code, out } = await run(['--help'])
    assert.equal(code, 0)
    for (const command of COMMANDS) {
      assert.match(out, new RegExp(`^ {2}${command}\\b`, 'm'))
      const path = { clock: ['clock', 'advance'], cache: ['cache', 'show'], waf: ['waf', 'replay'] }[command] ?? [
        command,
      ]
      const help = await run([...path, '--help'])
      assert.equal(help.code, 0)
      assert.match(help.out, /Examples?:\n {2}cachefront /, command)
      assert.match(help.out, /--json/, command)
    }
  })

  it('takes an endpoint only where it is used, and headers without eating the URL', async () => {
    for (const command of ['down', 'logs', 'doctor', 'reset']) {
      const { code, err } = await run([command, '--endpoint', 'http://127.0.0.1:1'])
      assert.deepEqual([code, /unknown option/.test(err)], [2, true], command)
    }
    const asked = await run(['explain', '-H', 'A: 1', '-H', 'B: 2', 'http://x/', '--endpoint', 'http://127.0.0.1:1'])
    assert.deepEqual([asked.code, /does not answer/.test(asked.err)], [1, true], asked.err)
  })

  it('tells its version', async () => {
    assert.deepEqual(await run(['--version']), { code: 0, out: '1.2.3', err: '', ups: [] })
  })

  it('exits with 2 when it is called wrongly', async () => {
    for (const args of [
      ['nonsense'],
      ['up', '--nonsense'],
      ['explain'],
      ['clock', 'advance'],
      ['invalidate', 'E1'],
      ['logs', '-n', 'x'],
    ]) {
      const { code, err } = await run(args)
      assert.equal(code, 2, args.join(' '))
      assert.notEqual(err, '')
    }
  })

  it('hands the flags of up on by their names, the refused ones too', async () => {
    const { code, ups } = await run([
      'up',
      '--bare',
      '--http-listen',
      '127.0.0.1:0',
      '--allow-origin',
      '10.0.0.0/8',
      '10.1.0.0/16',
      '--pops',
      '3',
      '--config',
      'x.json',
    ])
    assert.equal(code, 0)
    const flags = {
      bare: true,
      'http-listen': '127.0.0.1:0',
      'allow-origin': ['10.0.0.0/8', '10.1.0.0/16'],
      pops: '3',
      config: 'x.json',
    }
    assert.deepEqual(ups, [flags])
    const help = await run(['up', '--help'])
    assert.match(help.out, /--http-listen <ADDRESS:PORT>/)
  })

  it('says in one line that nothing runs', async () => {
    for (const args of [
      ['status'],
      ['cache', 'list'],
      ['clock', 'advance', '1s'],
      ['invalidate', 'E1', '/*'],
      ['call', 'cloudfront', 'ListDistributions'],
      ['explain', 'http://x/'],
    ]) {
      const { code, err } = await run(args)
      assert.equal(code, 1)
      assert.equal(
        err,
        'cachefront: Nothing runs on /nowhere/home: start it with `cachefront up`, or name another --home.',
      )
    }
    const { code, err } = await run(['status', '--endpoint', 'http://127.0.0.1:1'])
    assert.equal(code, 1)
    assert.match(err, /^cachefront: http:\/\/127\.0\.0\.1:1 does not answer: nothing listens there\. [^\n]*$/)
  })

  it('refuses what it cannot read', async () => {
    const wrong: readonly (readonly [args: readonly string[], says: RegExp])[] = [
      [['clock', 'advance', 'tomorrow'], /no duration: write it like 24h/],
      [['clock', 'advance', '0s'], /no duration/],
      [['status', '--endpoint', 'localhost:4566'], /no endpoint/],
      [['explain', '/path'], /must be a whole URL/],
      [['explain', 'ftp://x/'], /must be a whole URL/],
      [['call', 's3', 'ListBuckets'], /no service s3; there are: cloudfront, acm, elasticache, sts/],
      [['call', 'acm', 'Nonsense', '--endpoint', 'http://127.0.0.1:1'], /acm has no operation Nonsense/],
      [['call', 'cloudfront', 'ListDistributions', '{'], /input cannot be read/],
      [['call', 'cloudfront', 'ListDistributions', '[]'], /one JSON object/],
      [['call', 'cloudfront', 'Nonsense', '--endpoint', 'http://127.0.0.1:1'], /cloudfront has no operation Nonsense/],
    ]
    for (const [args, says] of wrong) {
      const { code, err } = await run(args)
      assert.equal(code, 2, args.join(' '))
      assert.match(err, says)
    }
  })

  it('has nothing to stop where nothing ran', async () => {
    const { code, out } = await run(['down'])
    assert.deepEqual([code, out], [0, 'Nothing ran on /nowhere/home.'])
    assert.deepEqual(JSON.parse((await run(['down', '--json'])).out), { control: false, keeper: false, cachesLeft: [] })
  })

  it('deletes only what is a home, and only when told to', () =>
    inHome(async (home) => {
      const strange = await run(['reset', '--yes'], {}, home)
      assert.equal(strange.code, 1)
      assert.match(strange.err, /does not look like a home/)
      await writeFile(join(home, 'state.db'), '')
      const unasked = await run(['reset'], {}, home)
      assert.equal(unasked.code, 2)
      assert.match(unasked.err, /say --yes/)
      await stat(join(home, 'state.db'))
      const { code, out } = await run(['reset', '--yes'], {}, home)
      assert.deepEqual([code, out], [0, `${home} is deleted.`])
      await assert.rejects(stat(home))
      assert.equal((await run(['reset', '--yes'], {}, home)).out, `There is nothing at ${home}.`)
    }))

  it('names the engines that this host lacks, and how to get them', () =>
    inHome(async (home) => {
      const { code, out } = await run(['doctor'], { enginePath: [home] }, join(home, 'sub', 'dir'))
      assert.equal(code, 1)
      assert.match(out, /✖ +Redis or Valkey +not found; apt-get install redis-server/)
      assert.match(out, /✖ +Memcached +not found; apt-get install memcached/)
      assert.match(out, /✔ +Node/)
      assert.match(out, /✔ +Home/)
    }))

  it('shows the end of the access log, as text and as JSON', () =>
    inHome(async (home) => {
      const missing = await run(['logs'], {}, home)
      assert.equal(missing.code, 1)
      assert.match(missing.err, /There is no log yet/)
      const lines = Array.from({ length: 30 }, (_, n) => `2026-01-01\t00:00:${String(n).padStart(2, '0')}\t/p${n}`)
      await mkdir(home, { recursive: true })
      await writeFile(
        join(home, 'access-worker-0.log'),
        `#Version: 1.0\n#Fields: date time path\n${lines.join('\n')}\npartial`,
      )
      const text = await run(['logs', '-n', '2'], {}, home)
      assert.equal(text.out, `#Version: 1.0\n#Fields: date time path\n${lines.slice(-2).join('\n')}`)
      const json = await run(['logs', '-n', '1', '--json'], {}, home)
      // The lines of several workers are one log.
      await writeFile(
        join(home, 'access-worker-1.log'),
        '#Version: 1.0\n#Fields: date time path\n2026-01-01\t00:00:28\t/other\n',
      )
      const both = await run(['logs', '-n', '3'], {}, home)
      assert.deepEqual(
        both.out.split('\n').map((line) => line.split('\t')[2] ?? ''),
        ['', '', '/p28', '/other', '/p29'],
      )
      assert.deepEqual(JSON.parse(json.out), { date: '2026-01-01', time: '00:00:29', path: '/p29' })
    }))
})
