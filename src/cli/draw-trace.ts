//! A trace as text: what was asked, the way through the stages with what each learnt, what the origin was asked, the answer.
import type { Fact, Trace, TracedHeaders, TracedOriginRequest } from '../observe/trace.ts'

export function drawTrace(trace: Trace): string {
  const { request, answer, outcome } = trace
  const facts: readonly (readonly [string, string | null])[] = [
    ['distribution', trace.distribution ?? 'none matches'],
    ['behavior', trace.behavior],
    ['cache key', trace.cacheKey === null ? null : trace.cacheKey.replaceAll('\n', '\n                ')],
    ['lives', lifetime(trace)],
    ['outcome', outcome === null ? null : `${outcome.result} (${outcome.reason})`],
  ]
  return [
    `${request.method} ${request.url}`,
    '',
    ...facts.map(([name, value]) => `  ${name.padEnd(12)}  ${value ?? '-'}`),
    '',
    'way',
    ...drawSteps(trace),
    ...trace.originRequests.flatMap(drawOriginRequest),
    '',
    ...(answer === null
      ? ['no answer: the viewer was gone']
      : [`answer ${answer.status}, ${answer.bytes} bytes`, ...drawHeaders(answer.headers)]),
    '',
    `trace ${trace.id}, ${trace.at}`,
  ].join('\n')
}

/** Of an answer that was not kept: why; what its lifetime would have been is of no use to anybody. */
function lifetime({ ttl, steps }: Trace): string | null {
  const notStored = steps.at(-1)?.facts.notStored
  if (notStored !== undefined) return `not kept: ${notStored}`
  return ttl === null ? null : `${ttl.seconds} s, set by ${ttl.setBy}`
}

function drawSteps({ steps }: Trace): string[] {
  const nameOf = ({ name, place }: Trace['steps'][number]): string => (place === undefined ? name : `${place}: ${name}`)
  const width = Math.max(0, ...steps.map((step) => nameOf(step).length))
  return steps.flatMap((step) => {
    const facts = Object.entries(step.facts).map(([name, fact]) => `${name} ${showFact(fact)}`)
    return [
      `  ${step.atMs.toFixed(2).padStart(9)} ms  ${nameOf(step).padEnd(width)}  ${facts.join(', ')}`.trimEnd(),
      ...step.decisions.map(({ field, value }) => `${' '.repeat(16)}by ${field}: ${showFact(value)}`),
    ]
  })
}

const showFact = (fact: Fact): string =>
  fact === null ? '-' : fact === true ? 'yes' : fact === false ? 'no' : String(fact)

function drawOriginRequest(asked: TracedOriginRequest): string[] {
  const answer = asked.status === null ? `failed: ${asked.error ?? 'no answer'}` : `answered ${asked.status}`
  // Which connection it was is not always known, but whoever answered was connected to.
  const where = asked.address ?? (asked.status === null ? 'not connected' : null)
  return [
    '',
    `origin ${asked.origin}${asked.place === undefined ? '' : `, asked by ${asked.place}`}${where === null ? '' : ` (${where})`} ${answer} after ${asked.tookMs.toFixed(2)} ms`,
    `  ${asked.method} ${asked.target}`,
    ...drawHeaders(asked.headers),
    ...(asked.status === null ? [] : ['  it answered', ...drawHeaders(asked.responseHeaders)]),
  ]
}

function drawHeaders(raw: TracedHeaders): string[] {
  const lines: string[] = []
  for (let at = 0; at + 1 < raw.length; at += 2) lines.push(`    ${raw[at]}: ${raw[at + 1]}`)
  return lines
}
