//! What test servers of HTTP/2, ours and Node's, answer: the path says it.

/** One answer, decided by the request's head and body. */
export interface TestAnswer {
  readonly status: number
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer
  /** Sent in pieces of this size; whole when null. */
  readonly pieces: number | null
  readonly trailers: readonly string[]
  /** An interim head comes first. */
  readonly hints: boolean
}

export interface TestRequest {
  readonly method: string
  /** With its query. */
  readonly target: string
  /** Name, value, name, value ... without pseudo-header fields. */
  readonly fields: readonly string[]
  readonly body: string
}

const ANSWER: TestAnswer = {
  status: 200,
  fields: [],
  body: Buffer.from('ok'),
  pieces: null,
  trailers: [],
  hints: false,
}

const bodies = new Map<number, Buffer>()
/** The bytes of a body of this size: each says where it stands. */
export function patterned(bytes: number): Buffer {
  const known = bodies.get(bytes)
  if (known !== undefined) return known
  const body = Buffer.alloc(bytes)
  for (let at = 0; at < bytes; at++) body[at] = (at * 7 + (at >> 8)) & 0xff
  bodies.set(bytes, body)
  return body
}

/** Fuzzed paths have anything in the place of a number. */
const sizeOf = (text = ''): number => (/^\d{1,8}$/.test(text) ? Math.min(Number(text), 30_000_000) : 0)
const statusOf = (text = ''): number => (/^[2-5]\d\d$/.test(text) ? Number(text) : 200)

/** True where the answer does not wait for the body of the request. */
export const early = (target: string): boolean => target.startsWith('/early') || target.startsWith('/hold')
/** True where no answer comes. */
export const held = (target: string): boolean => target.startsWith('/hold')

/**
 * /              `ok`
 * /early         `ok`, without a look at the body
 * /hold          nothing, until the viewer goes away
 * /echo          the body
 * /seen          what was understood of the request, as JSON
 * /heard         the same without Host, which Node keeps apart
 * /size/N        N bytes; /stream/N the same in pieces of 10,000 without a length
 * /status/N      that status, without a body
 * /trailers      `ok` and two trailer fields
 * /hints         an interim 103 in front
 */
export function answerOf(request: TestRequest): TestAnswer {
  const [, kind, number] = request.target.split('?')[0]!.split('/')
  switch (kind) {
    case 'echo':
      return { ...ANSWER, body: Buffer.from(request.body, 'latin1') }
    case 'seen':
      return { ...ANSWER, body: Buffer.from(JSON.stringify(request)) }
    case 'heard': {
      const fields = request.fields.filter((_, at) => request.fields[at - (at % 2)] !== 'host')
      return { ...ANSWER, body: Buffer.from(JSON.stringify({ ...request, fields })) }
    }
    case 'size':
      return { ...ANSWER, body: patterned(sizeOf(number)) }
    case 'stream':
      return { ...ANSWER, body: patterned(sizeOf(number)), pieces: 10_000 }
    case 'status':
      return { ...ANSWER, status: statusOf(number), body: Buffer.alloc(0) }
    case 'trailers':
      return { ...ANSWER, pieces: 10_000, trailers: ['x-checksum', '1', 'x-second', '2'] }
    case 'hints':
      return { ...ANSWER, hints: true }
    default:
      return ANSWER
  }
}
