//! The trace of one explained request: what each step learnt, in the order it happened, with secrets masked.
//! `cachefront explain` and the console draw it. The last 1,000 are kept in memory.

/** Traces that a worker keeps; older ones are forgotten. */
export const TRACES_MAX = 1_000

/** A fact is a short text, a number or a yes or no; lists are joined by the one who notes them. */
export type Fact = string | number | boolean | null

/** A field of the configuration that decided something, in AWS's names: `CacheBehaviors.Items[2].PathPattern`. */
export interface Decision {
  readonly field: string
  readonly value: Fact
}

export interface TraceStep {
  readonly name: string
  /** Where it was, when another cache than that of the POP, or another worker, was asked. */
  readonly place?: string
  /** Milliseconds after the head of the request was read. */
  readonly atMs: number
  readonly facts: Readonly<Record<string, Fact>>
  /** What of the configuration decided this step; empty when nothing of it did. */
  readonly decisions: readonly Decision[]
}

/** Name, value, name, value ...; secrets masked. */
export type TracedHeaders = readonly string[]

export interface TracedOriginRequest {
  readonly origin: string
  /** As of TraceStep. */
  readonly place?: string
  /** `address:port` that was connected to; null when there was no connection. */
  readonly address: string | null
  readonly method: string
  readonly target: string
  readonly headers: TracedHeaders
  /** Null when no answer came; `error` says why. */
  readonly status: number | null
  readonly responseHeaders: TracedHeaders
  readonly error: string | null
  readonly tookMs: number
}

export interface Trace {
  readonly id: string
  /** ISO 8601, of the edge's (movable) clock. */
  readonly at: string
  readonly steps: readonly TraceStep[]
  readonly request: { readonly method: string; readonly url: string; readonly headers: TracedHeaders }
  readonly distribution: string | null
  /** Path pattern of the behavior. */
  readonly behavior: string | null
  readonly cacheKey: string | null
  /** Seconds, and the word of http/freshness.ts that says what set it. */
  readonly ttl: { readonly seconds: number; readonly setBy: string } | null
  /** Why it was a hit, a miss or neither. */
  readonly outcome: { readonly result: string; readonly reason: string } | null
  readonly originRequests: readonly TracedOriginRequest[]
  readonly answer: { readonly status: number; readonly headers: TracedHeaders; readonly bytes: number } | null
}

/** What of a trace was seen where another worker, or the next tier, looked for the answer. Masked already. */
export type TracePart = Pick<Trace, 'steps' | 'originRequests'>

