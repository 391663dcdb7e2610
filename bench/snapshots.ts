//! How fast a snapshot is taken, sealed, against a bare BGSAVE of the same engine: alternating rounds, both in bytes of RDB
//! a second, with the CPU time of all that works on either. `npm run bench:snapshots -- --help` names the options.
//!
//! The bare BGSAVE is a stock redis-server of its own on the same data, that writes an RDB in plain text to the same disk.
import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { KeeperHost, redisAt, redisGroup } from '../test/support/keeper-host.ts'
import { readOptions, wholeNumber } from './options.ts'

const flags = readOptions({
  command: 'npm run bench:snapshots --',
  about: 'How fast a sealed snapshot is taken, against a bare BGSAVE of the same data, in alternating rounds.',
  example: 'npm run bench:snapshots -- --mb 200 --rounds 3',
  options: {
    mb: { value: 'N', about: 'megabytes of values in each engine', default: '500' },
    rounds: { value: 'N', about: 'snapshots and saves that are measured', default: '5' },
    json: { value: null, about: 'prints one JSON document instead of lines', default: null },
  },
})
const [megabytes, rounds] = [wholeNumber('mb', flags.mb), wholeNumber('rounds', flags.rounds)]
const asJson = flags.json !== undefined
/** Least speed of a sealed snapshot, as a part of BGSAVE's. */
const TARGET = 0.7
const VALUE_BYTES = 10_000

/** CPU seconds that the process and its ended children took (/proc/PID/stat: utime, stime, cutime, cstime). */
function cpuSeconds(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return [11, 12, 13, 14].reduce((sum, at) => sum + Number(fields[at]), 0) / 100
}

async function fill(redis: Redis): Promise<void> {
  // Half of it random: compression by the engine finds something, as with real data.
  const filler = Buffer.alloc(VALUE_BYTES / 2, 'a product of the shop ')
  const count = Math.round((megabytes * 1e6) / VALUE_BYTES)
  for (let at = 0; at < count; at += 500) {
    const batch = redis.pipeline()
    for (let n = at; n < Math.min(at + 500, count); n++) {
      batch.set(`product:${n}`, Buffer.concat([randomBytes(VALUE_BYTES / 2), filler]))
    }
    await batch.exec()
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { readonly port: number }
  server.close()
  await once(server, 'close')
  return port
}

interface Round {
  readonly bytes: number
  readonly seconds: number
  readonly cpu: number
}

async function bgsave(redis: Redis, pid: number, file: string): Promise<Round> {
  const [started, before, last] = [performance.now(), cpuSeconds(pid), await redis.lastsave()]
  await redis.bgsave()
  // LASTSAVE counts seconds: the end is told by INFO.
  while ((await redis.info('persistence')).includes('rdb_bgsave_in_progress:1')) {
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const seconds = (performance.now() - started) / 1000
  const info = await redis.info('persistence')
  if (!info.includes('rdb_last_bgsave_status:ok')) throw new Error(`BGSAVE failed (last one at ${last})`)
  return { bytes: statSync(file).size, seconds, cpu: cpuSeconds(pid) - before }
}

async function snapshot(
  host: KeeperHost,
  group: ReturnType<typeof redisGroup>,
  id: string,
  pids: readonly number[],
): Promise<Round> {
  const cpu = (): number => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0)
  const [started, before] = [performance.now(), cpu()]
  host.wish([group], [], { snapshots: [{ id, group: group.id, from: 'primary', kmsKeyId: null }] })
  const seen = await host.client.waitFor(
    ({ snapshots }) => snapshots.some((one) => one.id === id && one.state !== 'capturing'),
    600_000,
  )
  const seconds = (performance.now() - started) / 1000
  const made = seen.snapshots.find((one) => one.id === id)!
  if (made.state !== 'ready') throw new Error(made.problem ?? 'the snapshot failed')
  const round = { bytes: made.bytes, seconds, cpu: cpu() - before }
  host.wish([group], [], { snapshotDeletions: [id] })
  await host.client.waitFor(({ snapshots }) => snapshots.every((one) => one.id !== id), 60_000)
  return round
}

interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
}

function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  const median = (sorted[Math.floor(middle)]! + sorted[Math.ceil(middle)]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)! }
}

const show = ({ median, min, max }: Spread, digits: number): string =>
  `${median.toFixed(digits)} [${min.toFixed(digits)}..${max.toFixed(digits)}]`

const megabytesASecond = ({ bytes, seconds }: Round): number => bytes / 1e6 / seconds
const cpuSecondsAGigabyte = ({ bytes, cpu }: Round): number => cpu / (bytes / 1e9)

function report(saves: readonly Round[], snapshots: readonly Round[]): void {
  const of = (list: readonly Round[]) => ({
    megabytesASecond: spreadOf(list.map(megabytesASecond)),
    cpuSecondsAGigabyte: spreadOf(list.map(cpuSecondsAGigabyte)),
  })
  const ratio = spreadOf(snapshots.map((one, at) => megabytesASecond(one) / megabytesASecond(saves[at]!)))
  const result = { megabytes, rounds, bgsave: of(saves), snapshot: of(snapshots), ratio, target: TARGET }
  const isMet = ratio.median >= TARGET
  if (asJson) {
    console.log(JSON.stringify({ ...result, isMet }, null, 2))
    return
  }
  const line = (name: string, { megabytesASecond: speed, cpuSecondsAGigabyte: cpu }: ReturnType<typeof of>): string =>
    `${name.padEnd(16)} ${show(speed, 0)} MB/s, ${show(cpu, 2)} s CPU a GB`
  console.log(`${megabytes} MB of values, ${rounds} rounds, median [min..max]:`)
  console.log(line('BGSAVE', result.bgsave))
  console.log(line('sealed snapshot', result.snapshot))
  console.log(`ratio            ${show(ratio, 2)}, target ${TARGET.toFixed(2)}: ${isMet ? 'met' : 'missed'}`)
}

const directory = mkdtempSync(join(tmpdir(), 'bench-snapshots-'))
const host = await KeeperHost.start()
let bare: ChildProcess | null = null
try {
  const maxmemory = `${megabytes * 3}mb`
  const group = redisGroup('bench', 1, { configuration: [['maxmemory', maxmemory]], atRestEncryption: true })
  host.wish([group])
  const settled = await host.settled('bench')
  const port = await freePort()
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', directory]
  bare = spawn('redis-server', args, { stdio: 'ignore' })
  const [kept, plain] = [await redisAt(settled.endpoint), new Redis(port, '127.0.0.1')]
  plain.on('error', () => {})
  await Promise.all([fill(kept), fill(plain)])
  const pids = [settled.nodes[0]!.pid!, host.process.pid!]
  const [saves, snapshots]: [Round[], Round[]] = [[], []]
  for (let round = 1; round <= rounds; round++) {
    saves.push(await bgsave(plain, bare.pid!, join(directory, 'dump.rdb')))
    snapshots.push(await snapshot(host, group, `round-${round}`, pids))
    const [save, sealed] = [saves.at(-1)!, snapshots.at(-1)!]
    const line = (one: Round): string =>
      `${megabytesASecond(one).toFixed(0)} MB/s, ${cpuSecondsAGigabyte(one).toFixed(2)} s CPU a GB`
    if (!asJson) console.log(`round ${round}: BGSAVE ${line(save)}; sealed snapshot ${line(sealed)}`)
  }
  report(saves, snapshots)
  kept.disconnect()
  plain.disconnect()
} finally {
  bare?.kill('SIGKILL')
  await host.end()
  rmSync(directory, { recursive: true, force: true })
}
