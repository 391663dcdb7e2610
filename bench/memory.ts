//! `npm run bench:memory`: one million objects of 1 KB in the real memory tier, in a process of its own: resident bytes an
//! object (key, head, body and index), full garbage collections, and what a lookup costs among a million objects and among
//! a thousand. `npm run bench:memory -- --help` names the options.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { MemoryStore } from '../src/edge/cache/memory.ts'
import type { ObjectMeta } from '../src/edge/cache/object.ts'
import { formatHttpDate } from '../src/http/http-date.ts'
import { systemClock } from '../src/lib/clock.ts'
import { randomOf } from '../test/support/random.ts'
import { callFailed, readOptions } from './options.ts'

const BODY_BYTES = 1_024
/** Objects of the small store that the large one's lookups are compared with. */
const FEW = 1_000
/** Lookups of one measurement; alternating, so that both stores see the same disturbances. */
const LOOKUPS = 50_000
const ROUNDS = 21

const TARGET = { bytesAnObject: 1_300, collectionMs: 30, lookupRatio: 1.3 } as const

const flags = readOptions({
  command: 'npm run bench:memory --',
  about: 'Resident bytes, garbage collections and lookups of the memory tier with many objects of 1 KB.',
  example: 'npm run bench:memory -- --objects 200000',
  options: {
    objects: { value: 'N', about: 'objects', default: '1000000' },
    json: { value: null, about: 'print one JSON document', default: null },
  },
})
if (!/^[1-9][0-9]{3,7}$/.test(flags.objects ?? ''))
  callFailed(`--objects takes a number from 1000, not "${flags.objects}"`)
const objects = Number(flags.objects)

const keyOf = (n: number): string => `E1BENCHMARK001 /assets/${(n * 2_654_435_761) % 4_294_967_296}/product-${n}.jpg`

/** What the edge keeps of an ordinary answer: twelve fields of the origin's, of which ETag and dates differ in each. */
function metaOf(n: number, now: number): ObjectMeta {
  const key = keyOf(n)
  const etag = `"${(n * 7_919).toString(16)}-5f3c1a2b"`
  const lastModified = formatHttpDate(1_445_412_480_000 + n * 61_000)
  return {
    status: 200,
    head: `HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\nCache-Control: public, max-age=86400\r\nETag: ${etag}\r\nLast-Modified: ${lastModified}\r\nServer: origin\r\nDate: ${formatHttpDate(now)}\r\nVary: Accept-Encoding\r\nAccess-Control-Allow-Origin: *\r\nX-Content-Type-Options: nosniff\r\nVia: 1.1 0123456789abcdef0123456789abcdef.cloudfront.net (CloudFront)\r\n`,
    distributionId: 'E1BENCHMARK001',
    uri: key.slice(key.indexOf('/')),
    contentType: 'image/jpeg',
    etag,
    lastModified,
    bornAt: now,
    freshUntil: now + 86_400_000,
    staleUntil: now + 86_400_000,
    swrUntil: now + 86_400_000,
    ttlSource: 'max-age',
    asOf: 3,
    tags: '',
    variant: '',
  }
}

const resident = (): number => 1024 * Number(/VmRSS:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1])

function collect(): number {
  const since = systemClock.monotonic()
  globalThis.gc?.()
  return systemClock.monotonic() - since
}

async function fill(store: MemoryStore, count: number): Promise<void> {
  const body = Buffer.alloc(BODY_BYTES, 'x')
  const now = systemClock.now()
  for (let n = 0; n < count; n++) {
    store.put(keyOf(n), metaOf(n, now + n), [body])
    if (n % 10_000 === 0) await new Promise((resolve) => setImmediate(resolve))
  }
}

/** CPU nanoseconds of one of `keys.length` lookups; keys are new text each time, as a request's is. */
function lookups(store: MemoryStore, of: number, random: () => number): number {
  const keys = Array.from({ length: LOOKUPS }, () =>
    Buffer.from(keyOf(Math.floor(random() * of)), 'latin1').toString('latin1'),
  )
  const before = process.cpuUsage()
  let found = 0
  for (const key of keys) found += (store.get(key)?.body[0] ?? 0) === 120 ? 1 : 0
  const { user, system } = process.cpuUsage(before)
  if (found !== LOOKUPS) throw new Error(`${LOOKUPS - found} lookups found nothing`)
  return ((user + system) * 1_000) / LOOKUPS
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] as number

