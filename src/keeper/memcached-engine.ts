//! memcached: options on the command line, one admin connection each in the text protocol.
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { dial } from './dial.ts'
import type { Door } from './door.ts'
import type { Engine, EngineFacts, EngineLink, Setting } from './engine.ts'
import { placeCertificate, runsAs, TLS_OPTIONS } from './memcached-tls.ts'
import type { Listening, ServedCertificate } from './transit.ts'

/** Options that are the keeper's own: where it listens, as whom it runs, whether it detaches. */
const OWNED: ReadonlySet<string> = new Set([
  '-l',
  '-p',
  '-U',
  '-s',
  '-u',
  '-d',
  '-P',
  '--listen',
  '--port',
  '--user',
  '-Z',
  '--enable-ssl',
])
/** File descriptors that memcached needs besides one for each connection. */
const SPARE_FILES = 64
/** An answer that is longer is not one of memcached's to our three commands. */
const ANSWER_BYTES_MAX = 1024 * 1024

export const memcachedEngine: Engine = {
  replicated: false,
  // It has nothing to put in order, and notices SIGTERM only with its clock's next tick, up to a second later.
  endSignal: 'SIGKILL',
  launch(order) {
    const settings = fitConnections(order.settings, openFilesMax())
    const options = settings.flatMap(([name, value]) => (value === '' ? [name] : [name, value]))
    const own = ['-l', order.door.address, '-p', String(order.door.port), '-U', '0']
    const user = runsAs()
    if (order.certificate !== null) placeCertificate(order.certificate, order.dir)
    return {
      args: [
        ...options,
        ...own,
        ...(order.certificate === null ? [] : TLS_OPTIONS),
        // It refuses to run as root without a user to become.
        ...(user === null ? [] : ['-u', user.name]),
      ],
      input: null,
      startedWith: settings,
    }
  },
  open: openLink,
  refusedSetting: () => null,
}

/** Open files that this host lets a process have; memcached exits when it asks for more than it may raise to. */
function openFilesMax(): number {
  const hard = /^Max open files\s+\S+\s+(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
  return hard === undefined ? Number.POSITIVE_INFINITY : Number(hard)
}

/** Lowers `-c` to what the host allows (shown as pending by `configure`), and leaves out the keeper's own options. */
export function fitConnections(settings: readonly Setting[], filesMax: number): readonly Setting[] {
  const most = filesMax - SPARE_FILES
  return settings
    .filter(([name]) => !OWNED.has(name))
    .map(([name, value]) => (name === '-c' && Number(value) > most ? [name, String(most)] : [name, value]))
}

async function openLink(door: Door, timeoutMs: number, onClosed: () => void): Promise<EngineLink> {
  const socket = await dial(door, timeoutMs)
  socket.once('close', onClosed)
  return new MemcachedLink(socket, door)
}

interface Question {
  readonly isDone: (text: string) => boolean
  readonly resolve: (text: string) => void
  readonly reject: (error: Error) => void
}

const isLine = (text: string): boolean => text.endsWith('\r\n')
const isList = (text: string): boolean => text.endsWith('END\r\n') || text.startsWith('ERROR')

class MemcachedLink implements EngineLink {
  readonly #socket: Socket
  readonly #address: string
  readonly #listening: Listening
  readonly replication = null
  readonly observation = null
  #queue: Question[] = []
  #answer = ''
  /** One question at a time: answers carry no number. */
  #last: Promise<unknown> = Promise.resolve()

  constructor(socket: Socket, { address, port, tls }: Door) {
    this.#socket = socket
    this.#address = address
    this.#listening = tls === null ? { plain: port, tls: 0 } : { plain: 0, tls: port }
    socket.setEncoding('latin1')
    socket.on('data', (chunk) => this.#receive(String(chunk)))
    socket.on('close', () => {
      for (const question of this.#queue) question.reject(new Error(`${address} closed the connection`))
      this.#queue = []
    })
  }

  #receive(chunk: string): void {
    this.#answer += chunk
    const question = this.#queue[0]
    if (question === undefined || this.#answer.length > ANSWER_BYTES_MAX) {
      this.#socket.destroy()
      return
    }
    if (!question.isDone(this.#answer)) return
    this.#queue.shift()
    question.resolve(this.#answer)
    this.#answer = ''
  }

  #ask(command: string, isDone: (text: string) => boolean): Promise<string> {
    const asked = this.#last.then(
      () =>
        new Promise<string>((resolve, reject) => {
          if (this.#socket.destroyed) {
            reject(new Error(`${this.#address} closed the connection`))
            return
          }
          this.#queue.push({ isDone, resolve, reject })
          this.#socket.write(command)
        }),
    )
    this.#last = asked.catch(() => {})
    return asked
  }

  async ping(): Promise<void> {
    await this.#ask('version\r\n', isLine)
  }

  async look(): Promise<EngineFacts> {
    const stats = await this.statistics()
    const stat = (name: string): string => new RegExp(`^STAT ${name} (.*?)\\r?$`, 'm').exec(stats)?.[1] ?? ''
    const none = {
      role: 'none',
      follows: null,
      followsBy: null,
      inSync: false,
      isCopying: false,
      isLoading: false,
      offset: 0,
    } as const
    const own = { bound: [this.#address], listening: this.#listening }
    return { ...none, ...own, pid: Number(stat('pid')), version: stat('version') }
  }

  /** Everything is decided at the start: what differs from it waits for a restart. */
  configure(wished: readonly Setting[], startedWith: readonly Setting[]): Promise<readonly string[]> {
    const started = new Set(startedWith.map((setting) => setting.join(' ')))
    const names = wished.filter((setting) => !started.has(setting.join(' '))).map(([name]) => name)
    const wishes = new Set(wished.map(([name]) => name))
    const leftOut = startedWith.map(([name]) => name).filter((name) => !wishes.has(name))
    return Promise.resolve([...new Set([...names, ...leftOut])])
  }

  statistics(): Promise<string> {
    return this.#ask('stats\r\n', isList)
  }

  /** It knows no users. */
  async setUsers(): Promise<null> {
    return null
  }

  async serveCertificate(certificate: ServedCertificate, dir: string): Promise<void> {
    placeCertificate(certificate, dir)
    const answer = await this.#ask('refresh_certs\r\n', isLine)
    if (!answer.startsWith('OK')) throw new Error(`${this.#address} did not take its new certificate: ${answer.trim()}`)
  }

  async store(key: string, value: string): Promise<void> {
    await this.#ask(`set ${key} 0 0 ${Buffer.byteLength(value)}\r\n${value}\r\n`, isLine)
  }

  close(): void {
    this.#socket.destroy()
  }
}
