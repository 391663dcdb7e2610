//! `npm run drill`: kills and freezes parts of a real installation under load and checks after each blow what must hold.
//! `npm run drill -- --help` names the options. Exit code 1 when a promise was not kept; the seed repeats the same blows.
import { parseArgs } from 'node:util'
import { runCachesDrill } from './caches/main.ts'
import { ACTS } from './monkey.ts'
import { drill, type Round } from './run.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    seed: { type: 'string', default: String(process.pid) },
    workers: { type: 'string', default: '2' },
    act: { type: 'string', multiple: true },
    part: { type: 'string', default: 'installation' },
    kills: { type: 'string', default: '100' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write(`npm run drill -- [--part installation] [--minutes N] [--workers N] [--act NAME]... [--seed S] [--json]
  a real installation under load from all sides; a part of it is killed or frozen in each round
npm run drill -- --part caches [--kills N] [--act NAME]... [--seed S] [--json]
  a replication group of three: every fault of the table once, then N primaries killed at random moments;
  counts lost and duplicated writes, and measures for how long each client could not write
For example: npm run drill -- --part caches --act 'primary frozen' --kills 10
`)
  process.exit(0)
}
if (values.part === 'caches') {
  const [seed, kills] = [Number(values.seed), Number(values.kills)]
  process.exit(await runCachesDrill({ seed, kills, acts: values.act ?? null, json: values.json }))
}
if (values.part !== 'installation') {
  process.stderr.write(`There is no part "${values.part}"; there are: installation, caches.\n`)
  process.exit(2)
}
const unknown = values.act?.find((name) => !ACTS.some((act) => act.name === name))
if (unknown !== undefined) {
  process.stderr.write(`There is no act "${unknown}"; there are: ${ACTS.map((act) => act.name).join(', ')}.\n`)
  process.exit(2)
}
const say = (text: string): void => void (values.json || process.stdout.write(`${text}\n`))
const ms = (value: number): string => `${Math.round(value)} ms`

function line(round: Round): string {
  const { control, keeper, worker } = round.memoryMib
  return (
    `${String(round.number).padStart(3)} ${round.act}: ${round.done}; well after ${ms(round.wellMs)}, ` +
    `longest pause between writes ${ms(round.writeGapMs)}, ${round.acknowledged} changes acknowledged, ` +
    `MiB ${control}/${keeper}/${worker}, files ${round.openFiles}, violations ${round.violations}`
  )
}

say(`seed ${values.seed}, ${values.workers} workers`)
const report = await drill({
  seed: Number(values.seed),
  workers: Number(values.workers),
  acts: values.act ?? null,
  lastsMs: Number(values.minutes) * 60_000,
  onRound: (round) => say(line(round)),
})
if (values.json) process.stdout.write(`${JSON.stringify(report, null, 2)}\n`)
for (const [what, count] of Object.entries(report.counts).sort()) say(`${String(count).padStart(8)}  ${what}`)
for (const violation of report.violations) say(`VIOLATION ${violation}`)
say(`${report.rounds.length} rounds, ${report.violations.length} violations, seed ${report.seed}`)
process.exitCode = report.violations.length === 0 ? 0 : 1
