//! One request of a viewer at the edge, with its bytes, and what every kind of cached site has in common: pages whose
//! bodies tell what they are, and floors below which no version may be seen any more.
import { type Agent, request } from 'node:http'
import type { Findings } from './findings.ts'

const ANSWER_MS = 20_000

export interface Asks {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
}

export interface Got {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
}

/** The whole answer; null when it was visibly cut or none came, which is counted. */
export function ask(
  edge: string,
  host: string,
  path: string,
  agent: Agent,
  findings: Findings,
  asks: Asks = {},
): Promise<Got | null> {
  const [address, port] = edge.split(':')
  return new Promise((resolve) => {
    const cut = (why: string): void => {
      findings.count(`cached: ${why}`)
      resolve(null)
    }
    const headers = { host, ...asks.headers }
    const options = { host: address, port, path, agent, method: asks.method ?? 'GET', headers, timeout: ANSWER_MS }
    const asked = request(options, (answer) => {
      const pieces: Buffer[] = []
      answer.on('data', (piece: Buffer) => pieces.push(piece))
      answer.once('error', () => cut('cut in the answer'))
      answer.once('close', () => {
        if (!answer.complete) return cut('cut in the answer')
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(pieces) })
      })
    })
    asked.once('timeout', () => asked.destroy(new Error('no answer in time')))
    asked.once('error', (error: NodeJS.ErrnoException) => cut(error.code ?? error.message))
    asked.end()
  })
}

/** Versions of a site's pages at its origin, and the oldest of each that may still be seen. */
export class Pages {
  readonly count: number
  /** What the origin has. */
  readonly versions: number[]
  /** Oldest version that a request which begins now may get. */
  readonly floors: number[]
  /** performance.now() at which a version of a page was replaced, by `page/version`. */
  readonly #replacedAt = new Map<string, number>()

  constructor(count: number) {
    this.count = count
    this.versions = Array(count).fill(0)
    this.floors = Array(count).fill(0)
  }

  /** A new version; returns its number. */
  change(page: number): number {
    const version = this.versions[page]!
    this.#replacedAt.set(`${page}/${version}`, performance.now())
    this.versions[page] = version + 1
    return version + 1
  }

  /** No request that begins from now on may see an older one. */
  raise(page: number, version: number): void {
    this.floors[page] = Math.max(this.floors[page]!, version)
  }

  /** Milliseconds of performance.now(); infinite for what the origin still has. */
  replacedAt(page: number, version: number): number {
    return this.#replacedAt.get(`${page}/${version}`) ?? Number.POSITIVE_INFINITY
  }
}

/** `name|path|version|`, filling, end; so long that many fill the memory of a small cache. */
export const pageBody = (name: string, path: string, version: number, bytes: number): string =>
  `${name}|${path}|${version}|${`${name}${path}v${version};`.repeat(bytes / 16).slice(0, bytes)}|end`

/** The version that a body tells; null, with a finding, for one that is not this page, whole and unmixed. */
export function versionIn(body: Buffer, name: string, path: string, bytes: number, findings: Findings): number | null {
  const text = body.toString('latin1')
  const version = Number(text.split('|', 3)[2])
  if (text === pageBody(name, path, version, bytes)) return version
  findings.violation(`${name}${path}: expected one page of its own, seen ${body.length} bytes: ${text.slice(0, 80)}`)
  return null
}
