//! `cachefront reset`: ends everything, caches included, and deletes the home.
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { Command } from 'commander'
import { CliError, type CliHost } from '../host.ts'
import type { ClientOptions } from '../installation-file.ts'
import { work } from '../progress.ts'
import { shutDown } from '../shutdown.ts'

interface ResetOptions extends ClientOptions {
  readonly yes?: boolean
}

export function resetCommand(host: CliHost, done: (code: number) => void): Command {
  return new Command('reset')
    .option('-y, --yes', 'do not ask')
    .description('end everything and delete all state: distributions, caches, logs')
    .addHelpText('after', '\nExample:\n  cachefront reset --yes')
    .action(async (options: ResetOptions) => {
      const home = host.home(options.home)
      if (!existsSync(home)) {
        host.out.print(options.json ? JSON.stringify({ home, deleted: false }) : `There is nothing at ${home}.`)
        return done(0)
      }
      const { state, installation } = host.files(home)
      if (!existsSync(state) && !existsSync(installation)) {
        throw new CliError(`${home} does not look like a home of Cachefront (no state in it): nothing was deleted.`)
      }
      if (options.yes !== true) {
        if (!host.out.interactive) throw new CliError(`This deletes ${home}: say --yes.`, 2)
        const answer = await host.out.ask(`Delete ${home} and end all its caches? Type yes: `)
        if (answer.trim() !== 'yes') throw new CliError('Nothing was deleted.')
      }
      await work(host.out, options.json === true, `Deleting ${home}`, async () => {
        await shutDown(host, home, true)
        await rm(home, { recursive: true, force: true })
      })
      host.out.print(options.json ? JSON.stringify({ home, deleted: true }) : `${home} is deleted.`)
      done(0)
    })
}
