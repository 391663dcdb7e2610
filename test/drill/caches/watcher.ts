//! Watches the primary endpoint over connections of its own: which process answers there as a primary. Once another one
//! has, the one before must never be seen again: that would be two primaries that take writes at one endpoint.
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Findings } from '../findings.ts'

const LOOK_MS = 10
const ANSWER_MS = 300

export class EndpointWatcher {
  readonly #endpoint: string
  readonly #findings: Findings
  /** Run ids of primaries, in the order in which they were first seen. */
  readonly #primaries: string[] = []
  #stopped = false
  readonly #running: Promise<void>

  constructor(endpoint: string, findings: Findings) {
    this.#endpoint = endpoint
    this.#findings = findings
    this.#running = this.#run()
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#note(await infoAt(this.#endpoint))
      await sleep(LOOK_MS)
    }
  }

  #note(info: string): void {
    if (!info.includes('role:master')) return
    const id = /run_id:(\w+)/.exec(info)?.[1]
    if (id === undefined || id === this.#primaries.at(-1)) return
    if (this.#primaries.includes(id)) {
      this.#findings.violation('the primary endpoint: a primary was seen again after another had taken over')
    }
    this.#primaries.push(id)
  }

  /** Primaries that were seen. */
  get count(): number {
    return this.#primaries.length
  }

  async stop(): Promise<void> {
    this.#stopped = true
    await this.#running
  }
}

/** INFO server and replication of who answers at the address; empty when nobody does in time. */
export function infoAt(host: string): Promise<string> {
  return new Promise((resolve) => {
    let text = ''
    const socket = connect({ host, port: 6379 })
    const end = (): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(text)
    }
    const timer = setTimeout(end, ANSWER_MS)
    socket.on('connect', () => socket.write('INFO server replication\r\nPING\r\n'))
    socket.on('data', (chunk) => {
      text += chunk
      if (text.includes('+PONG')) end()
    })
    socket.on('error', end)
    socket.on('close', end)
  })
}
