//! `npm run bench:caches`: what a replication group costs and how fast it is, against the targets: creation, failover after
//! death and after a freeze, memory and CPU time of watching idle groups, CPU time of a command through the endpoint.
//! `npm run bench:caches -- --help` names the options.
import { cpus, loadavg } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { drawTable } from '../examples/storefront/demo/report.ts'
import { measureEngineCpu, median } from './caches/engine-cpu.ts'
import { CachesInstallation, ownCpuMs, residentMib, write } from './caches/installation.ts'
import { callFailed, readOptions, wholeNumber } from './options.ts'

const PARTS = ['create', 'failover', 'idle', 'cpu'] as const
type Part = (typeof PARTS)[number]

const flags = readOptions({
  command: 'npm run bench:caches --',
  about: 'Creation, failover, idle cost and CPU time of replication groups.',
  example: 'npm run bench:caches -- --part failover --rounds 5',
  options: {
    part: { value: 'NAME', about: `only this one of ${PARTS.join(', ')}`, default: null },
    rounds: { value: 'N', about: 'of each measurement; a fifth of them freezes', default: '20' },
    groups: { value: 'N', about: 'idle groups of three nodes', default: '10' },
    requests: { value: 'N', about: 'of redis-benchmark in a round', default: '200000' },
    json: { value: null, about: 'print one JSON document', default: null },
  },
})
const rounds = wholeNumber('rounds', flags.rounds)
const idleGroups = wholeNumber('groups', flags.groups)
const requests = wholeNumber('requests', flags.requests)
const parts = PARTS.filter((part) => flags.part === undefined || flags.part === part)
if (parts.length === 0) callFailed(`there is no part "${flags.part}"; there are: ${PARTS.join(', ')}`)

interface Row {
  readonly what: string
  /** At most; null where nothing is asked for. */
  readonly target: number | null
  readonly value: number
  /** Of what the value is the median, or null. */
  readonly max: number | null
  readonly unit: string
}

const say = (line: string): void => void process.stderr.write(`${line}\n`)
const RETRY_MS = 1
/** What was made is given this long to come to rest; then what nobody uses is measured for so long. Milliseconds. */
const REST_MS = 3000
const IDLE_MS = 10_000

const spread = (what: string, target: number, values: readonly number[]): Row => ({
  ...{ what, target, value: median(values), max: Math.max(...values), unit: 'ms' },
})

async function create(installation: CachesInstallation): Promise<readonly Row[]> {
  const took: number[] = []
  for (let round = 1; round <= Math.min(rounds, 5); round++) {
    const id = `create-${round}`
    const { tookMs } = await installation.createGroup(id, 3)
    took.push(tookMs)
    await installation.client.deleteReplicationGroup({ ReplicationGroupId: id })
    say(`create round ${round}: ${tookMs.toFixed(0)} ms`)
  }
  return [spread('CreateReplicationGroup (primary, two replicas) to available', 1500, took)]
}

async function failover(installation: CachesInstallation): Promise<readonly Row[]> {
  await installation.createGroup('failover', 3)
  const times: Record<'SIGKILL' | 'SIGSTOP', number[]> = { SIGKILL: [], SIGSTOP: [] }
  const freezes = Math.ceil(rounds / 5)
  for (let round = 1; round <= rounds + freezes; round++) {
    const signal = round <= rounds ? 'SIGKILL' : 'SIGSTOP'
    const group = await installation.settled('failover')
    const old = group.nodes.find((node) => node.role === 'primary')!
    process.kill(old.pid!, signal)
    const since = performance.now()
    while (!(await write(group.endpoint, old.pid))) await sleep(RETRY_MS)
    const took = performance.now() - since
    times[signal].push(took)
    await installation.settled('failover', (g) => g.nodes.some((n) => n.role === 'primary' && n.id !== old.id))
    say(`${signal} ${round}: ${took.toFixed(1)} ms`)
  }
  return [
    spread('SIGKILL of the primary to the first accepted write', 100, times.SIGKILL),
    spread('SIGSTOP of the primary to the first accepted write', 3000, times.SIGSTOP),
  ]
}

async function idle(installation: CachesInstallation): Promise<readonly Row[]> {
  const pids = await installation.controlPlane()
  const look = async () => {
    await sleep(REST_MS)
    const before = ownCpuMs(pids)
    const since = performance.now()
    const memory: number[] = []
    const each = (): string => pids.map((pid) => residentMib([pid]).toFixed(0)).join(' + ')
    for (let waited = 0; waited < IDLE_MS; waited += 500) {
      await sleep(500)
      memory.push(residentMib(pids))
    }
    const percent = (100 * (ownCpuMs(pids) - before)) / (performance.now() - since)
    return { mib: Math.min(...memory), percent, each: each() }
  }
  const without = await look()
  for (let n = 1; n <= idleGroups; n++) await installation.createGroup(`idle-${n}`, 3)
  const withGroups = await look()
  say(`idle: control + keeper ${without.each} MiB without groups, ${withGroups.each} MiB with ${idleGroups}`)
  const ofGroup = (of: 'mib' | 'percent'): number => (withGroups[of] - without[of]) / idleGroups
  return [
    {
      what: `control and keeper for each of ${idleGroups} idle groups`,
      target: 3,
      value: ofGroup('mib'),
      max: null,
      unit: 'MiB',
    },
    { what: 'the same, watching', target: null, value: ofGroup('percent'), max: null, unit: '% of a core' },
  ]
}

async function cpu(installation: CachesInstallation): Promise<readonly Row[]> {
  const ratios = await measureEngineCpu(installation, Math.min(rounds, 9), requests, say)
  return ratios.map(({ command, bareUs, ratio }) => ({
    what: `${command.toUpperCase()} through the endpoint: times the CPU of a bare engine, ${bareUs.toFixed(1)} us [${ratio.min.toFixed(2)}..${ratio.max.toFixed(2)}]`,
    ...{ target: 1.02, value: ratio.median, max: null, unit: 'x' },
  }))
}

const MEASURES: Record<Part, (installation: CachesInstallation) => Promise<readonly Row[]>> = {
  ...{ create, failover, idle, cpu },
}

/** Each part has an installation of its own: what one leaves behind is no part of another's memory. */
async function measureAll(): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const part of parts) {
    const installation = await CachesInstallation.start()
    try {
      rows.push(...(await MEASURES[part](installation)))
    } finally {
      await installation.end()
    }
  }
  return rows
}

function resultOf({ target, value, max }: Row): string {
  if (target === null) return ''
  if ((max ?? value) <= target) return 'met'
  return value <= target ? 'met by the median, not by all' : 'missed'
}

const show = (value: number | null, unit: string): string =>
  value === null ? '' : unit === 'ms' ? value.toFixed(1) : value.toFixed(2)

/** Time suffers from whatever else runs: the load before the first round is part of the result. */
const load = (loadavg()[0] ?? 0).toFixed(1)
const rows = await measureAll()
if (flags.json !== undefined) {
  const results = rows.map((row) => ({ ...row, result: resultOf(row) }))
  console.log(JSON.stringify({ node: process.version, cpus: cpus().length, load, rows: results }, null, 2))
} else {
  const cells = rows.map((row) => [
    row.what,
    row.unit,
    row.target === null ? '' : String(row.target),
    show(row.value, row.unit),
    show(row.max, row.unit),
    resultOf(row),
  ])
  console.log(drawTable(['replication groups', 'unit', 'target', 'value', 'max', 'result'], cells))
  console.log(`${cpus().length} processors; load average before the first round ${load}.`)
}
