//! `npm test`: checks, then tests; one line a step, what failed in full, and the last line counts.
//!   npm test                     everything
//!   npm test -- src/state        test files whose path contains this
//!   npm test -- 'after SIGKILL'  tests whose name contains this
import { spawn } from 'node:child_process'
import { existsSync, globSync, mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { run } from 'node:test'
import { fileURLToPath, pathToFileURL } from 'node:url'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
/** A test file that takes longer hangs. Milliseconds. */
const FILE_TIMEOUT_MS = 240_000
/** Test files at a time: scenarios start real processes, and half of their time they wait for those to answer. */
const FILES_AT_ONCE = Math.min(4, availableParallelism() + 1)
/** What a test file printed is kept to be shown when one of its tests fails. Characters, the last ones. */
const OUTPUT_KEPT = 20_000
/** How often a long step says that it goes on. Milliseconds. */
const PROGRESS_MS = 15_000

/** Each test file is a process that loads much the same sources: compiled once, a third of the time of the quick ones is saved. */
process.env.NODE_COMPILE_CACHE ??= join(ROOT, 'node_modules', '.cache', 'compiled')

/**
 * Folders of unit tests that leave nothing behind in their process, have no hooks and start nothing: when everything is
 * tested, one process runs all of a folder. By itself a file costs more to load than to run.
 */
const TOGETHER = [
  'src/aws',
  'src/control/plan',
  'src/domain',
  'src/edge/access',
  'src/edge/fields',
  'src/edge/snapshot',
  'src/edge/waf',
  'src/http',
  'src/observe',
]
const TOGETHER_DIRECTORY = join(ROOT, 'node_modules', '.cache', 'tested-together')

const CHECKS = [
  { name: 'types', command: ['node_modules/@typescript/native/bin/tsc', '--noEmit'] },
  { name: 'lint', command: ['node_modules/@biomejs/biome/bin/biome', 'check', '.'] },
  {
    name: 'layers',
    command: [
      'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs',
      '--config',
      '.dependency-cruiser.cjs',
      'src',
    ],
  },
  { name: 'unused', command: ['node_modules/knip/bin/knip.js', '--no-progress'] },
  { name: 'docs', command: ['scripts/docs.ts', '--check'] },
]

const counts = { passed: 0, failed: 0, skipped: 0 }
const now = () => performance.now()
const took = (since) => `${((now() - since) / 1000).toFixed(1)} s`
const say = (text) => process.stdout.write(`${text}\n`)

/** Runs a Node program to its end. */
function runNode(args) {
  return new Promise((done) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.stderr.on('data', (chunk) => {
      output += chunk
    })
    child.on('close', (code) => done({ ok: code === 0, output }))
  })
}

async function runCheck({ name, command }) {
  const since = now()
  const { ok, output } = await runNode(command)
  counts[ok ? 'passed' : 'failed'] += 1
  say(`${ok ? '✔' : '✖'} ${name} (${took(since)})`)
  if (!ok) say(output.trimEnd())
}

/** The error as a person reads it: the assertion's own text with its place, not the runner's wrapping. */
function describeFailure({ name, file, line, details }) {
  const error = details.error?.cause ?? details.error
  const whole = typeof error === 'string' ? error : (error?.stack ?? error?.message ?? String(error))
  const text = whole.replaceAll(/\n\s+at .*node:internal.*/g, '')
  return `✖ ${name}\n  at ${file?.replace(`${ROOT}/`, '')}:${line}\n${text.replaceAll(/^/gm, '    ')}`
}

