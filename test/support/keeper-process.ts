//! A keeper as a process of its own, for scenarios that kill it. Arguments: home, directory of claims, version.
//! When its standard input ends, whoever started it is gone, however that came: it ends with all its engines then.
import { join } from 'node:path'
import { connectKeeper } from '../../src/keeper/client.ts'
import { runKeeper } from '../../src/keeper/run.ts'
import { systemClock } from '../../src/lib/clock.ts'

const [home = '', claimsDir = '', version = 'test'] = process.argv.slice(2)
const socketPath = join(home, 'keeper.sock')
process.stdin.resume().once('end', () => {
  void connectKeeper(socketPath, { version: 'end' }).then((control) => control.stop({ engines: true, workers: true }))
})
await runKeeper({
  home,
  socketPath,
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
