//! `npm run bench:waf`: CPU of a hit with web ACLs, against the same hit without one. One worker has a distribution for
//! each; they are measured in alternating rounds. `npm run bench:waf -- --help` names the options.
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { loadavg, tmpdir } from 'node:os'
import { join } from 'node:path'
import { distributionDoc } from '../test/support/edge-scenario.ts'
import { EDGE_BENCH } from './edge.config.ts'
import { load, look } from './load.ts'
import { readOptions, wholeNumber } from './options.ts'
import { cpuSeconds } from './processes.ts'
import { type AclRow, ROWS } from './waf/acls.ts'
import { startBenchWorker } from './worker.ts'

const PATH = '/assets/product-12345.jpg?size=large&v=42'
const WARM_UP_SECONDS = 3

const flags = readOptions({
  command: 'npm run bench:waf --',
  about:
    'CPU microseconds of a 1 KB hit without a web ACL, with rules of several kinds, with 10 and with 10,000 CIDRs.',
  example: 'npm run bench:waf -- --rounds 5 --json',
  options: {
    rounds: { value: 'N', about: 'each measures every row once', default: '7' },
    seconds: { value: 'N', about: 'of load in one measurement', default: '3' },
    json: { value: null, about: 'print one JSON document with every sample', default: null },
  },
})
const rounds = wholeNumber('rounds', flags.rounds)
const seconds = wholeNumber('seconds', flags.seconds)
const say = (text: string): void => {
  if (flags.json === undefined) process.stderr.write(`${text}\n`)
}

interface Sample {
  readonly row: string
  readonly round: number
  readonly cpuMicros: number
  readonly busy: number
}

const hostOf = (at: number): string => `d${at}11111abcdef8.cloudfront.localhost`

async function measureAll(): Promise<Sample[]> {
  const home = await mkdtemp(join(tmpdir(), 'cachefront-waf-'))
  const origin = createServer((_, response) => {
    for (const [name, value] of EDGE_BENCH.originHeaders) response.setHeader(name, value)
    response.end(Buffer.alloc(1_024, 'x'))
  })
  await once(origin.listen(0, '127.0.0.1'), 'listening')
  const { port: originPort } = origin.address() as AddressInfo
  const arnOf = (at: number) => `arn:aws:wafv2:us-east-1:123456789012:global/webacl/acl-${at}/id`
  const documents = ROWS.map(({ acl }, at) =>
    distributionDoc(originPort, {
      id: `EBENCH${at}`,
      domainName: hostOf(at),
      ...(acl === null ? {} : { webAclArn: arnOf(at) }),
    }),
  )
  const worker = await startBenchWorker({ home, documents, cacheBytes: 64 * 1024 * 1024 })
  const samples: Sample[] = []
  try {
    for (const [at, { acl }] of ROWS.entries()) {
      if (acl === null) continue
      await worker.feed.change(() => ({ kind: 'web-acl', arn: arnOf(at), webAcl: { ...acl, arn: arnOf(at) } }))
    }
    const config = (at: number) => ({ ...EDGE_BENCH, host: hostOf(at) })
    for (const [at, { name }] of ROWS.entries()) {
      for (let tries = 0; tries < 2; tries++) {
        const { status, headers } = await look(config(at), PATH, worker.port)
        const isHit = String(headers['x-cache']).startsWith('Hit')
        if (status !== 200 || (tries > 0 && !isHit)) throw new Error(`${name}: ${status} ${headers['x-cache']}`)
      }
    }
    for (const at of ROWS.keys()) await load(config(at), PATH, worker.port, WARM_UP_SECONDS)
    for (let round = 0; round < rounds; round++) {
      const order = [...ROWS.entries()]
      for (const [at, { name }] of round % 2 === 0 ? order : order.toReversed()) {
        const before = cpuSeconds([worker.started.pid]).total
        const { requests, seconds: took } = await load(config(at), PATH, worker.port, seconds)
        const used = cpuSeconds([worker.started.pid]).total - before
        samples.push({ row: name, round, cpuMicros: (used * 1e6) / requests, busy: used / took })
      }
      say(`round ${round + 1} of ${rounds}`)
    }
  } finally {
    await worker.stop()
    origin.close()
    await rm(home, { recursive: true, force: true })
  }
  return samples
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN
const microsOf = (samples: readonly Sample[], row: string) =>
  samples.filter((one) => one.row === row).map(({ cpuMicros }) => cpuMicros)

function printRow(samples: readonly Sample[], { name, atMost }: AclRow): void {
  const own = microsOf(samples, name)
  const line = `${name.padEnd(20)}${median(own).toFixed(1).padStart(10)} us`
  if (atMost === undefined) {
    console.log(line)
    return
  }
  const theirs = microsOf(samples, atMost.than)
  const more = own.map((micros, round) => micros - (theirs[round] as number))
  const spread = `[${Math.min(...more).toFixed(1)}..${Math.max(...more).toFixed(1)}]`
  const verdict = median(more) <= atMost.more ? 'met' : 'missed'
  const asked = `at most ${atMost.more} is asked for: ${verdict}`
  console.log(`${line}   ${median(more).toFixed(1)} us more than ${atMost.than} ${spread}; ${asked}`)
}

const before = (loadavg()[0] ?? 0).toFixed(1)
const samples = await measureAll()
if (flags.json !== undefined) console.log(JSON.stringify({ load: before, samples }, null, 2))
else {
  for (const row of ROWS) printRow(samples, row)
  const busy = Math.min(...samples.map((sample) => sample.busy))
  if (busy < 0.85) say(`Other programs were running: of its processor the worker used only ${Math.round(busy * 100)}%.`)
  console.log(`load average before: ${before}`)
}
