//! `npm run conformance`: the public suite http-cache-tests against a real distribution. Exit codes: 0 as expected, 1 not
//! as expected, 2 usage.
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { clientFor } from './client.ts'
import { documentOf } from './document.ts'
import { DEPARTURES, EXPECTED } from './expected.ts'
import { count, type Judged, judge, surprises, unknownExceptions } from './judge.ts'
import { countsTable, resultLine } from './print.ts'
import { startServers } from './servers.ts'
import { loadSuite, type Suite, VERSION } from './suite.ts'

const DOCUMENT = fileURLToPath(new URL('../../docs/conformance.md', import.meta.url))
const USAGE = `Usage: npm run conformance -- [--mode default] [--workers N] [--only ID] [--verbose] [--json] [--write]
  --mode default|strict  CloudFront's behaviour, or the RFCs (not built yet)
  --workers N            edge workers of the installation (1 unless given)
  --only ID              one test, with its requests and answers
  --verbose              every test's result
  --json                 results and counts as JSON
  --write                print docs/conformance.md from this run`

class UsageError extends Error {}

function options() {
  try {
    const { values } = parseArgs({
      options: {
        mode: { type: 'string', default: 'default' },
        workers: { type: 'string', default: '1' },
        only: { type: 'string' },
        verbose: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        write: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    })
    if (values.help) throw new UsageError(USAGE)
    if (values.mode === 'strict')
      throw new UsageError('Strict mode is not built: there is no --rfc-strict yet. Run --mode default.')
    if (values.mode !== 'default') throw new UsageError(`--mode is default or strict, not ${values.mode}.\n${USAGE}`)
    if (!/^[1-9]\d?$/.test(values.workers)) throw new UsageError(`--workers is 1-99, not ${values.workers}.`)
    if (values.write && values.only !== undefined) throw new UsageError('--write needs all tests: leave out --only.')
    return values
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(`${(error as Error).message}\n${USAGE}`)
  }
}

/** The suite with that one test only, which then prints its requests and answers. */
function selected(suite: Suite, id: string): Suite {
  const groups = suite.groups
    .map((group) => ({ ...group, tests: group.tests.filter((test) => test.id === id) }))
    .filter((group) => group.tests.length > 0)
  for (const group of groups) for (const test of group.tests) test.dump = true
  if (groups.length === 0) throw new UsageError(`The suite has no test ${id}.`)
  return { ...suite, groups }
}

async function runSuite(suite: Suite, workers: string): Promise<Judged[]> {
  const servers = await startServers(suite.directory, workers)
  try {
    await suite.runTests(suite.groups, clientFor(servers.host), false, servers.baseUrl)
  } finally {
    await servers.end()
  }
  return judge(suite, suite.getResults())
}

async function main(): Promise<number> {
  const { workers, only, verbose, json, write } = options()
  const whole = await loadSuite()
  if (only !== undefined) {
    const [one] = await runSuite(withoutDependencies(selected(whole, only)), workers)
    console.log(one === undefined ? `${only} is for browsers only.` : resultLine(one))
    return one?.verdict === 'pass' ? 0 : 1
  }
  const judged = await runSuite(whole, workers)
  const counts = count(judged)
  const expected = new Set(EXPECTED.keys())
  const unexpected = [...surprises(judged, expected), ...unknownExceptions(judged, expected)]
  if (json) {
    console.log(JSON.stringify({ suite: VERSION, mode: 'default', counts, results: judged, unexpected }, null, 2))
  } else {
    if (verbose) console.log(judged.map(resultLine).join('\n'), '\n')
    console.log(countsTable(counts))
    console.log(`\n${EXPECTED.size} exceptions, each with its reason in test/conformance/expected.ts`)
    for (const line of unexpected) console.log(`unexpected: ${line}`)
  }
  if (write) await writeFile(DOCUMENT, documentOf(judged, counts, DEPARTURES))
  return unexpected.length === 0 ? 0 : 1
}

/** Alone, a test cannot be judged by others. */
const withoutDependencies = (suite: Suite): Suite => ({
  ...suite,
  groups: suite.groups.map((group) => ({
    ...group,
    tests: group.tests.map((test) => ({ ...test, depends_on: [] })),
  })),
})

try {
  process.exitCode = await main()
} catch (error) {
  console.error(error instanceof UsageError ? error.message : error)
  process.exitCode = error instanceof UsageError ? 2 : 1
}
