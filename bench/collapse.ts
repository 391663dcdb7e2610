//! `npm run bench:collapse`: a thousand viewers ask for one cold object at the same moment, the origin takes a second.
//! How often is the origin asked, and how long does the unluckiest viewer wait? A real installation, with one worker and
//! with three. `npm run bench:collapse -- --help` names the options.
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { cpus, loadavg } from 'node:os'
import { CreateDistributionCommand } from '@aws-sdk/client-cloudfront'
import { drawTable, quantile, showMs } from '../examples/storefront/demo/report.ts'
import { clientsOf } from '../examples/storefront/deploy.ts'
import { type OwnInstallation, startInstallation } from '../examples/storefront/installation.ts'
import { oneOrigin } from '../test/support/one-origin.ts'
import { callFailed, readOptions, wholeNumber } from './options.ts'

/** The 99th percentile of the waits, as a multiple of the origin's own time. */
const P99_TARGET = 1.2
/** The longest that an answer is waited for. */
const TIMEOUT_MS = 30_000
/** Connections of the warm-up; several reach each worker. */
const WARM_UP_VIEWERS = 30

/** What one crowd of viewers saw. */
interface Round {
  readonly workers: number
  readonly round: number
  readonly originRequests: number
  /** Milliseconds that the origin itself took for its answer. */
  readonly originMs: number
  /** Milliseconds from each viewer's request being written to its last byte. */
  readonly waitsMs: readonly number[]
  /** Answers by X-Cache. */
  readonly results: Readonly<Record<string, number>>
}

const flags = readOptions({
  command: 'npm run bench:collapse --',
  about: 'Viewers that ask for one cold object at the same moment: origin requests, and how long they wait.',
  example: 'npm run bench:collapse -- --viewers 200 --workers 1 --json',
  options: {
    viewers: { value: 'N', about: 'connections that ask at once', default: '1000' },
    workers: { value: 'LIST', about: 'edge workers, with commas: one installation for each', default: '1,3' },
    rounds: { value: 'N', about: 'each with a cold object of its own', default: '3' },
    'origin-ms': { value: 'N', about: 'time that the origin takes', default: '1000' },
    bytes: { value: 'N', about: 'of the object', default: '10240' },
    json: { value: null, about: 'print one JSON document with every wait', default: null },
  },
})
const viewers = wholeNumber('viewers', flags.viewers)
const rounds = wholeNumber('rounds', flags.rounds)
const originMs = wholeNumber('origin-ms', flags['origin-ms'])
const body = Buffer.alloc(wholeNumber('bytes', flags.bytes), 'x')
const workerCounts = (flags.workers ?? '').split(',').map((text) => wholeNumber('workers', text))
if (viewers > 10_000) callFailed('--viewers: at most 10000 fit into the ports of one address')

/** Requests by path, and how long each took. */
const asked = new Map<string, number[]>()
const origin = createServer((request, response) => {
  const path = request.url ?? ''
  const since = performance.now()
  const times = asked.get(path) ?? []
  asked.set(path, times)
  const at = times.push(Number.NaN) - 1
  setTimeout(() => {
    response.setHeader('Cache-Control', 'max-age=3600').end(body)
    times[at] = performance.now() - since
  }, originMs)
})

/** Connects first: what is measured is the wait for the object, not a thousand handshakes. */
async function connectAll(edge: string, count = viewers): Promise<readonly Socket[]> {
  const [host = '', port = ''] = edge.split(/:(?=\d+$)/)
  const sockets = Array.from({ length: count }, () => connect(Number(port), host))
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  return sockets
}

interface Seen {
  /** `performance.now()` of the last byte. */
  readonly at: number
  readonly status: string
  readonly xCache: string
  readonly bytes: number
}

/** Resolves when the whole answer is here; the connection ends with it. */
function whenAnswered(socket: Socket): Promise<Seen> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error(`a viewer had no answer within ${TIMEOUT_MS} ms`)), TIMEOUT_MS)
    let head = ''
    let bytes = 0
    let length = Number.POSITIVE_INFINITY
    const done = (): void => {
      const at = performance.now()
      clearTimeout(late)
      socket.destroy()
      resolve({ at, status: head.slice(9, 12), xCache: /^x-cache: (\S+)/im.exec(head)?.[1] ?? 'none', bytes })
    }
    socket.on('data', (piece: Buffer) => {
      bytes += piece.length
      if (head === '') {
        const end = piece.indexOf('\r\n\r\n') + 4
        head = piece.toString('latin1', 0, end)
        bytes -= end
        length = Number(/^content-length: (\d+)/im.exec(head)?.[1] ?? 0)
      }
      if (bytes >= length) done()
    })
    socket.on('error', reject)
    socket.on('end', done)
  })
}

const ask = (host: string, path: string): string => `GET ${path} HTTP/1.1\r\nHost: ${host}\r\n\r\n`

