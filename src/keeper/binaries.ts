//! Which engine binaries this host has, and which of them serves a version that a user asks for (DESIGN section 5).
import { execFile, spawn } from 'node:child_process'
import { accessSync, constants, realpathSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { BinaryFeature } from '../domain/parameters/parameter.ts'
import { isOlder } from '../lib/versions.ts'

export type EngineName = 'redis' | 'valkey' | 'memcached'

export interface Binary {
  readonly engine: EngineName
  /** Full version, e.g. `7.0.15`. */
  readonly version: string
  readonly path: string
  /** What its build can do that others cannot. */
  readonly features?: readonly BinaryFeature[]
}

/** Where servers are looked for, in this order; PATH of a service is often shorter than that of a person. */
export const SEARCH_PATH: readonly string[] = [
  '/usr/local/bin',
  '/usr/local/sbin',
  '/usr/bin',
  '/usr/sbin',
  '/bin',
  '/opt/redis/bin',
  '/opt/valkey/bin',
  '/snap/bin',
]

const VERSION_TIMEOUT_MS = 2000

/** Program, how to ask for its version, and the package of Debian and Ubuntu that brings it. */
const PROGRAMS: readonly { readonly program: string; readonly flag: string; readonly package: string }[] = [
  { program: 'redis-server', flag: '--version', package: 'redis-server' },
  { program: 'valkey-server', flag: '--version', package: 'valkey-server' },
  { program: 'memcached', flag: '-V', package: 'memcached' },
]

/** Reads what a server says of itself; a `redis-server` that is really Valkey says so. Null for anything else. */
export function parseVersion(text: string): { readonly engine: EngineName; readonly version: string } | null {
  const match = /^(redis|valkey) server v=(\d+\.\d+\.\d+)/im.exec(text) ?? /^(memcached) (\d+\.\d+\.\d+)/im.exec(text)
  return match === null ? null : { engine: match[1]!.toLowerCase() as EngineName, version: match[2]! }
}

/** Asks every server found in `path`; one that does not answer in two seconds is left out. In the order of `path`. */
export async function findBinaries(path: readonly string[] = SEARCH_PATH): Promise<readonly Binary[]> {
  const asked = PROGRAMS.flatMap(({ program, flag }) => filesOf(program, path).map((file) => askVersion(file, flag)))
  const found = await Promise.all(asked)
  return found.filter((binary) => binary !== null)
}

/** Files of one program, each once: `/bin` is often another name of `/usr/bin`. */
function filesOf(program: string, path: readonly string[]): readonly string[] {
  const byFile = new Map<string, string>()
  for (const dir of path) {
    const file = join(dir, program)
    const real = realFile(file)
    if (real !== null && !byFile.has(real)) byFile.set(real, file)
  }
  return [...byFile.values()]
}

/** Null when it is no file that may be run. */
function realFile(file: string): string | null {
  try {
    accessSync(file, constants.X_OK)
    return realpathSync(file)
  } catch {
    return null
  }
}

/** Another text when a server was installed, upgraded or removed since; asking all of them takes much longer. */
export function binariesMark(path: readonly string[] = SEARCH_PATH): string {
  const files = PROGRAMS.flatMap(({ program }) => filesOf(program, path))
  return files.map(markOf).join(' ')
}

function markOf(file: string): string {
  try {
    const { ino, size, mtimeMs } = statSync(file)
    return [file, ino, size, mtimeMs].join(':')
  } catch {
    // It went in this very moment: the next look tells.
    return file
  }
}

async function askVersion(path: string, flag: string): Promise<Binary | null> {
  try {
    const { stdout } = await promisify(execFile)(path, [flag], { timeout: VERSION_TIMEOUT_MS })
    const parsed = parseVersion(stdout)
    if (parsed === null) return null
    return { ...parsed, path, features: parsed.engine === 'memcached' ? [] : await featuresOf(path) }
  } catch {
    return null
  }
}

/**
 * Whether the engine was built with the allocator that defragmentation needs: its version does not tell. The engine
 * reads a configuration whose last line it does not know, so that it ends before it listens, and names the line that it
 * stumbled over first.
 */
async function featuresOf(path: string): Promise<readonly BinaryFeature[]> {
  const child = spawn(path, ['-'], { stdio: ['pipe', 'pipe', 'pipe'], timeout: VERSION_TIMEOUT_MS })
  let said = ''
  const hear = (chunk: unknown): void => {
    said += String(chunk)
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  child.stdin.on('error', () => {})
  child.stdin.end('activedefrag yes\ncachefront-ends-here yes\n')
  await new Promise<void>((resolve) => child.once('close', () => resolve()).once('error', () => resolve()))
  return said.includes('cachefront-ends-here') ? ['active-defrag'] : []
}

/** Which binary versions serve a wanted `major.minor`: the rule of each engine. */
const SERVES: Readonly<Record<EngineName, (wanted: string, version: string) => boolean>> = {
  // AWS's 7.1 is its own build of 7.0: any open-source 7.x serves both.
  redis: (wanted, version) => (wanted === '7.0' || wanted === '7.1') && version.startsWith('7.'),
  valkey: (wanted, version) => sameMinor(wanted, version),
  memcached: (wanted, version) => wanted === '1.6' && sameMinor(wanted, version),
}

const minorOf = (version: string): string => version.split('.').slice(0, 2).join('.')
const sameMinor = (wanted: string, version: string): boolean => minorOf(version) === wanted

/**
 * The newest binary that serves `engine` in version `wanted` (`7.1`, `1.6.22`: the patch is ignored), or why none does.
 * Of two alike the one that is found first.
 */
export function chooseBinary(
  binaries: readonly Binary[],
  engine: EngineName,
  wanted: string,
): { readonly binary: Binary } | { readonly problem: string } {
  const serving = binaries.filter((b) => b.engine === engine && SERVES[engine](minorOf(wanted), b.version))
  const [first, ...rest] = serving
  if (first !== undefined) {
    return { binary: rest.reduce((newest, b) => (isOlder(newest.version, b.version) ? b : newest), first) }
  }
  const { package: name } = PROGRAMS.find((p) => p.program.startsWith(engine))!
  const others = binaries.filter((b) => b.engine === engine)
  if (others.length === 0) {
    return { problem: `${engine} is not installed on this host: install the package ${name} (apt-get install ${name})` }
  }
  const have = others.map((b) => `${b.path} is ${b.version}`).join(', ')
  return { problem: `no installed ${engine} serves version ${wanted}: ${have}; install a package ${name} that does` }
}

/** What a process is started for, in words: `redis 7.1`. A ledger that was written earlier does not know it. */
export const purposeOf = (wish: { readonly engine: string; readonly engineVersion: string }): string =>
  `${wish.engine} ${wish.engineVersion}`
