//! What this process gives the command line: its settings, its roles and its terminal.
import { createInterface } from 'node:readline/promises'
import type { CliHost, UpFlags } from '../cli/host.ts'
import { engineSearchPath, homePaths, OPTIONS, programVersion, readConfig, readHome } from '../config.ts'

/** `mainFile`: what the roles are started from. */
export function hostOfProcess(mainFile: string): CliHost {
  const environment = process.env
  for (const stream of [process.stdout, process.stderr]) stream.on('error', readerLeft)
  return {
    version: programVersion(),
    upOptions: OPTIONS,
    async up(flags: UpFlags) {
      const config = readConfig(flags, environment)
      if (config.user !== null) await asUser(config.user, mainFile, () => readConfig(flags, environment).home)
      const { runControl } = await import('./control.ts')
      outlivesReader = true
      return runControl({ config, mainFile, environment, json: flags.json === true, print })
    },
    async startKeeper(home: string) {
      const { ensureKeeper } = await import('./keeper-process.ts')
      // Its ledger remembers the network.
      const config = { home, enginePath: engineSearchPath(environment), nodeNetwork: null }
      await ensureKeeper({ config, paths: homePaths(home), mainFile, environment })
    },
    home: (flag) => readHome(flag, environment),
    files: homePaths,
    endpoint: environment.CACHEFRONT_ENDPOINT,
    credentials: {
      accessKeyId: environment.CACHEFRONT_ACCESS_KEY_ID ?? environment.AWS_ACCESS_KEY_ID ?? 'cachefront',
      secretAccessKey: environment.CACHEFRONT_SECRET_ACCESS_KEY ?? environment.AWS_SECRET_ACCESS_KEY ?? 'cachefront',
    },
    enginePath: engineSearchPath(environment),
    out: {
      print,
      complain: (text) => void process.stderr.write(`${text}\n`),
      interactive: process.stdin.isTTY === true && process.stdout.isTTY === true,
      async ask(question) {
        const lines = createInterface({ input: process.stdin, output: process.stdout })
        try {
          return await lines.question(question)
        } finally {
          lines.close()
        }
      },
    },
  }
}

/** Returns as that user; `home`: of the installation, which may lie in the user's own. */
async function asUser(name: string, mainFile: string, home: () => string): Promise<void> {
  const { becomeUser, userToBecome } = await import('./become-user.ts')
  const user = userToBecome(name)
  if (user === null) return
  process.env.HOME = user.directory
  becomeUser(user, home(), mainFile)
}

/** `up` goes on when nobody reads what it prints. */
let outlivesReader = false

/** Whoever read the output has enough of it (`| head`): a command ends as if it had said all. */
function readerLeft(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error
  if (!outlivesReader) process.exit()
}

function print(text: string): void {
  process.stdout.write(`${text}\n`)
}
