//! `cachefront down`: ends control, edge workers and keeper; caches too with --stop-engines.
import { Command } from 'commander'
import type { CliHost } from '../host.ts'
import type { ClientOptions } from '../installation-file.ts'
import { work } from '../progress.ts'
import { type Ended, shutDown } from '../shutdown.ts'

interface DownOptions extends ClientOptions {
  readonly stopEngines?: boolean
}

export function downCommand(host: CliHost, done: (code: number) => void): Command {
  return new Command('down')
    .option('--stop-engines', 'end the caches too; what they hold is lost')
    .description('end everything that runs on this home')
    .addHelpText('after', '\nExample:\n  cachefront down --stop-engines')
    .action(async (options: DownOptions) => {
      const home = host.home(options.home)
      let ended: Ended = { control: false, keeper: false, cachesLeft: [] }
      await work(host.out, options.json === true, 'Stopping', async () => {
        ended = await shutDown(host, home, options.stopEngines === true)
      })
      host.out.print(options.json ? JSON.stringify(ended) : describe(home, ended))
      done(0)
    })
}

function describe(home: string, ended: Ended): string {
  if (!ended.control && !ended.keeper) return `Nothing ran on ${home}.`
  if (ended.cachesLeft.length === 0) return 'Stopped.'
  return `Stopped. Caches still run: ${ended.cachesLeft.join(', ')} (\`cachefront down --stop-engines\` ends them too).`
}
