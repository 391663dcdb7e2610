//! The system's own store of certificates: where a Linux distribution wants authorities of its owner's, and the command
//! that takes them up.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CliError } from './host.ts'

export interface SystemStore {
  /** It is that of this system when the directory is there. */
  readonly directory: string
  readonly file: string
  readonly command: readonly [program: string, ...args: string[]]
}

export const SYSTEM_STORES: readonly SystemStore[] = [
  // Debian, Ubuntu, Alpine.
  {
    directory: '/usr/local/share/ca-certificates',
    file: 'cachefront-local-ca.crt',
    command: ['update-ca-certificates'],
  },
  // Fedora, Red Hat, Amazon Linux.
  {
    directory: '/etc/pki/ca-trust/source/anchors',
    file: 'cachefront-local-ca.pem',
    command: ['update-ca-trust', 'extract'],
  },
  // Arch.
  {
    directory: '/etc/ca-certificates/trust-source/anchors',
    file: 'cachefront-local-ca.crt',
    command: ['trust', 'extract-compat'],
  },
]

/** Adds the certificate. Resolves with its file. @throws CliError that says why it may not, and what to do */
export async function installAuthority(pem: string, stores: readonly SystemStore[]): Promise<string> {
  const store = stores.find(({ directory }) => existsSync(directory))
  if (store === undefined) {
    const known = stores.map(({ directory }) => directory).join(', ')
    throw new CliError(`This system has no store that is known here (${known}): export the certificate with --export.`)
  }
  const file = join(store.directory, store.file)
  try {
    await writeFile(file, `${pem.trim()}\n`, { mode: 0o644 })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'EACCES' && code !== 'EPERM' && code !== 'EROFS') throw new CliError(`${file}: ${message}.`)
    throw new CliError(
      `The system's store is root's: ${file} cannot be written. Run it as root (sudo env CACHEFRONT_HOME=... ` +
        'cachefront trust --install), or give the certificate to the clients alone (cachefront trust).',
    )
  }
  const failed = await run(store.command)
  if (failed === null) return file
  // Half an installation would be taken up by the next update of anything else.
  await rm(file, { force: true })
  throw new CliError(`\`${store.command.join(' ')}\` failed: ${failed}. Nothing was installed.`)
}

/** Null when it ended well, else what it said. */
async function run([program, ...args]: readonly [string, ...string[]]): Promise<string | null> {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  try {
    const [code] = (await once(child, 'close')) as [number | null]
    return code === 0 ? null : said.trim().split('\n').at(-1) || `exit code ${code}`
  } catch (error) {
    return (error as Error).message
  }
}
