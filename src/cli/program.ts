//! The command line as commander sees it: one row a command. `runCli` turns every outcome into an exit code:
//! 0 done, 1 failed, 2 called wrongly.
import { Command, CommanderError, Option } from 'commander'
import { auditCommand } from './commands/audit.ts'
import { cacheCommand } from './commands/cache.ts'
import { callCommand } from './commands/call.ts'
import { certificatesCommand } from './commands/certificates.ts'
import { clockCommand } from './commands/clock.ts'
import { doctorCommand } from './commands/doctor.ts'
import { downCommand } from './commands/down.ts'
import { encryptionKeysCommand } from './commands/encryption-keys.ts'
import { explainCommand } from './commands/explain.ts'
import { invalidateCommand } from './commands/invalidate.ts'
import { keysCommand } from './commands/keys.ts'
import { logsCommand } from './commands/logs.ts'
import { popsCommand } from './commands/pops.ts'
import { resetCommand } from './commands/reset.ts'
import { statusCommand } from './commands/status.ts'
import { trustCommand } from './commands/trust.ts'
import { trustedSignersCommand } from './commands/trusted-signers.ts'
import { upCommand } from './commands/up.ts'
import { wafCommand } from './commands/waf.ts'
import { CliError, type CliHost } from './host.ts'

/** Makes one command; what it does reports its exit code through `done`. */
export type CommandMaker = (host: CliHost, done: (code: number) => void) => Command

/** In the order of the help text. */
const COMMANDS: readonly CommandMaker[] = [
  upCommand,
  downCommand,
  statusCommand,
  popsCommand,
  explainCommand,
  invalidateCommand,
  certificatesCommand,
  clockCommand,
  logsCommand,
  auditCommand,
  cacheCommand,
  wafCommand,
  keysCommand,
  encryptionKeysCommand,
  trustedSignersCommand,
  trustCommand,
  doctorCommand,
  resetCommand,
  callCommand,
]

/** Commands that work on the home and its processes: an endpoint would say nothing to them. */
const OF_THE_HOME: ReadonlySet<string> = new Set([
  'down',
  'logs',
  'audit',
  'encryption-keys',
  'trust',
  'doctor',
  'reset',
])

/** Options that find the installation, and --json: the same on every client command. */
function withClientOptions(command: Command): Command {
  for (const one of leavesOf(command)) {
    one
      .option('--json', 'print one JSON document')
      .addOption(new Option('--home <DIR>', 'home of the installation (CACHEFRONT_HOME)'))
    if (OF_THE_HOME.has(command.name())) continue
    one.addOption(new Option('--endpoint <URL>', 'address of its API, for one elsewhere (CACHEFRONT_ENDPOINT)'))
  }
  return command
}

const leavesOf = (command: Command): Command[] =>
  command.commands.length > 0 ? command.commands.flatMap(leavesOf) : [command]

function inherit(from: Command, command: Command): void {
  command.copyInheritedSettings(from)
  for (const sub of command.commands) inherit(from, sub)
}

export function buildProgram(host: CliHost, done: (code: number) => void): Command {
  const program = new Command('cachefront')
    .description('Amazon CloudFront and Amazon ElastiCache as software anyone can run.')
    .version(host.version)
    .showHelpAfterError('(add --help for the options)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => host.out.print(text.trimEnd()),
      writeErr: (text) => host.out.complain(text.trimEnd()),
    })
  for (const make of COMMANDS) {
    const command = make(host, done)
    inherit(program, command)
    program.addCommand(command.name() === 'up' ? command : withClientOptions(command))
  }
  return program
}

/** `args` without the program's own name. Resolves with the exit code; prints every error itself, in one line. */
export async function runCli(host: CliHost, args: readonly string[]): Promise<number> {
  let code = 0
  const program = buildProgram(host, (given) => {
    code = given
  })
  try {
    await program.parseAsync([...args], { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (error instanceof CliError) {
      host.out.complain(`cachefront: ${error.message}`)
      return error.code
    }
    throw error
  }
}
