//! The public suite `http-cache-tests` (cache-tests.fyi), fetched from the npm registry by its version and checked
//! against the hash that is written here. It is no dependency: its engine (client, server, judgement) is used as it is.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type { SuiteFetch } from './client.ts'

const NAME = 'http-cache-tests'
export const VERSION = '0.4.5'
/** Of the published tarball, as the registry lists it. */
const INTEGRITY = 'sha512-DjuwN9nUZXLTW+wav1LRESCZNVxl8SshwOy4z1pxuWbWt5/ay6sM9QQ1lebBaDO6P1IMBoK6mdf+PuVP/QNL8A=='
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/cachefront', import.meta.url))
/** A registry that has not answered by then is not there. Milliseconds. */
const FETCH_MS = 60_000

const run = promisify(execFile)

export type TestKind = 'required' | 'optimal' | 'check'

/** One test as the suite writes it; only what is read here. */
export interface SuiteTest {
  readonly id: string
  readonly name: string
  /** `required` when absent. */
  readonly kind?: TestKind
  readonly depends_on?: readonly string[]
  readonly browser_only?: boolean
  dump?: boolean
}

export interface SuiteGroup {
  readonly id: string
  readonly name: string
  tests: SuiteTest[]
}

/** True when it passed; else what kind of failure and what was seen. */
export type RawResult = true | readonly [kind: string, message: string]
export type RawResults = Readonly<Record<string, RawResult>>

export interface Suite {
  /** Program of its origin. */
  readonly server: string
  readonly groups: readonly SuiteGroup[]
  runTests(groups: readonly SuiteGroup[], fetch: SuiteFetch, browserCache: boolean, baseUrl: string): Promise<void>
  getResults(): RawResults
  /** The suite's own judgement; the third entry is a symbol for a terminal. */
  determineTestResult(
    groups: readonly SuiteGroup[],
    id: string,
    results: RawResults,
    honourDependencies: boolean,
  ): readonly [string, string, string]
}

/**
 * Loads the suite: the published one, which is fetched unless it is there already, or the copy in `given`, of this or of a
 * later edition. @throws when the registry's file is another one
 */
export async function loadSuite(given: string | undefined): Promise<Suite> {
  const directory = given ?? join(CACHE, `${NAME}-${VERSION}`)
  if (given === undefined && !existsSync(directory)) await fetchTo(directory)
  // Later editions have the engine apart from the tests.
  const engine = existsSync(join(directory, 'test-engine')) ? 'test-engine/' : ''
  const load = async (file: string): Promise<Record<string, unknown>> =>
    (await import(pathToFileURL(join(directory, file)).href)) as Record<string, unknown>
  const [tests, surrogate, runner, results] = await Promise.all([
    load('tests/index.mjs'),
    existsSync(join(directory, 'tests/surrogate-control.mjs')) ? load('tests/surrogate-control.mjs') : null,
    load(`${engine}client/runner.mjs`),
    load(
      existsSync(join(directory, engine, 'lib/results.mjs')) ? `${engine}lib/results.mjs` : `${engine}lib/display.mjs`,
    ),
  ])
  const listed = tests.default as SuiteGroup[]
  const more = surrogate === null ? [] : [surrogate.default as SuiteGroup].filter((group) => !listed.includes(group))
  const server = join(directory, engine, 'server/server.mjs')
  return { server, groups: [...listed, ...more], ...runner, ...results } as unknown as Suite
}

async function fetchTo(directory: string): Promise<void> {
  await mkdir(CACHE, { recursive: true })
  const scratch = await mkdtemp(join(CACHE, 'fetch-'))
  try {
    await run('npm', ['pack', `${NAME}@${VERSION}`, '--silent'], { cwd: scratch, timeout: FETCH_MS })
    const tarball = join(scratch, `${NAME}-${VERSION}.tgz`)
    const hash = `sha512-${createHash('sha512')
      .update(await readFile(tarball))
      .digest('base64')}`
    if (hash !== INTEGRITY) throw new Error(`${NAME} ${VERSION} of this registry is not the published one: ${hash}`)
    await run('tar', ['xzf', tarball, '-C', scratch])
    await rename(join(scratch, 'package'), directory)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}
