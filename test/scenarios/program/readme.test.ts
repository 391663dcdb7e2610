//! README's transcripts, run line by line in one shell as a newcomer would; every answer must be what README prints.
//! Only the two default ports are put in place of the installation's own.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { after, before, test } from 'node:test'
import { promisify } from 'node:util'
import { endAll, type Installation, newHome, upWithSample } from '../../support/program-installation.ts'

interface Step {
  readonly command: string
  readonly answer: string
}

/** The blocks of commands (`$ ...`) and answers, one after the other. */
function transcript(readme: string): Step[] {
  const blocks = [...readme.matchAll(/```console\n([\s\S]*?)```/g)].map(([, block]) => block ?? '')
  assert.equal(blocks.length, 2, 'README has two console blocks')
  return blocks.flatMap((block) =>
    block
      .split(/^\$ /m)
      .slice(1)
      .map((text) => {
        const end = text.indexOf('\n')
        return { command: text.slice(0, end), answer: text.slice(end + 1) }
      }),
  )
}

/** Prints a mark that stands in no answer before each command, so that the answers can be told apart. */
const MARK = '=====next====='

let home: string
let installation: Installation
before(async () => {
  home = await newHome()
  installation = await upWithSample(home)
})
after(async () => assert.deepEqual(await endAll(home), [], 'nothing is left behind'))

test('README: its transcripts can be repeated line by line', { timeout: 120_000 }, async () => {
  const steps = transcript(readFileSync(new URL('../../../README.md', import.meta.url), 'utf8'))
  const edgePort = installation.edge.split(':').at(-1)
  const script = steps
    .map(({ command }) => `echo ${MARK}\n${command}`)
    .join('\n')
    .replaceAll('http://127.0.0.1:4566', installation.api)
    .replaceAll(':8080', `:${edgePort}`)
  // Debian's AWS CLI, as README's reader has it; a newer one elsewhere in PATH would do as well.
  const env = { ...process.env, PATH: `/usr/bin:${process.env.PATH}`, HOME: home, CACHEFRONT_HOME: home, AWS_PAGER: '' }
  const { stdout } = await promisify(execFile)('bash', ['-c', script], { env, timeout: 100_000 })
  const answers = stdout.split(`${MARK}\n`).slice(1)
  assert.equal(answers.length, steps.length)
  for (const [at, { command, answer }] of steps.entries()) assert.equal(answers[at], answer, `$ ${command}`)
})