async function crowd(installation: OwnInstallation, host: string, workers: number, round: number): Promise<Round> {
  const path = `/cold/${workers}/${round}`
  const sockets = await connectAll(installation.edge)
  const waits = sockets.map(async (socket) => {
    const answered = whenAnswered(socket)
    const since = performance.now()
    socket.write(ask(host, path))
    const seen = await answered
    return { ...seen, ms: seen.at - since }
  })
  const seen = await Promise.all(waits)
  const wrong = seen.find(({ status, bytes }) => status !== '200' || bytes !== body.length)
  if (wrong !== undefined) throw new Error(`a viewer got status ${wrong.status} and ${wrong.bytes} bytes`)
  const times = asked.get(path) ?? []
  const named = [...new Set(seen.map(({ xCache }) => xCache))]
  return {
    workers,
    round,
    originRequests: times.length,
    originMs: times[0] ?? Number.NaN,
    waitsMs: seen.map(({ ms }) => ms),
    results: Object.fromEntries(named.map((name) => [name, seen.filter(({ xCache }) => xCache === name).length])),
  }
}

async function distribute(installation: OwnInstallation, originPort: number): Promise<string> {
  const { cloudfront } = clientsOf({ ...installation, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } })
  try {
    const { Distribution } = await cloudfront.send(
      new CreateDistributionCommand({ DistributionConfig: oneOrigin('collapse', originPort) }),
    )
    return Distribution?.DomainName ?? ''
  } finally {
    cloudfront.destroy()
  }
}

/** Every worker has the distribution and has loaded what it asks origins with, as after the first minute of its life. */
async function warmUp(installation: OwnInstallation, host: string): Promise<void> {
  const deadline = performance.now() + TIMEOUT_MS
  for (let turn = 0, ready = false; !ready; turn++) {
    const sockets = await connectAll(installation.edge, WARM_UP_VIEWERS)
    const answers = sockets.map(whenAnswered)
    sockets.forEach((socket, at) => void socket.write(ask(host, `/warm/${turn}/${at}`)))
    ready = (await Promise.all(answers)).every(({ status }) => status === '200')
    if (performance.now() > deadline) throw new Error('the workers did not become ready')
  }
}

function summarize(measured: readonly Round[]) {
  return workerCounts.map((workers) => {
    const own = measured.filter((round) => round.workers === workers)
    const waits = own.flatMap((round) => round.waitsMs)
    const originRequests = Math.max(...own.map((round) => round.originRequests))
    const slowest = own.map((round) => quantile(round.waitsMs, 0.99) / round.originMs)
    const ratio = Math.max(...slowest)
    return {
      workers,
      rounds: own.length,
      originRequestsPerCrowd: originRequests,
      p50Ms: quantile(waits, 0.5),
      p99Ms: quantile(waits, 0.99),
      maxMs: Math.max(...waits),
      /** Of the worst round. */
      p99ToOrigin: ratio,
      result: originRequests === 1 && ratio <= P99_TARGET ? 'met' : 'missed',
    }
  })
}

origin.listen(0, '127.0.0.1')
await once(origin, 'listening')
const load = (loadavg()[0] ?? 0).toFixed(1)
try {
  const measured: Round[] = []
  for (const workers of workerCounts) {
    const installation = await startInstallation(['--workers', `${workers}`])
    try {
      const host = await distribute(installation, (origin.address() as AddressInfo).port)
      await warmUp(installation, host)
      for (let round = 0; round < rounds; round++) measured.push(await crowd(installation, host, workers, round))
    } finally {
      await installation.stop()
    }
  }
  const rows = summarize(measured)
  if (flags.json !== undefined) {
    const config = { viewers, originMs, bytes: body.length, target: P99_TARGET }
    console.log(JSON.stringify({ config, node: process.version, cpus: cpus().length, load, rows, measured }, null, 2))
  } else {
    const cells = rows.map((row) => [
      `${row.workers} worker${row.workers === 1 ? '' : 's'}, ${row.rounds} crowds of ${viewers}`,
      String(row.originRequestsPerCrowd),
      ...[row.p50Ms, row.p99Ms, row.maxMs].map(showMs),
      `${row.p99ToOrigin.toFixed(2)}x`,
      row.result,
    ])
    const head = [
      '',
      'origin requests',
      'p50 ms',
      'p99 ms',
      'max ms',
      'p99 to origin',
      `at most ${P99_TARGET}x, 1 request`,
    ]
    console.log(drawTable(head, cells))
    console.log(
      `The origin takes ${originMs} ms; load and origin share ${cpus().length} processors with the edge; load average before ${load}.`,
    )
  }
  if (rows.some((row) => row.originRequestsPerCrowd !== 1)) process.exitCode = 1
} catch (error) {
  process.stderr.write(`bench: ${(error as Error).message}\n`)
  process.exitCode = 1
} finally {
  origin.close()
  origin.closeAllConnections()
}