interface Measured {
  readonly objects: number
  readonly bytesAnObject: number
  /** `withFew`: the median before the million objects were there. */
  readonly collectionMs: { readonly median: number; readonly longest: number; readonly withFew: number }
  readonly lookupNs: { readonly many: number; readonly few: number }
  readonly lookupRatio: { readonly median: number; readonly min: number; readonly max: number }
}

async function measure(): Promise<Measured> {
  const few = new MemoryStore(64 * 1024 * 1024)
  // So often that the code is compiled and the young generation was used.
  for (let again = 0; again < 200; again++) await fill(few, FEW)
  collect()
  const alone = Array.from({ length: 10 }, collect)
  const empty = resident()
  const many = new MemoryStore(2 * objects * BODY_BYTES)
  await fill(many, objects)
  if (many.count !== objects) throw new Error(`only ${many.count} of ${objects} objects are kept`)
  collect()
  const bytesAnObject = (resident() - empty) / objects
  const collections = Array.from({ length: 10 }, collect)
  const { fraction: random } = randomOf(11)
  const inMany: number[] = []
  const inFew: number[] = []
  for (let round = -4; round < ROUNDS; round++) {
    const manyNs = lookups(many, objects, random)
    const fewNs = lookups(few, FEW, random)
    if (round < 0) continue
    inMany.push(manyNs)
    inFew.push(fewNs)
  }
  collections.push(...Array.from({ length: 10 }, collect))
  const ratios = inMany.map((ns, round) => ns / (inFew[round] as number))
  return {
    objects,
    bytesAnObject,
    collectionMs: { median: median(collections), longest: Math.max(...collections), withFew: median(alone) },
    lookupNs: { many: median(inMany), few: median(inFew) },
    lookupRatio: { median: median(ratios), min: Math.min(...ratios), max: Math.max(...ratios) },
  }
}

function print(measured: Measured): void {
  const { bytesAnObject, collectionMs, lookupNs, lookupRatio } = measured
  const line = (what: string, target: string, value: string, met: boolean) =>
    console.log(`${what.padEnd(76)}${target.padStart(9)}${value.padStart(10)}  ${met ? 'met' : 'missed'}`)
  console.log(`${`${measured.objects} objects of 1 KB`.padEnd(76)}${'target'.padStart(9)}${'value'.padStart(10)}`)
  line(
    'resident bytes an object, all of it',
    `${TARGET.bytesAnObject}`,
    bytesAnObject.toFixed(0),
    bytesAnObject <= TARGET.bytesAnObject,
  )
  const { longest } = collectionMs
  line(
    'longest of 20 full collections, ms',
    `${TARGET.collectionMs}`,
    longest.toFixed(1),
    longest < TARGET.collectionMs,
  )
  line(
    `lookup of a random key, ${lookupNs.many.toFixed(0)} ns: times that among ${FEW}, ${lookupNs.few.toFixed(0)} ns`,
    `${TARGET.lookupRatio}`,
    lookupRatio.median.toFixed(2),
    lookupRatio.median <= TARGET.lookupRatio,
  )
  console.log(
    `  [${lookupRatio.min.toFixed(2)}..${lookupRatio.max.toFixed(2)}] in ${ROUNDS} alternating rounds of ${LOOKUPS} lookups`,
  )
}

// In a process of its own, with nothing else in its memory. The young generation has one size from the beginning: the
// engine lets it grow under any traffic to the same size, so that it is no part of what an object takes.
if (globalThis.gc === undefined) {
  const self = fileURLToPath(import.meta.url)
  const young = ['--min-semi-space-size=16', '--max-semi-space-size=16']
  execFileSync(process.execPath, ['--expose-gc', ...young, self, ...process.argv.slice(2)], { stdio: 'inherit' })
} else {
  const measured = await measure()
  if (flags.json === undefined) print(measured)
  else console.log(JSON.stringify({ target: TARGET, ...measured }, null, 2))
}
