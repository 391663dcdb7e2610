//! A real redis-server for the sample's own tests: on a free port, in a directory of its own, killed and started again.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'

const BINARY = 'redis-server'
export const HOST = '127.0.0.1'

export class TestRedis {
  readonly port: number
  readonly #directory = mkdtempSync(join(tmpdir(), 'storefront-redis-'))
  #process: ChildProcess

  /** On a port that is free now. */
  static async start(): Promise<TestRedis> {
    const server = createServer().listen(0, HOST)
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    server.close()
    await once(server, 'close')
    return new TestRedis(port)
  }

  private constructor(port: number) {
    this.port = port
    this.#process = this.#spawn(port)
  }

  get pid(): number | undefined {
    return this.#process.pid
  }

  /** Resolves when the process has ended, by whoever ended it. */
  async ended(): Promise<void> {
    if (this.#process.exitCode === null && this.#process.signalCode === null) await once(this.#process, 'exit')
  }

  async kill(): Promise<void> {
    this.#process.kill('SIGKILL')
    await this.ended()
  }

  /** At the same address, where nobody reaches it before it holds these values: as a replica that takes over. */
  async startAgain(values: Readonly<Record<string, string>> = {}): Promise<void> {
    const socket = join(this.#directory, 'socket')
    this.#process = this.#spawn(0, '--unixsocket', socket)
    const admin = new Redis(socket, { retryStrategy: () => 5, maxRetriesPerRequest: null })
    admin.on('error', () => {})
    if (Object.keys(values).length > 0) await admin.mset({ ...values })
    await admin.config('SET', 'port', this.port)
    admin.disconnect()
  }

  async remove(): Promise<void> {
    await this.kill()
    rmSync(this.#directory, { recursive: true })
  }

  #spawn(port: number, ...more: readonly string[]): ChildProcess {
    const settings = ['--port', String(port), '--bind', HOST, '--save', '', '--dir', this.#directory, ...more]
    return spawn(BINARY, settings, { stdio: 'ignore' })
  }
}
