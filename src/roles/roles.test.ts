import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { readConfig } from '../config.ts'
import { networkOf } from '../config-topology.ts'
import { popIn } from '../domain/topology.ts'
import { addressPlus, chooseAddress, choosePopAddresses, KeptPorts, type Listener } from './listen-address.ts'
import { MovedClock } from './moved-clock.ts'
import { readSettings, workerWishes } from './worker-settings.ts'

const directory = mkdtempSync(join(tmpdir(), 'cachefront-roles-'))
after(() => rmSync(directory, { recursive: true }))

const listeningAt = (http: Listener['wanted'], https: Listener['wanted'] | null = null) => ({
  pops: [{ ...popIn('us-east-1', null), http, https, ipv6: null }],
  regionals: [],
  dns: null,
})

describe('the settings of a worker', () => {
  it('come back from its arguments as they were written', () => {
    const config = readConfig(
      {
        ...{
          workers: '3',
          home: '/h',
          'allow-origin': ['10.0.0.0/8'],
          'trusted-proxies': ['10.9.0.0/16'],
          'proxy-protocol': ['10.8.0.0/16', 'fd00::/8'],
          'movable-clock': true,
          'limit-loopback': true,
          ...{ 'address-requests': '7', 'origin-requests': '9', connections: '20' },
          // Any file that is there.
          'origin-ca': ['/etc/passwd'],
        },
        ...{ 'cache-memory-mb': '30', 'disk-cache-mb': '27' },
        ...{ 's3-endpoint': 'https://[::1]:9000/s3/', 's3-region': 'eu-west-1', folder: ['site=/srv/site', 'a=/b'] },
      },
      { CACHEFRONT_RFC_STRICT: 'true' },
    )
    const http = { host: '::1', port: 81 }
    const network = listeningAt(http, { host: '::1', port: 82 })
    const wishes = workerWishes(config, network, { host: '127.0.0.1', port: 80 }, '127.16.0.0/16', 'some-keys')
    assert.deepEqual(
      wishes.map((wish) => wish.name),
      ['worker-0', 'worker-1', 'worker-2'],
    )
    const [role, ...args] = wishes[2]!.args
    assert.equal(role, 'worker')
    assert.deepEqual(readSettings(args), {
      name: 'worker-2',
      home: '/h',
      network,
      edgeDomain: 'cloudfront.localhost',
      cacheBytes: 10 * 1024 * 1024,
      diskBytes: 9 * 1024 * 1024,
      allowOrigins: ['10.0.0.0/8'],
      originAuthorities: ['/etc/passwd'],
      geoip: [],
      trustedProxies: ['10.9.0.0/16'],
      proxyProtocol: ['10.8.0.0/16', 'fd00::/8'],
      ownAddresses: ['127.0.0.1:80', '[::1]:81', '[::1]:82', '127.16.0.0/16'],
      s3Endpoint: 'https://[::1]:9000/s3',
      s3Region: 'eu-west-1',
      s3Keys: 'some-keys',
      folders: ['site=/srv/site', 'a=/b'],
      protection: {
        ...{ addressRequests: 7, addressBurst: 10_000, connections: 20, addressConnections: 2_000 },
        ...{ addressHandshakes: 100, originRequests: 9, limitLoopback: true },
      },
      movableClock: true,
      rfcStrict: true,
      explain: 'loopback',
    })
    assert.throws(() => readSettings([]), /without --name/)
  })

  it('explain nothing when a listener can be reached from elsewhere', () => {
    const inside = { host: '127.0.0.1', port: 1 }
    const outside = { host: '0.0.0.0', port: 80 }
    const explains = (http: typeof inside, https: typeof inside | null) => {
      const [wish] = workerWishes(readConfig({}, {}), listeningAt(http, https), inside, null, '')
      return readSettings(wish!.args.slice(1)).explain
    }
    assert.equal(explains(inside, null), 'loopback')
    assert.equal(explains(outside, inside), 'off')
    assert.equal(explains(inside, outside), 'off')
  })
})

describe('the port that stands for 0', () => {
  const listener = (wanted: Listener['wanted']): Listener => ({
    who: 'The edge',
    variable: 'HTTP_LISTEN',
    wanted,
    isOurs: () => false,
  })

  it('is kept, and given up when another program has it', async () => {
    const file = join(directory, 'ports.json')
    const wanted = { host: '127.0.0.1', port: 0 }
    const first = await chooseAddress(listener(wanted), new KeptPorts(file))
    assert.deepEqual(await chooseAddress(listener(wanted), new KeptPorts(file)), first)
    const holder = createServer().listen(first.port, first.host)
    await once(holder, 'listening')
    const other = await chooseAddress(listener(wanted), new KeptPorts(file))
    assert.notEqual(other.port, first.port)
    await assert.rejects(chooseAddress(listener(first), new KeptPorts(file)), {
      name: 'StartError',
      message: new RegExp(`^The edge cannot listen on 127.0.0.1:${first.port}: process ${process.pid} .*--http-listen`),
    })
    const ours = await chooseAddress({ ...listener(first), isOurs: (pid) => pid === process.pid }, new KeptPorts(file))
    assert.deepEqual(ours, first, 'a worker of ours keeps its address')
    holder.close()
  })
})

