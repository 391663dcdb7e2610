//! `npm run fuzz`: hostile input for as long as wanted, against the request parser and the HTTP/2 listener (compared with
//! Node's own), against running workers with an odd origin, against the check of signed requests, and against web ACLs (compared with
//! their documents), in turns.
//! Usage: npm run fuzz -- [--seconds N | --forever | --cases N] [--seed S] [--only parser|http2|edge|signed|waf] [--workers N]
//! Exit code 0 when nothing was found, 1 with a finding (its seed and its smallest input are printed), 2 for a wrong call.
import { parseArgs } from 'node:util'
import { fuzzEdge } from './edge.ts'
import { fuzzHttp1 } from './http1.ts'
import { fuzzHttp2 } from './http2.ts'
import { fuzzBodies } from './http2-bodies.ts'
import { fuzzSigned } from './signed.ts'
import { fuzzWaf } from './waf.ts'

const USAGE = `npm run fuzz -- [options]
  --seconds N      for so long (60 when nothing is said)
  --forever        until it finds something or is stopped with ^C
  --cases N        so many cases of each kind, from the seed on; with the seed of a finding and 1 it runs that case alone
  --seed S         where to begin; another one each time without it
  --only KIND      parser, http2, edge, signed or waf
  --workers N      workers of the POP for the edge cases (1)
`

/** Cases of a turn. */
const TURN = { parser: 5_000, http2: 200, edge: 50, signed: 5_000, waf: 500 } as const
type Kind = keyof typeof TURN
const KINDS = Object.keys(TURN) as Kind[]
const isKind = (name: string): name is Kind => Object.hasOwn(TURN, name)

interface Wishes {
  readonly seed: number
  readonly cases: number
  readonly until: number
  readonly kinds: readonly Kind[]
  readonly workers: number
}

function wishes(): Wishes | string {
  const { values } = parseArgs({
    options: {
      seconds: { type: 'string' },
      forever: { type: 'boolean', default: false },
      cases: { type: 'string' },
      seed: { type: 'string' },
      only: { type: 'string' },
      workers: { type: 'string', default: '1' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return ''
  const number = (text: string | undefined, otherwise: number) => (text === undefined ? otherwise : Number(text))
  const [seconds, cases] = [number(values.seconds, 60), number(values.cases, Number.POSITIVE_INFINITY)]
  const [seed, workers] = [
    number(values.seed, Math.floor(performance.timeOrigin % 1_000_000_000)),
    Number(values.workers),
  ]
  for (const [name, value] of Object.entries({ seconds, cases, seed, workers })) {
    if (Number.isNaN(value) || value < (name === 'seed' ? 0 : 1)) return `--${name} is a number, at least 1`
  }
  const { only } = values
  if (only !== undefined && !isKind(only)) return '--only is parser, http2, edge, signed or waf'
  const endless = values.forever || cases !== Number.POSITIVE_INFINITY
  const until = endless ? Number.POSITIVE_INFINITY : performance.now() + seconds * 1_000
  return { seed, cases, until, kinds: only === undefined ? KINDS : [only], workers }
}

const say = (text: string): void => void process.stdout.write(`${text}\n`)
let stopped = false
process.once('SIGINT', () => {
  stopped = true
})

/** One turn of a kind; true when it found something. */
async function turn(kind: Kind, seed: number, cases: number, { workers, until }: Wishes): Promise<boolean> {
  if (kind === 'parser') {
    const { differences, understood, refused } = await fuzzHttp1(seed, cases)
    say(`parser  seed ${seed}: ${cases} inputs, ${understood} requests understood alike, ${refused} inputs refused`)
    for (const difference of differences) {
      say(JSON.stringify(difference, null, 1))
      say(`again: npm run fuzz -- --only parser --seed ${difference.seed} --cases 1`)
    }
    return differences.length > 0
  }
  if (kind === 'http2') {
    const { differences, served, refused, known } = await fuzzHttp2(seed, cases)
    const bodies = await fuzzBodies(seed, Math.ceil(cases / 5))
    say(
      `http2   seed ${seed}: ${cases} connections, ${served} requests served alike, ${refused} ended by both; ${JSON.stringify(known)}`,
    )
    for (const finding of [...differences, ...bodies]) {
      say(JSON.stringify(finding, null, 1))
      say(`again: npm run fuzz -- --only http2 --seed ${finding.seed} --cases 1`)
    }
    return differences.length + bodies.length > 0
  }
  if (kind === 'signed') {
    const { findings, letIn, refused } = fuzzSigned(seed, cases)
    say(`signed  seed ${seed}: ${cases} requests, ${letIn} let in, ${refused} refused`)
    for (const finding of findings) {
      say(JSON.stringify(finding, null, 1))
      say(`again: npm run fuzz -- --only signed --seed ${finding.seed} --cases 1`)
    }
    return findings.length > 0
  }
  if (kind === 'waf') {
    const { finding, ended } = fuzzWaf(seed, cases)
    say(`waf     seed ${seed}: ${cases} web ACLs; ${JSON.stringify(ended)}`)
    if (finding === null) return false
    say(finding.what)
    say(`again: npm run fuzz -- --only waf --seed ${seed} --cases ${cases}`)
    return true
  }
  const stop = () => stopped || performance.now() > until
  const { failure, cases: done, viewers, originRequests } = await fuzzEdge({ seed, cases, workers, stop })
  say(`edge    seed ${seed}: ${done} cases, ${viewers} viewers, ${originRequests} requests to the origin`)
  if (failure === null) return false
  say(JSON.stringify(failure, null, 1))
  const again = failure.alone ? `--seed ${failure.seed} --cases 1` : `--seed ${seed} --cases ${done}`
  say(`again: npm run fuzz -- --only edge --workers ${workers} ${again}`)
  return true
}

async function run(wanted: Wishes): Promise<boolean> {
  const done: Record<Kind, number> = { parser: 0, http2: 0, edge: 0, signed: 0, waf: 0 }
  while (!stopped && performance.now() < wanted.until) {
    const left = wanted.kinds.filter((kind) => done[kind] < wanted.cases)
    if (left.length === 0) break
    for (const kind of left) {
      const cases = Math.min(TURN[kind], wanted.cases - done[kind])
      if (await turn(kind, wanted.seed + done[kind], cases, wanted)) return true
      done[kind] += cases
    }
  }
  return false
}

let asked: Wishes | string
try {
  asked = wishes()
} catch (error) {
  asked = (error as Error).message
}
if (typeof asked === 'string') {
  process.stdout.write(asked === '' ? USAGE : `${asked}\n${USAGE}`)
  process.exitCode = asked === '' ? 0 : 2
} else {
  const found = await run(asked)
  say(found ? 'found something' : `found nothing, seed ${asked.seed}`)
  process.exitCode = found ? 1 : 0
}
