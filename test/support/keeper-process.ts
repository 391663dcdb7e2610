//! A keeper as a process of its own, for scenarios that kill it. Arguments: home, directory of claims, version.
import { join } from 'node:path'
import { runKeeper } from '../../src/keeper/run.ts'
import { systemClock } from '../../src/lib/clock.ts'

const [home = '', claimsDir = '', version = 'test'] = process.argv.slice(2)
await runKeeper({
  home,
  socketPath: join(home, 'keeper.sock'),
  nodeNetwork: null,
  version,
  clock: systemClock,
  log: (line) => process.stdout.write(`${line}\n`),
  execPath: process.execPath,
  programArgs: [join(import.meta.dirname, 'keeper-worker.ts')],
  env: process.env,
  ...(claimsDir === '' ? {} : { claimsDir }),
})
process.exit(0)
