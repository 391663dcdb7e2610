//! `npm run drill -- --part caches`: in a network and a mount namespace of its own where the system allows it, so that
//! firewall rules and a full disk are nobody else's.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { hasRedisPy, WRITERS } from './clients.ts'
import { FAULTS } from './faults.ts'
import { headText, rowText, summaryText } from './print.ts'
import { drillCaches } from './run.ts'

export interface CachesCall {
  readonly seed: number
  readonly kills: number
  readonly acts: readonly string[] | null
  readonly json: boolean
}

/** Set in the process that runs apart from the machine. */
const APART = 'CACHEFRONT_DRILL_APART'
const PROGRESS_EVERY = 10

/** Returns the exit code. */
export async function runCachesDrill(call: CachesCall): Promise<number> {
  const unknown = call.acts?.find((name) => !FAULTS.some((fault) => fault.name === name))
  if (unknown !== undefined) {
    const names = FAULTS.map((fault) => `"${fault.name}"`).join(', ')
    process.stderr.write(`There is no act "${unknown}" of caches; there are: ${names}.\n`)
    return 2
  }
  if (process.env[APART] === undefined && mayGoApart()) return runApart()
  const say = (text: string): void => void (call.json || process.stdout.write(`${text}\n`))
  say(`seed ${call.seed}; ${call.kills} random deaths of the primary after the faults`)
  if (!hasRedisPy) say('redis-py is not installed (python3-redis): it is left out')
  say(headText(WRITERS.map((writer) => writer.name)))
  const report = await drillCaches({
    ...{ seed: call.seed, acts: call.acts, kills: call.kills, isApart: process.env[APART] !== undefined },
    onRow: (row) => say(rowText(row)),
    onSkip: (fault, why) => say(`${fault}: ${why}`),
    onKill: (number) => void (number % PROGRESS_EVERY === 0 && say(`  ${number} of ${call.kills} primaries killed`)),
  })
  if (call.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
  say(summaryText(report))
  for (const violation of report.violations) say(`VIOLATION ${violation}`)
  say(`${report.violations.length} violations, seed ${report.seed}`)
  return report.violations.length === 0 ? 0 : 1
}

function mayGoApart(): boolean {
  try {
    execFileSync('unshare', ['--net', '--mount', 'sh', '-c', 'ip link set lo up && nft list ruleset'], {
      stdio: 'ignore',
    })
    return true
  } catch {
    return false
  }
}

/** The same call again, apart. */
async function runApart(): Promise<number> {
  const again = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  const args = ['--net', '--mount', 'sh', '-c', 'ip link set lo up && exec "$0" "$@"', ...again]
  const child = spawn('unshare', args, { stdio: 'inherit', env: { ...process.env, [APART]: '1' } })
  // Ctrl-C reaches both, SIGTERM this one alone: it waits for the other, which ends what it started.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  const [code] = (await once(child, 'close')) as [number | null]
  return code ?? 1
}