/** Collects a trace while its request runs; the pipeline's watcher for explained requests. */
export class TraceBuilder {
  readonly id: string
  readonly #at: string
  readonly #elapsedMs: () => number
  readonly #steps: {
    name: string
    place?: string
    atMs: number
    facts: Record<string, Fact>
    decisions: Decision[]
  }[] = []
  readonly #request: Trace['request']
  readonly #originRequests: TracedOriginRequest[] = []
  #distribution: string | null = null
  #behavior: string | null = null
  #cacheKey: string | null = null
  #ttl: Trace['ttl'] = null
  #outcome: Trace['outcome'] = null
  #answer: Trace['answer'] = null
  /** The head that went to the viewer; empty when none has. */
  head = ''

  /** `nowMs` of Clock.now(); `elapsedMs` gives the milliseconds since the request's head was read. */
  constructor(
    id: string,
    nowMs: number,
    elapsedMs: () => number,
    request: { method: string; url: string; headers: readonly string[] },
  ) {
    this.id = id
    this.#at = new Date(nowMs).toISOString()
    this.#elapsedMs = elapsedMs
    this.#request = { method: request.method, url: maskUrl(request.url), headers: maskHeaders(request.headers) }
  }

  /** Begins a step; facts noted from now on belong to it. */
  step(name: string): void {
    this.#steps.push({ name, atMs: round(this.#elapsedMs()), facts: {}, decisions: [] })
  }

  /** Notes a fact of the current step. */
  note(name: string, fact: Fact): void {
    const step = this.#steps.at(-1)
    if (step !== undefined) step.facts[name] = typeof fact === 'string' ? maskUrl(fact) : fact
  }

  /** Names the field of the configuration that decided the current step, and its value. */
  decided(field: string, value: Fact): void {
    this.#steps.at(-1)?.decisions.push({ field, value: typeof value === 'string' ? maskUrl(value) : value })
  }

  /** Milliseconds since the head of the request was read. */
  elapsed(): number {
    return round(this.#elapsedMs())
  }

  /** What is known so far, for whoever asked; times are this builder's own. */
  soFar(): TracePart {
    return { steps: [...this.#steps], originRequests: [...this.#originRequests] }
  }

  /** What `place` saw behind the current step; it began counting `fromMs` after this trace did. */
  includes(place: string, { steps, originRequests }: TracePart, fromMs: number): void {
    for (const step of steps) {
      const { facts, decisions, atMs, ...rest } = step
      this.#steps.push({
        ...{ place, ...rest, atMs: Math.round((fromMs + atMs) * 1_000) / 1_000 },
        ...{ facts: { ...facts }, decisions: [...decisions] },
      })
    }
    for (const request of originRequests) this.#originRequests.push({ place, ...request })
  }

  matched(distribution: string, behavior: string | null): void {
    this.#distribution = distribution
    this.#behavior = behavior
  }

  /** The key as it is used, but with credentials in it masked. */
  keyed(cacheKey: string): void {
    this.#cacheKey = cacheKey
      .split('\n')
      .map((line) => {
        const colon = line.indexOf(': ')
        const secret = colon > 0 && SECRET_HEADERS.has(line.slice(0, colon).toLowerCase())
        return secret ? `${line.slice(0, colon + 2)}${MASK}` : maskUrl(line)
      })
      .join('\n')
  }

  /** The answer's head as it is written to the viewer. */
  sends(head: string): void {
    this.head = head
  }

  lives(seconds: number, setBy: string): void {
    this.#ttl = { seconds, setBy }
  }

  turnedOut(result: string, reason: string): void {
    this.#outcome = { result, reason }
  }

  /** `secretHeaders` are the lower-case names of the origin's custom headers: their values are the user's secrets. */
  askedOrigin(request: TracedOriginRequest, secretHeaders: ReadonlySet<string>): void {
    this.#originRequests.push({
      ...request,
      target: maskUrl(request.target),
      headers: maskHeaders(request.headers, secretHeaders),
      responseHeaders: maskHeaders(request.responseHeaders),
    })
  }

  answered(status: number, headers: readonly string[], bytes: number): void {
    this.#answer = { status, headers: maskHeaders(headers), bytes }
  }

  build(): Trace {
    return {
      id: this.id,
      at: this.#at,
      steps: this.#steps,
      request: this.#request,
      distribution: this.#distribution,
      behavior: this.#behavior,
      cacheKey: this.#cacheKey,
      ttl: this.#ttl,
      outcome: this.#outcome,
      originRequests: this.#originRequests,
      answer: this.#answer,
    }
  }
}

/** The last traces of a worker, by id. */
export class TraceRing {
  readonly #traces = new Map<string, Trace>()
  readonly #max: number

  constructor(max: number = TRACES_MAX) {
    this.#max = max
  }

  add(trace: Trace): void {
    this.#traces.delete(trace.id)
    this.#traces.set(trace.id, trace)
    if (this.#traces.size <= this.#max) return
    for (const oldest of this.#traces.keys()) {
      this.#traces.delete(oldest)
      break
    }
  }

  get(id: string): Trace | undefined {
    return this.#traces.get(id)
  }
}

const MASK = '***'
const round = (ms: number): number => Math.round(ms * 1000) / 1000

/** Headers whose values are credentials. */
const SECRET_HEADERS: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'set-cookie',
  'x-amz-security-token',
  'x-api-key',
  'x-cachefront-explain',
])

/** Query parameters that sign a URL (spec 9.3; SigV4 presigned URLs). */
const SECRET_PARAMETERS =
  /([?&](?:Signature|Policy|Key-Pair-Id|X-Amz-Signature|X-Amz-Credential|X-Amz-Security-Token)=)[^&\s]*/gi

/** The text with the values of signing parameters masked; their names stay, so that one sees they were there. */
export function maskUrl(text: string): string {
  return text.replace(SECRET_PARAMETERS, `$1${MASK}`)
}

/** Cookies keep their names: which cookie is keyed or forwarded is what a trace is asked about. */
function maskCookies(value: string): string {
  return value.replace(/([^=;\s]+)=[^;]*/g, `$1=${MASK}`)
}

/** `raw` with the values of credentials masked, and those of the names in `alsoSecret` (lower case). */
export function maskHeaders(raw: readonly string[], alsoSecret: ReadonlySet<string> = new Set()): string[] {
  const masked: string[] = []
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i]!.toLowerCase()
    const value = raw[i + 1]!
    if (name === 'cookie') masked.push(raw[i]!, maskCookies(value))
    else if (name === 'set-cookie') masked.push(raw[i]!, value.replace(/=[^;]*/, `=${MASK}`))
    else if (SECRET_HEADERS.has(name) || alsoSecret.has(name)) masked.push(raw[i]!, MASK)
    else masked.push(raw[i]!, maskUrl(value))
  }
  return masked
}
