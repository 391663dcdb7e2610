//! Debian's pebble, the ACME server that is made for tests, and its mock of the DNS, which leads every name to an address of
//! the loopback network that nobody else has: there they listen, and there validators look for the edge. Ended by its id.

import { type ChildProcess, spawn } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ServerCertificate, TestAuthority } from './certificates.ts'

export interface PebbleOptions {
  /** Percent of good nonces that it refuses. */
  readonly nonceReject?: number
  /** Names that it refuses to have anything to do with. */
  readonly blocked?: readonly string[]
  /** Keys of customers by their ids: only they get accounts. */
  readonly externalKeys?: Readonly<Record<string, string>>
  /** Validators ask the edge's name server, which listens at `nameServer` below, in place of the mock. */
  readonly asksEdge?: boolean
}

/** Milliseconds until it must listen. */
const START_MS = 20_000

/** At its address. `http` and `names` are the edge's. */
const PORT = { acme: 14_000, management: 15_000, dns: 8_053, mock: 8_055, http: 5_002, names: 5_053 } as const

export class Pebble {
  readonly #options: PebbleOptions
  readonly #directory: string
  /** Where it listens, and every name leads. */
  readonly address: string
  readonly #authority: TestAuthority
  #server: ChildProcess | null = null
  #mock: ChildProcess | null = null
  /** Of the server, since it was started first. */
  log = ''

  private constructor(options: PebbleOptions, directory: string, address: string, authority: TestAuthority) {
    this.#options = options
    this.#directory = directory
    this.address = address
    this.#authority = authority
  }

  static async start(options: PebbleOptions = {}): Promise<Pebble> {
    const directory = await mkdtemp(join(tmpdir(), 'cachefront-pebble-'))
    const address = `127.${randomInt(200, 250)}.${randomInt(1, 250)}.${randomInt(1, 250)}`
    const authority = await TestAuthority.make('Authority of the ACME server')
    const pebble = new Pebble(options, directory, address, authority)
    const own = await authority.issue({ names: [address] })
    await writeFile(join(directory, 'key.pem'), own.key)
    await writeFile(join(directory, 'cert.pem'), own.cert)
    await writeFile(pebble.authorityFile, authority.pem)
    await pebble.#startMock()
    await pebble.startServer()
    return pebble
  }

  /** `--acme-directory` */
  get directory(): string {
    return `https://${this.address}:${PORT.acme}/dir`
  }

  /** `--http-listen`: where validators ask. */
  get httpListen(): string {
    return `${this.address}:${PORT.http}`
  }

  /** `--dns-listen`, with `asksEdge`. */
  get nameServer(): string {
    return `${this.address}:${PORT.names}`
  }

  /** `--acme-ca`: whom its own certificate is from. */
  get authorityFile(): string {
    return join(this.#directory, 'ca.pem')
  }

  get authority(): string {
    return this.#authority.pem
  }

  /** A certificate for another server at its address, from the same authority. */
  certificate(): Promise<ServerCertificate> {
    return this.#authority.issue({ names: [this.address] })
  }

  /** PEM: what viewers of its certificates are to trust; another one after each start of the server. */
  root(): Promise<string> {
    return this.#manage('/roots/0')
  }

  /** Commands of the mock, e.g. `set-servfail`. */
  async #tellMock(path: string, body: object): Promise<void> {
    const answer = await fetch(`${this.mock}${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
    })
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  }

  /** Where the mock is told things: for a DNS hook. */
  get mock(): string {
    return `http://${this.address}:${PORT.mock}`
  }

  /** The name leads to another address than the edge's. */
  lead(host: string, address: string): Promise<void> {
    return this.#tellMock('/add-a', { host: `${host}.`, addresses: [address] })
  }

  /** The mock finds nothing under the name any more. */
  failNames(host: string): Promise<void> {
    return this.#tellMock('/set-servfail', { host: `${host}.` })
  }

  healNames(host: string): Promise<void> {
    return this.#tellMock('/clear-servfail', { host: `${host}.` })
  }

  /** The server ends, with all that it knows. */
  async stopServer(): Promise<void> {
    const server = this.#server
    this.#server = null
    await ended(server)
  }

  /** The server begins anew: it knows no account and no order, and has another root. */
  async startServer(): Promise<void> {
    const { nonceReject = 0, blocked = [], externalKeys, asksEdge = false } = this.#options
    const config = {
      pebble: {
        listenAddress: `${this.address}:${PORT.acme}`,
        managementListenAddress: `${this.address}:${PORT.management}`,
        certificate: join(this.#directory, 'cert.pem'),
        privateKey: join(this.#directory, 'key.pem'),
        httpPort: PORT.http,
        tlsPort: 1,
        ocspResponderURL: '',
        externalAccountBindingRequired: externalKeys !== undefined,
        externalAccountMACKeys: externalKeys ?? {},
        domainBlocklist: blocked,
        certificateValidityPeriod: 90 * 86_400,
      },
    }
    const file = join(this.#directory, 'pebble.json')
    await writeFile(file, JSON.stringify(config))
    const dns = asksEdge ? this.nameServer : `${this.address}:${PORT.dns}`
    this.#server = spawn('pebble', ['-config', file, '-dnsserver', dns], {
      env: {
        ...process.env,
        PEBBLE_VA_NOSLEEP: '1',
        PEBBLE_WFE_NONCEREJECT: String(nonceReject),
        PEBBLE_AUTHZREUSE: '0',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    for (const output of [this.#server.stdout, this.#server.stderr])
      output?.on('data', (text: Buffer) => {
        this.log += text
      })
    await this.#until(() => this.#manage('/roots/0'), this.#server)
  }

  async close(): Promise<void> {
    await Promise.all([this.stopServer(), ended(this.#mock)])
    await rm(this.#directory, { recursive: true, force: true })
  }

  async #startMock(): Promise<void> {
    const off = ['-http01', '', '-https01', '', '-tlsalpn01', '']
    const own = ['-dns01', `${this.address}:${PORT.dns}`, '-management', `${this.address}:${PORT.mock}`]
    const leads = ['-defaultIPv4', this.address, '-defaultIPv6', '']
    this.#mock = spawn('pebble-challtestsrv', [...off, ...own, ...leads], { stdio: 'ignore' })
    await this.#until(() => this.#tellMock('/clear-txt', { host: 'nobody.example.' }), this.#mock)
  }

  async #until(answers: () => Promise<unknown>, child: ChildProcess): Promise<void> {
    for (let waited = 0; ; waited += 20) {
      if (child.exitCode !== null || child.pid === undefined) throw new Error(`pebble ended: ${this.log}`)
      try {
        await answers()
        return
      } catch (error) {
        if (waited > START_MS) throw error
      }
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  #manage(path: string): Promise<string> {
    return new Promise((resolve, reject) => {
      const asked = request(
        { host: this.address, port: PORT.management, path, ca: this.authority, agent: false },
        (answer) => {
          let text = ''
          answer.setEncoding('utf8')
          answer.on('data', (piece: string) => {
            text += piece
          })
          answer.on('end', () => (answer.statusCode === 200 ? resolve(text) : reject(new Error(text))))
        },
      )
      asked.on('error', reject)
      asked.end()
    })
  }
}

async function ended(child: ChildProcess | null): Promise<void> {
  if (child === null || child.exitCode !== null || child.signalCode !== null) return
  child.kill('SIGKILL')
  await once(child, 'close')
}
