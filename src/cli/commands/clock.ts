//! `cachefront clock advance 24h`.
import { Command } from 'commander'
import { parseDuration } from '../duration.ts'
import type { CliHost } from '../host.ts'
import type { ClientOptions } from '../installation-file.ts'
import { findApi, localDocument } from '../local-call.ts'

export function clockCommand(host: CliHost, done: (code: number) => void): Command {
  const advance = new Command('advance')
    .argument('<duration>', 'like 24h, 90s, 15m, 7d')
    .description('move the time on; returns when every live worker has it (needs `up --movable-clock`)')
    .addHelpText('after', '\nExample:\n  cachefront clock advance 24h')
    .action(async (duration: string, options: ClientOptions) => {
      const advanceMs = parseDuration(duration)
      const answer = await localDocument(findApi(host, options), '/_cachefront/clock', { advanceMs })
      const { offsetMs } = answer as { offsetMs: number }
      const text = `The clock is ${offsetMs / 1000} s ahead of the host's.`
      host.out.print(options.json ? JSON.stringify({ offsetMs }) : text)
      done(0)
    })
  return new Command('clock').description('move the time that caching sees (advance)').addCommand(advance)
}
