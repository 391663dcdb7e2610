//! The origin of the end-to-end fuzz: answers well, oddly or badly, as the seed and the asked key say. Every body that it
//! sends is made of the key it was asked for, so that an answer in the wrong place shows; what it sends beyond an answer
//! is made of a key that nobody asks for.
import type { Socket } from 'node:net'
import { startWireOrigin, type WireOrigin, type WireRequest } from '../support/edge-wire-origin.ts'
import { type Random, randomOf, seedOf } from '../support/random.ts'

export const tokenOf = (key: number): string => `<k${key}>`
/** In what is sent beyond an answer: nobody may ever see it. */
export const POISON_KEY = 999_999

const SIZES = [0, 1, 3, 40, 200, 200, 2_000, 20_000] as const
const CONTROLS = ['', '', 'max-age=60', 'max-age=0', 'no-store', 'private', 'no-cache', 's-maxage=5, stale-while-revalidate=30', 'max-age=1, stale-if-error=60', 'no-cache="x-a"', 'max-age="5', 'public, max-age=99999999999999999999'] // biome-ignore format: a list
const TYPES = [
  'text/html',
  'text/plain; charset=utf-8',
  'application/json',
  'image/png',
  '',
  'text/html\ttext',
] as const
const ODD_FIELDS = ['Vary: *', 'Vary: Accept-Encoding', 'Vary: X-A, Cookie', 'Set-Cookie: a=1', 'Age: 3', 'Age: x', 'Expires: 0', 'Connection: close', 'Connection: x-a', 'Keep-Alive: timeout=1', 'X-A: \xff\t', 'Content-Range: bytes 0-1/2', 'Content-Encoding: gzip', 'Trailer: X', 'Warning: 1', 'X-Cache: Hit', 'Date: x', 'CDN-Cache-Control: max-age=9', 'Accept-Ranges: none', 'Content-MD5: x'] // biome-ignore format: a list
const BAD_HEADS = ['', 'HTTP/1.1\r\n\r\n', 'HTTP/1.1 200 OK', 'HTTP/1.1 2x0 OK\r\n\r\n', 'HTTP/1.1 099 X\r\n\r\n', 'HTTP/9.9 200 OK\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n', '\r\n\r\n\r\n', 'HTTP/1.1 200 OK\nX: y\n\n', 'HTTP/1.1 200 OK\r\nX : y\r\n\r\n', 'HTTP/1.1 200 OK\r\n X: y\r\n\r\n', 'HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n', 'HTTP/1.1 100 Continue\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n', 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', '\x16\x03\x01\x02'] // biome-ignore format: a list
const STATUSES = [200, 201, 203, 204, 205, 206, 300, 301, 302, 304, 400, 401, 403, 404, 405, 410, 412, 413, 416, 429, 431, 500, 501, 502, 503, 504, 599, 999] // biome-ignore format: a list

/** What is written, and how it ends. */
interface Reply {
  readonly bytes: string
  readonly end: 'open' | 'end' | 'reset'
}

export async function startOddOrigin(seed: number): Promise<WireOrigin> {
  /** How often a key was asked for: its answers change. */
  const times = new Map<number, number>()
  return startWireOrigin((socket, request) => {
    const key = Number(/k(\d+)/.exec(request.target)?.[1] ?? 0)
    const nth = times.get(key) ?? 0
    times.set(key, nth + 1)
    const random = randomOf(seedOf(seed, key, nth))
    write(socket, random, replyTo(request, key, random))
  })
}

function replyTo(request: WireRequest, key: number, random: Random): Reply {
  const conditional = request.headers.some((name, at) => at % 2 === 0 && /^if-none-match$/i.test(name))
  if (conditional && random.chance(0.5)) return { bytes: 'HTTP/1.1 304 Not Modified\r\nETag: "e"\r\n\r\n', end: 'open' }
  const body = tokenOf(key).repeat(random.pick(SIZES))
  const roll = random.whole(100)
  if (roll < 50) return whole(request, body, random, 200)
  if (roll < 62) return whole(request, body, random, random.pick(STATUSES))
  if (roll < 70) return chunked(request, body, random, false)
  if (roll < 73) return { bytes: `${head(200, random)}${seenKey(request)}\r\n${request.method === 'HEAD' ? '' : body}`, end: 'end' }
  if (roll < 77) return { bytes: `${head(200, random)}${seenKey(request)}Content-Length: ${body.length + 1}\r\n\r\n${body}`, end: random.pick(['end', 'reset']) }
  if (roll < 80) return chunked(request, body, random, true)
  if (roll < 84) return { bytes: random.pick(BAD_HEADS), end: random.pick(['end', 'reset', 'open', 'end']) }
  if (roll < 88) {
    const poison = tokenOf(POISON_KEY)
    const more = random.pick([`HTTP/1.1 200 OK\r\nContent-Length: ${poison.length}\r\n\r\n${poison}`, poison, 'HTTP/1.1 2', '\r\n'])
    return { bytes: whole(request, body, random, 200).bytes + more, end: 'open' }
  }
  if (roll < 91) return flood(request, body, random)
  if (roll < 94) {
    const hints = 'HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n'.repeat(random.pick([1, 2, 100]))
    return { bytes: hints + whole(request, body, random, 200).bytes, end: 'open' }
  }
  if (roll < 97) return { bytes: '', end: random.pick(['end', 'reset']) }
  if (roll < 98) return { bytes: '', end: 'open' }
  // An answer that is cut anywhere.
  const { bytes } = whole(request, body, random, 200)
  return { bytes: bytes.slice(0, random.whole(bytes.length)), end: random.pick(['end', 'reset']) }
} // biome-ignore format: one line a kind

/** What an answer in the area `s` depends on, as the policy there has it; viewers compute it too. */
export function keyedParts(query: string, xa: readonly string[], cookie: string): string {
  return encodeURIComponent([query, xa.length === 0 ? 'none' : xa.join(', '), cookie].join('|'))
}

function seenKey({ target, headers }: WireRequest): string {
  if (!target.startsWith('/s/')) return ''
  const values = (name: string) => headers.filter((_, at) => at % 2 === 1 && headers[at - 1]?.toLowerCase() === name)
  return `X-Key: ${keyedParts(target.split(/\?(.*)/s)[1] ?? '', values('x-a'), values('cookie').join('; '))}\r\n`
}

function head(status: number, random: Random): string {
  let text = `HTTP/1.1 ${status} ${random.pick(['OK', '', 'Two Words', '\xe9'])}\r\n`
  const control = random.pick(CONTROLS)
  if (control !== '') text += `Cache-Control: ${control}\r\n`
  const type = random.pick(TYPES)
  if (type !== '') text += `Content-Type: ${type}\r\n`
  if (random.chance(0.5)) text += 'ETag: "e"\r\n'
  if (random.chance(0.3)) text += 'Last-Modified: Sat, 21 Nov 2020 00:00:00 GMT\r\n'
  while (random.chance(0.3)) text += `${random.pick(ODD_FIELDS)}\r\n`
  return text
}

function whole(request: WireRequest, body: string, random: Random, status: number): Reply {
  const sent = request.method === 'HEAD' || status === 204 || status === 304 ? '' : body
  const length = status === 204 || status === 304 ? '' : `Content-Length: ${body.length}\r\n`
  return { bytes: `${head(status, random)}${seenKey(request)}${length}\r\n${sent}`, end: 'open' }
}

function chunked(request: WireRequest, body: string, random: Random, cut: boolean): Reply {
  let bytes = `${head(200, random)}${seenKey(request)}Transfer-Encoding: chunked\r\n\r\n`
  if (request.method === 'HEAD') return { bytes, end: 'open' }
  for (let at = 0; at < body.length; ) {
    const size = 1 + random.whole(random.pick([4, 100, 5_000]))
    const data = body.slice(at, at + size)
    bytes += `${data.length.toString(16)}${random.pick(['', '', ';a=b'])}\r\n${data}\r\n`
    at += size
  }
  if (cut) return { bytes: bytes + random.pick(['', '5\r\nab', 'zz\r\n', '0\r\n']), end: random.pick(['end', 'reset']) }
  return { bytes: `${bytes}0\r\n${random.pick(['', '', 'X-T: u\r\n'])}\r\n`, end: 'open' }
}

function flood(request: WireRequest, body: string, random: Random): Reply {
  const fields = random.chance(0.5)
    ? `X-Flood: ${'f'.repeat(random.pick([8_000, 31_000, 40_000]))}\r\n`
    : 'X-F: 1\r\n'.repeat(random.pick([100, 1_000, 5_000]))
  const sent = request.method === 'HEAD' ? '' : body
  return { bytes: `HTTP/1.1 200 OK\r\n${fields}Content-Length: ${body.length}\r\n\r\n${sent}`, end: 'open' }
}

/** At once, or in pieces with a turn of the loop between them. */
async function write(socket: Socket, random: Random, { bytes, end }: Reply): Promise<void> {
  const pieces = random.chance(0.4) ? 1 + random.whole(12) : 1
  let at = 0
  for (let left = pieces; left > 0 && !socket.destroyed; left--) {
    const to = left === 1 ? bytes.length : at + random.whole(bytes.length - at + 1)
    if (to > at) socket.write(bytes.slice(at, to), 'latin1')
    at = to
    if (left > 1) await new Promise(setImmediate)
  }
  if (end === 'end') socket.end()
  else if (end === 'reset') socket.resetAndDestroy()
}
