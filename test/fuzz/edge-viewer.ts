//! The viewers of the end-to-end fuzz: what one of them sends on its connection, and the rules for what comes back. Every
//! answer must be framed, in order, and made of the key that was asked for.
import { connect } from 'node:net'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { HOST } from '../support/edge-scenario.ts'
import type { Random } from '../support/random.ts'
import { keyedParts, tokenOf } from './edge-origin.ts'
import { makeInput } from './http1.ts'

export const STRICT_HOST = 'd222222abcdef8.cloudfront.localhost'
/** Areas of the fuzzed distributions: one behavior each. */
export const AREAS = ['c', 'n', 's', 'z'] as const
/** Keys that are asked for: few, so that requests meet. */
const KEYS = 40
/** A connection that has not come to its end by then hangs. Milliseconds. */
const END_MS = 15_000

export interface FuzzRequest {
  readonly method: string
  readonly key: number
  readonly text: string
  /** What the answer's X-Key must say; null where the answer may depend on other things. */
  readonly parts: string | null
}

/** What one viewer does. */
export interface Script {
  readonly requests: readonly FuzzRequest[]
  /** Not HTTP, or hardly, behind the requests; null for none. */
  readonly hostile: string | null
  /** Bytes at which what is sent is cut into writes. */
  readonly cuts: readonly number[]
  /** The viewer goes away after so many bytes; null for one that stays. */
  readonly leavesAt: number | null
  readonly worker: number
}

const RANGES = ['bytes=0-0', 'bytes=1-', 'bytes=-7', 'bytes=0-3,9-12', 'bytes=5-2', 'bytes=99999999-', 'bytes=0-0,0-0', 'bytes=', 'x=1', `bytes=${'0-1,'.repeat(100)}`] // biome-ignore format: a list
const FIELDS: readonly ((random: Random) => string)[] = [
  (random) => `Range: ${random.pick(RANGES)}`,
  (random) => `If-None-Match: ${random.pick(['"e"', 'W/"e"', '*', '"x"', '"', 'e'])}`,
  (random) => `If-Match: ${random.pick(['"e"', '*', '"x"'])}`,
  (random) => `If-Range: ${random.pick(['"e"', 'x', 'Sat, 21 Nov 2020 00:00:00 GMT'])}`,
  (random) => `If-Modified-Since: ${random.pick(['Sat, 21 Nov 2020 00:00:00 GMT', 'x'])}`,
  (random) => `Accept-Encoding: ${random.pick(['gzip', 'br', 'gzip, br', 'identity', '*', 'gzip;q=0', ''])}`,
  (random) => `Cookie: ${random.pick(['a=1', 'b=2; a=1', '=', 'a', `a=${'x'.repeat(3_000)}`])}`,
  (random) => `Cache-Control: ${random.pick(['no-cache', 'no-store', 'max-age=0', 'only-if-cached', 'max-stale=x'])}`,
  (random) => `X-A: ${random.pick(['1', '2', '\xff', 'a: b', ''])}`,
  (random) => `X-Forwarded-For: ${random.pick(['1.1.1.1', 'x', 'y'.repeat(5_000)])}`,
  (random) => `Connection: ${random.pick(['keep-alive', 'x-a', 'upgrade'])}`,
  (random) => `CDN-Loop: ${random.pick(['CloudFront', 'x', 'CloudFront, CloudFront'])}`,
  (random) => `X-${'N'.repeat(random.whole(40))}: ${'v'.repeat(random.whole(200))}`,
  () => 'Upgrade: h2c',
  () => 'TE: trailers',
  () => 'X_A: 1',
  () => 'X-Cachefront-Explain: 1',
]

export function makeScript(random: Random, workers: number): Script {
  const requests = Array.from({ length: 1 + random.whole(5) }, () => makeRequest(random))
  const hostile = random.chance(0.15) ? makeInput(random) : null
  const bytes = requests.reduce((sum, { text }) => sum + text.length, 0) + (hostile?.length ?? 0)
  // At every byte of a short one, now and then; else at a few places.
  const cuts = random.chance(0.04) && bytes < 2_000 ? Array.from({ length: bytes }, (_, at) => at)
    : Array.from({ length: random.pick([0, 0, 0, 1, 3, 10]) }, () => random.whole(bytes)).sort((a, b) => a - b)
  const leavesAt = random.chance(0.07) ? random.whole(bytes + 1) : null
  return { requests, hostile, cuts, leavesAt, worker: random.whole(workers) }
} // biome-ignore format: the two ways to cut

