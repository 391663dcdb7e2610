//! `npm run conformance`: the public suite http-cache-tests against a real distribution, in default mode and in strict
//! mode. Exit codes: 0 as expected, 1 not as expected, 2 usage.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { clientFor } from './client.ts'
import { documentOf } from './document.ts'
import { DEPARTURES, expectedIn, MODES, type Mode } from './expected.ts'
import { count, type Judged, judge, surprises, unknownExceptions } from './judge.ts'
import { countsTable, resultLine } from './print.ts'
import { startServers } from './servers.ts'
import { loadSuite, type Suite, VERSION } from './suite.ts'

const DOCUMENT = fileURLToPath(new URL('../../docs/conformance.md', import.meta.url))
const USAGE = `Usage: npm run conformance -- [--mode both] [--workers N] [--only ID] [--verbose] [--json] [--write]
  --mode default|strict|both  CloudFront's behaviour, the RFCs (cachefront:rfc-strict=true), or one after the other
  --workers N                 edge workers of the installation (1 unless given)
  --only ID                   one test of one mode, with its requests and answers
  --verbose                   every test's result
  --json                      results and counts as JSON
  --suite DIR                 a copy of the suite in place of ${VERSION}: what is expected is for ${VERSION} alone
  --write                     print docs/conformance.md from this run`

class UsageError extends Error {}

function options() {
  try {
    const { values } = parseArgs({
      options: {
        mode: { type: 'string', default: 'both' },
        workers: { type: 'string', default: '1' },
        only: { type: 'string' },
        suite: { type: 'string' },
        verbose: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        write: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) throw new UsageError(USAGE)
    const modes = values.mode === 'both' ? MODES : MODES.filter((mode) => mode === values.mode)
    if (modes.length === 0) throw new UsageError(`--mode is default, strict or both, not ${values.mode}.\n${USAGE}`)
    if (!/^[1-9]\d?$/.test(values.workers)) throw new UsageError(`--workers is 1-99, not ${values.workers}.`)
    const partial = values.only !== undefined || values.suite !== undefined || modes.length === 1
    if (values.write && partial)
      throw new UsageError('--write needs all tests in both modes: leave out --only, --suite and --mode.')
    if (values.only !== undefined && modes.length > 1) throw new UsageError('--only needs a --mode: default or strict.')
    return { ...values, modes, suite: values.suite === undefined ? undefined : resolve(values.suite) }
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(`${(error as Error).message}\n${USAGE}`)
  }
}

/** What one run of one mode found. */
export interface ModeRun {
  readonly mode: Mode
  readonly results: readonly Judged[]
}

/** The suite with that one test only, which then prints its requests and answers; alone, it is judged by no other. */
function selected(suite: Suite, id: string): Suite {
  const groups = suite.groups
    .map((group) => ({
      ...group,
      tests: group.tests.filter((test) => test.id === id).map((test) => ({ ...test, depends_on: [], dump: true })),
    }))
    .filter((group) => group.tests.length > 0)
  if (groups.length === 0) throw new UsageError(`The suite has no test ${id}.`)
  return { ...suite, groups }
}

async function runSuite(suite: Suite, mode: Mode, workers: string): Promise<Judged[]> {
  const servers = await startServers(suite, mode, workers)
  try {
    await suite.runTests(suite.groups, clientFor(servers.host), false, servers.baseUrl)
  } finally {
    await servers.end()
  }
  return judge(suite, suite.getResults())
}

/** The suite keeps its results in its modules, so that each mode has a process of its own. */
async function runApart(mode: Mode, workers: string, suite: string | undefined): Promise<ModeRun> {
  const args = [fileURLToPath(import.meta.url), '--mode', mode, '--workers', workers, '--json']
  const child = spawn(process.execPath, [...args, ...(suite === undefined ? [] : ['--suite', suite])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text += piece
  })
  await once(child, 'close')
  // The suite's own client may print lines of its own before.
  const [run] = (JSON.parse(text.slice(text.indexOf('{\n'))) as { runs: ModeRun[] }).runs
  if (run === undefined) throw new Error(`the run in ${mode} mode ended without results`)
  return run
}

async function main(): Promise<number> {
  const { modes, workers, only, suite: directory, verbose, json, write } = options()
  const [first, another] = modes
  const runs: ModeRun[] = []
  if (another !== undefined) {
    for (const mode of modes) runs.push(await runApart(mode, workers, directory))
  } else if (first !== undefined) {
    const suite = await loadSuite(directory)
    if (only !== undefined) {
      const [one] = await runSuite(selected(suite, only), first, workers)
      console.log(one === undefined ? `${only} is for browsers only.` : resultLine(one))
      return one?.verdict === 'pass' ? 0 : 1
    }
    runs.push({ mode: first, results: await runSuite(suite, first, workers) })
  }
  const unexpected = runs.flatMap((run) => surprisesOf(run, directory).map((line) => `${run.mode}: ${line}`))
  if (json) {
    const counted = runs.map((run) => ({ ...run, counts: count(run.results) }))
    console.log(JSON.stringify({ suite: directory ?? VERSION, runs: counted, unexpected }, null, 2))
  } else {
    for (const run of runs) print(run, verbose, directory)
    for (const line of unexpected) console.log(`unexpected: ${line}`)
  }
  if (write) await writeFile(DOCUMENT, documentOf(runs, DEPARTURES))
  return unexpected.length === 0 ? 0 : 1
}

/** Another edition has other tests: of those only what fails is told. */
function surprisesOf({ mode, results }: ModeRun, directory: string | undefined): string[] {
  if (directory !== undefined) return surprises(results, new Set())
  const expected = new Set(expectedIn(mode).keys())
  return [...surprises(results, expected), ...unknownExceptions(results, expected)]
}

function print({ mode, results }: ModeRun, verbose: boolean, directory: string | undefined): void {
  if (verbose) console.log(results.map(resultLine).join('\n'), '\n')
  console.log(`${mode} mode\n${countsTable(count(results))}`)
  if (directory === undefined) {
    console.log(`${expectedIn(mode).size} exceptions, each with its reason in test/conformance/expected.ts`)
  }
  console.log('')
}

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof UsageError ? error.message : error)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