describe('the addresses of POPs', () => {
  const listener = (wanted: Listener['wanted']): Listener => ({
    who: 'The edge',
    variable: 'HTTP_LISTEN',
    wanted,
    isOurs: () => false,
  })
  /** One of HTTPS would be in its way at a port of its own alone. */
  const both = (wanted: Listener['wanted']) => ({
    plain: listener(wanted),
    secure: wanted.port === 0 ? ({ ...listener(wanted), variable: 'HTTPS_LISTEN' } as const) : null,
  })
  const { pops } = networkOf(3, 'eu-central-1')

  it('follow the address of the edge, at one port, or each at a free one', async () => {
    const ports = new KeptPorts(join(directory, 'pops.json'))
    const free = await choosePopAddresses(pops, both({ host: '127.0.0.1', port: 0 }), ports)
    assert.deepEqual(
      free.map(({ http }) => http.host),
      ['127.0.0.1', '127.0.0.2', '127.0.0.3'],
    )
    assert.deepEqual(
      free.map(({ http, https }) => https?.host === http.host && https.port !== http.port),
      [true, true, true],
    )
    const { port } = (free[0] as (typeof free)[0]).http
    const fixed = await choosePopAddresses(pops, both({ host: '127.0.0.1', port }), ports)
    assert.deepEqual(
      fixed.map(({ http }) => http.port),
      [port, port, port],
    )
    const again = await choosePopAddresses(
      pops,
      both({ host: '127.0.0.1', port: 0 }),
      new KeptPorts(join(directory, 'pops.json')),
    )
    assert.deepEqual(again, free)
  })

  it('follow its port where there is no such address, or another program has it', async () => {
    const ports = new KeptPorts(join(directory, 'none.json'))
    const port = await threeFreePorts()
    const wild = await choosePopAddresses(pops, both({ host: '0.0.0.0', port }), ports)
    assert.deepEqual(
      wild.map(({ http }) => `${http.host} +${http.port - port}`),
      ['0.0.0.0 +0', '0.0.0.0 +1', '0.0.0.0 +2'],
    )
    const holder = createServer().listen(port, '127.0.0.2')
    await once(holder, 'listening')
    const held = await choosePopAddresses(pops, both({ host: '127.0.0.1', port }), ports)
    assert.deepEqual(
      held.map(({ http }) => `${http.host} +${http.port - port}`),
      ['127.0.0.1 +0', '127.0.0.1 +1', '127.0.0.3 +0'],
    )
    holder.close()
  })

  it('are counted on as numbers', () => {
    assert.deepEqual(
      [
        addressPlus('10.0.0.255', 2),
        addressPlus('0.0.0.0', 1),
        addressPlus('::1', 1),
        addressPlus('255.255.255.254', 9),
      ],
      ['10.0.1.1', null, null, null],
    )
  })
})

/** The first of three in a row, below those that the system gives to whoever asks for any. */
async function threeFreePorts(): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 10_000)
    const servers = [0, 1, 2].map((more) => createServer().listen(first + more, '0.0.0.0'))
    const outcomes = await Promise.allSettled(servers.map((server) => once(server, 'listening')))
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
    if (outcomes.every(({ status }) => status === 'fulfilled')) return first
  }
}

describe('the movable clock of control', () => {
  it('does not go back when control starts again', () => {
    const file = join(directory, 'clock.json')
    new MovedClock(file).moveTo(86_400_000)
    assert.equal(new MovedClock(file).offsetMs, 86_400_000)
    assert.equal(new MovedClock(join(directory, 'none.json')).offsetMs, 0)
  })
})

describe('the output of a command', () => {
  it('may lose its reader (| head) without a stack trace', async () => {
    const main = new URL('../main.ts', import.meta.url).pathname
    const command = spawn(process.execPath, [main, 'doctor'], { stdio: ['ignore', 'pipe', 'pipe'] })
    command.stdout.destroy()
    let complaints = ''
    command.stderr.setEncoding('utf8').on('data', (text) => {
      complaints += text
    })
    const [code, signal] = await once(command, 'close')
    assert.deepEqual([code, signal, complaints], [0, null, ''])
  })
})