function makeRequest(random: Random): FuzzRequest {
  const key = random.whole(KEYS)
  const method = random.pick(['GET', 'GET', 'GET', 'GET', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE'])
  const query = random.pick(['', '', '?', `?q=${random.whole(3)}`, '?x;y&q=1', '?%00&&=', '?a?b'])
  const target = `/${random.pick(AREAS)}/k${key}${query}`
  const host = random.pick([HOST, HOST, HOST.toUpperCase(), `${HOST}:81`, STRICT_HOST])
  let text = `${method} ${random.chance(0.05) ? `http://${host}` : ''}${target} HTTP/1.1\r\nHost: ${host}\r\n`
  while (random.chance(0.5)) text += `${random.pick(FIELDS)(random)}\r\n`
  // Strict mode keys x-a by what it means.
  const parts = target.startsWith('/s/') && host !== STRICT_HOST ? partsOf(query, text) : null
  const body = method === 'GET' || method === 'HEAD' ? '' : tokenOf(key).repeat(random.pick([0, 0, 1, 5, 3_000]))
  const expects = body !== '' && random.chance(0.2) ? 'Expect: 100-continue\r\n' : ''
  if (body !== '' && random.chance(0.4)) {
    let chunks = ''
    for (let at = 0; at < body.length; ) {
      const data = body.slice(at, at + 1 + random.whole(random.pick([3, 4_000])))
      chunks += `${data.length.toString(16)}${random.pick(['', ';x=y'])}\r\n${data}\r\n`
      at += data.length
    }
    const trailers = random.pick(['', '', 'X-T: u\r\n', `Content-Length: 3\r\nX_T: ${tokenOf(key)}\r\n`])
    const announced = trailers === '' ? '' : 'Trailer: X-T, X_T, Content-Length\r\n'
    const framing = `${announced}${expects}Transfer-Encoding: chunked\r\n\r\n`
    return { method, key, parts, text: `${text}${framing}${chunks}0\r\n${trailers}\r\n` }
  }
  const length = body !== '' || random.chance(0.1) ? `Content-Length: ${body.length}\r\n` : ''
  return { method, key, parts, text: `${text}${expects}${length}\r\n${body}` }
}

function partsOf(query: string, text: string): string {
  const lines = (name: RegExp) => [...text.matchAll(name)].map(([, value = '']) => value)
  const cookies = lines(/^Cookie: (.*)\r$/gm)
    .flatMap((line) => line.split('; '))
    .filter((pair) => pair.startsWith('a='))
  return keyedParts(query.slice(1), lines(/^X-A: (.*)\r$/gm), cookies.join('; '))
}

/** Runs a script; null when all is as it must be, else what is not. */
export async function runScript(script: Script, port: number): Promise<string | null> {
  const input = script.requests.map(({ text }) => text).join('') + (script.hostile ?? '')
  const wanted = script.hostile === null ? script.requests.length : Number.POSITIVE_INFINITY
  const { got, hung } = await exchange(port, input, script, wanted)
  const { answers, rest } = readAnswers(got, script.requests.map(({ method }) => method))
  if (hung) return `no end of ${answers.length} answers to ${script.requests.length} requests: ${summary(answers)} ${JSON.stringify(rest.slice(0, 300))}`
  if (rest !== '' && script.hostile === null) return `what is no answer: ${JSON.stringify(rest.slice(0, 300))}`
  for (const [at, answer] of answers.entries()) {
    const wrong = judge(answer, script.requests[at] ?? null, input)
    if (wrong !== null) return `answer ${at}: ${wrong}: ${JSON.stringify(answer.head)} ${JSON.stringify(answer.body.slice(0, 200))}`
  }
  const last = answers.at(-1)
  const mayEndEarly = script.leavesAt !== null || (last !== undefined && (!last.complete || /\r\nconnection: close/i.test(last.head)))
  if (answers.length < script.requests.length && !mayEndEarly) return `${answers.length} answers to ${script.requests.length} requests: ${summary(answers)}`
  return null
} // biome-ignore format: one line a rule

const summary = (answers: readonly Answer[]): string =>
  answers
    .map(
      ({ head, body, complete }) =>
        `${JSON.stringify(head)} ${body.length} bytes, ${complete ? 'complete' : 'incomplete'}`,
    )
    .join('; ')

interface Answer {
  readonly head: string
  readonly status: number
  readonly body: string
  readonly complete: boolean
}

function judge(answer: Answer, request: FuzzRequest | null, input: string): string | null {
  const { status, head, body, complete } = answer
  const page = body.includes('Generated by cloudfront')
  if (status === 500 && page) return 'an error of our own'
  if (/\0/.test(head) || !/^HTTP\/1\.1 \d{3} /.test(head)) return 'a bad head'
  const told = /\r\nX-Key: ([^\r]*)/.exec(head)?.[1]
  if (request !== null && request.parts !== null && told !== undefined && told !== request.parts) {
    return `made for ${decodeURIComponent(told)}, asked was ${decodeURIComponent(request.parts)}`
  }
  const text = complete ? decoded(head, body) : body
  if (text === null) return 'a body that does not decode'
  for (const [, key] of text.matchAll(/<k(\d+)>/g)) {
    if (request !== null && Number(key) !== request.key) return `made of key ${key}, asked was ${request.key}`
    // Behind hostile bytes nobody knows which request it answers; it must be one that this viewer sent.
    if (request === null && !input.includes(`k${key}`)) return `made of key ${key}, which this viewer never named`
  }
  if (request?.method === 'HEAD' && body !== '') return 'a body to HEAD'
  const own = status === 200 && complete && request !== null && body !== ''
  if (own && !text.startsWith(tokenOf(request.key))) return 'made of something else'
  return null
}

function decoded(head: string, body: string): string | null {
  const coding = /\r\ncontent-encoding: (gzip|br)\r\n/i.exec(`${head}\r\n`)?.[1]?.toLowerCase()
  // An origin's own lie about its coding passes as it is; what the edge compressed does not begin with a token.
  if (coding === undefined || body === '' || body.startsWith('<k') || !/ 200 /.test(head.slice(0, 14))) return body
  try {
    const bytes = Buffer.from(body, 'latin1')
    return (coding === 'gzip' ? gunzipSync(bytes) : brotliDecompressSync(bytes)).toString('latin1')
  } catch {
    return null
  }
}

/** Reads answers off what came; the last one may be incomplete. `rest` is what is left over. */
export function readAnswers(got: string, methods: readonly string[]): { answers: Answer[]; rest: string } {
  const answers: Answer[] = []
  let rest = got
  while (rest !== '') {
    const end = rest.indexOf('\r\n\r\n')
    if (end < 0) return { answers, rest: rest.startsWith('HTTP/1.1 ') ? '' : rest }
    const head = rest.slice(0, end)
    const status = Number(/^HTTP\/1\.1 (\d{3}) /.exec(head)?.[1] ?? 0)
    rest = rest.slice(end + 4)
    if (status >= 100 && status < 200) continue
    const method = methods[answers.length] ?? 'GET'
    if (method === 'HEAD' || status === 204 || status === 304) {
      answers.push({ head, status, body: '', complete: true })
    } else if (/\r\ntransfer-encoding: chunked(\r\n|$)/i.test(head)) {
      const read = readChunks(rest)
      answers.push({ head, status, body: read.body, complete: read.complete })
      rest = rest.slice(read.used)
    } else {
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? Number.POSITIVE_INFINITY)
      const body = rest.slice(0, length)
      answers.push({ head, status, body, complete: body.length === length })
      rest = rest.slice(body.length)
    }
  }
  return { answers, rest }
}

function readChunks(text: string): { body: string; complete: boolean; used: number } {
  let body = ''
  let at = 0
  for (;;) {
    const end = text.indexOf('\r\n', at)
    if (end < 0) return { body, complete: false, used: text.length }
    const size = Number.parseInt(text.slice(at, end), 16)
    if (size === 0) {
      const last = text.indexOf('\r\n\r\n', end - 0)
      return last < 0 ? { body, complete: false, used: text.length } : { body, complete: true, used: last + 4 }
    }
    const data = text.slice(end + 2, end + 2 + size)
    body += data
    if (data.length < size) return { body, complete: false, used: text.length }
    at = end + 2 + size + 2
  }
}

/** Sends, in pieces, and collects what comes until all answers are here or the edge ends the connection. */
function exchange(port: number, input: string, { cuts, leavesAt, hostile, requests }: Script, wanted: number) {
  return new Promise<{ got: string; hung: boolean }>((resolve) => {
    const socket = connect(port, '127.0.0.1')
    let got = ''
    let sent = false
    let answered = false
    const timer = setTimeout(() => over(true), END_MS)
    const over = (hung: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve({ got, hung })
    }
    // Nothing more is to come: whatever the hostile bytes left open ends with it. Not before the requests are answered, for
    // a viewer that has ended its side is not waited for by the edge as long as another.
    const endWhenAnswered = (): void => {
      if (sent && answered && hostile !== null) socket.end()
    }
    socket.on('data', (bytes) => {
      got += bytes.toString('latin1')
      if (answered) return
      const { answers } = readAnswers(
        got,
        requests.map(({ method }) => method),
      )
      answered = answers[requests.length - 1]?.complete === true
      if (answers.length === wanted && answered) over(false)
      else endWhenAnswered()
    })
    socket.on('error', () => {})
    socket.on('close', () => over(false))
    socket.on('connect', async () => {
      const until = leavesAt ?? input.length
      let from = 0
      for (const cut of [...cuts.filter((at) => at < until), until]) {
        if (socket.destroyed) return
        if (cut > from) socket.write(input.slice(from, cut), 'latin1')
        from = Math.max(from, cut)
        await new Promise(setImmediate)
      }
      if (leavesAt !== null) socket.destroy()
      sent = true
      endWhenAnswered()
    })
  })
}