/** Tests of these files, a count of what leaves of the tree did (a suite is not a test). */
function runTests(files, pattern, together = new Map()) {
  const since = now()
  const before = { ...counts }
  const progress = setInterval(() => {
    say(`  ... ${counts.passed - before.passed} passed, ${counts.failed - before.failed} failed (${took(since)})`)
  }, PROGRESS_MS)
  const stream = run({
    files: [...new Set(files.map((file) => together.get(file) ?? file))],
    cwd: ROOT,
    concurrency: FILES_AT_ONCE,
    timeout: FILE_TIMEOUT_MS,
    ...(pattern === null ? {} : { testNamePatterns: [pattern] }),
  })
  const output = new Map()
  const failedFiles = new Set()
  const keep = ({ file, message }) => {
    const path = resolve(ROOT, file)
    output.set(path, ((output.get(path) ?? '') + message).slice(-OUTPUT_KEPT))
  }
  stream.on('test:stdout', keep)
  stream.on('test:stderr', keep)
  // A file of which no test was chosen passes as a test named like the file.
  const isFile = ({ name, nesting }) => nesting === 0 && existsSync(resolve(ROOT, name))
  stream.on('test:pass', (event) => {
    const { details, skip, todo } = event
    if (details.type === 'suite' || isFile(event)) return
    counts[skip === undefined && todo === undefined ? 'passed' : 'skipped'] += 1
  })
  stream.on('test:fail', (event) => {
    const { details, file, todo } = event
    if (todo !== undefined) return
    // A suite fails when one of its tests does, which has been told already.
    if (details.type === 'suite' && details.error?.failureType === 'subtestsFailed') return
    counts.failed += 1
    say(describeFailure(event))
    failedFiles.add(resolve(ROOT, file))
  })
  return new Promise((done, reject) => {
    stream.on('error', reject)
    stream.on('end', () => {
      clearInterval(progress)
      for (const path of new Set([...failedFiles].map((file) => together.get(relative(ROOT, file)) ?? file))) {
        if (output.has(path)) say(`${path} printed:\n${output.get(path).trimEnd().replaceAll(/^/gm, '    ')}`)
      }
      say(`${counts.failed === before.failed ? '✔' : '✖'} tests: ${files.length} files (${took(since)})`)
      done()
    })
    stream.resume()
  })
}

/** Unit tests first: they are quick, and what they find explains what the scenarios find. */
function testFiles() {
  const files = [...globSync('{src,scripts,bench,examples}/**/*.test.ts', { cwd: ROOT }).sort()]
  files.push(...globSync('test/**/*.test.ts', { cwd: ROOT }).sort())
  return files
}

/** For each file of TOGETHER the one that is run in its place: it imports all of the folder. */
function filesTogether(files) {
  mkdirSync(TOGETHER_DIRECTORY, { recursive: true })
  const together = new Map()
  for (const folder of TOGETHER) {
    const members = files.filter((file) => file.startsWith(`${folder}/`))
    const path = join(TOGETHER_DIRECTORY, `${folder.replaceAll('/', '-')}.mjs`)
    writeFileSync(path, members.map((file) => `import '${pathToFileURL(join(ROOT, file))}'\n`).join(''))
    for (const file of members) together.set(file, path)
  }
  return together
}

const wanted = process.argv.slice(2)
const all = testFiles()
if (wanted.length === 0) {
  for (const check of CHECKS) if (existsSync(join(ROOT, check.command[0]))) await runCheck(check)
  await runTests(all, null, filesTogether(all))
} else {
  const byPath = all.filter((file) => wanted.some((part) => file.includes(part.replace(/^\.\//, ''))))
  const noPath = byPath.length === 0 && wanted.some((part) => part.includes('/'))
  if (noPath) {
    say(`No test file's path contains: ${wanted.join(' ')}`)
    process.exit(1)
  }
  const pattern = byPath.length > 0 ? null : wanted.join(' ').replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  await runTests(byPath.length > 0 ? byPath : all, pattern === null ? null : new RegExp(pattern))
}
if (counts.passed + counts.failed === 0) {
  say(`No test is called or lies at: ${wanted.join(' ')}`)
  counts.failed = 1
}
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : ''
say(`${counts.passed} passed, ${counts.failed} failed${skipped}`)
process.exit(counts.failed === 0 ? 0 : 1)
