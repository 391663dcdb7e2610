//! `cachefront doctor`: what this host lacks and how to get it. Exit code 1 when something needed is missing.
import { constants } from 'node:fs'
import { access, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname } from 'node:path'
import { Command } from 'commander'
import { findBinaries } from '../../keeper/binaries.ts'
import type { CliHost } from '../host.ts'
import type { ClientOptions } from '../installation-file.ts'
import { drawTable } from '../table.ts'

/** Oldest Node that runs the program. */
const NODE_MAJOR_MIN = 24
/** Free disk below which state and logs are soon in danger. Bytes. */
const DISK_FREE_MIN = 200 * 1024 * 1024
/** An address like those that cache nodes get. */
const NODE_ADDRESS = '127.16.0.1'

export interface Finding {
  readonly what: string
  /** `missing` fails the command. */
  readonly verdict: 'ok' | 'missing'
  /** What was found, or how to get it. */
  readonly detail: string
}

export function doctorCommand(host: CliHost, done: (code: number) => void): Command {
  return new Command('doctor')
    .description('look for what this host lacks, and say how to get it')
    .addHelpText('after', '\nExample:\n  cachefront doctor')
    .action(async (options: ClientOptions) => {
      const findings = await examine(host, host.home(options.home))
      const rows = findings.map((one) => [one.verdict === 'ok' ? '✔' : '✖', one.what, one.detail])
      host.out.print(options.json ? JSON.stringify(findings, null, 2) : drawTable(rows))
      done(findings.some((one) => one.verdict === 'missing') ? 1 : 0)
    })
}

async function examine(host: CliHost, home: string): Promise<readonly Finding[]> {
  const [engines, network, disk] = await Promise.all([engineFindings(host), networkFinding(), homeFinding(home)])
  return [nodeFinding(), disk, network, ...engines]
}

function nodeFinding(): Finding {
  const version = process.versions.node
  const ok = Number(version.split('.')[0]) >= NODE_MAJOR_MIN
  return {
    what: 'Node',
    verdict: ok ? 'ok' : 'missing',
    detail: ok ? version : `${version}: ${NODE_MAJOR_MIN} or newer is needed (nodejs.org)`,
  }
}

async function engineFindings(host: CliHost): Promise<readonly Finding[]> {
  const found = await findBinaries(host.enginePath)
  const finding = (what: string, engines: readonly string[], package_: string): Finding => {
    const have = found.filter((binary) => engines.includes(binary.engine))
    const detail = have.map((binary) => `${binary.engine} ${binary.version} (${binary.path})`).join(', ')
    if (have.length > 0) return { what, verdict: 'ok', detail }
    const lacks = `not found; apt-get install ${package_}. The edge runs without it; such caches cannot be made`
    return { what, verdict: 'missing', detail: lacks }
  }
  return [
    finding('Redis or Valkey', ['redis', 'valkey'], 'redis-server'),
    finding('Memcached', ['memcached'], 'memcached'),
  ]
}

/** Linux answers on all of 127.0.0.0/8; macOS on 127.0.0.1 only. */
function networkFinding(): Promise<Finding> {
  const what = 'Addresses of cache nodes'
  return new Promise((resolve) => {
    const server = createServer()
    server.on('error', (error) =>
      resolve({
        what,
        verdict: 'missing',
        detail: `${NODE_ADDRESS} cannot be used (${error.message}): Linux is needed for caches`,
      }),
    )
    server.listen(0, NODE_ADDRESS, () =>
      server.close(() => resolve({ what, verdict: 'ok', detail: `${NODE_ADDRESS} can be used` })),
    )
  })
}

async function homeFinding(home: string): Promise<Finding> {
  const what = 'Home'
  for (let path = home; ; path = dirname(path)) {
    try {
      await access(path, constants.W_OK | constants.X_OK)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT' && path !== dirname(path)) continue
      return { what, verdict: 'missing', detail: `${path} cannot be written: choose another CACHEFRONT_HOME` }
    }
    const { bavail, bsize } = await statfs(path)
    const mb = Math.floor((bavail * bsize) / 1024 / 1024)
    if (bavail * bsize >= DISK_FREE_MIN) return { what, verdict: 'ok', detail: `${home}, ${mb} MiB free` }
    return {
      what,
      verdict: 'missing',
      detail: `${home} has only ${mb} MiB free: make room or choose another CACHEFRONT_HOME`,
    }
  }
}
