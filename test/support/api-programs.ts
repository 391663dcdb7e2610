//! The AWS programs that people use, against a test's server: the AWS CLI and boto3, both Debian's.
import assert from 'node:assert/strict'
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { KeyPair } from '../../src/aws/sigv4.ts'
import { KEY_PAIR } from './api-server.ts'

/** Milliseconds; Python starts slowly on a busy machine. */
const PROGRAM_TIMEOUT_MS = 60_000

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Calls `run` with AWS_* of the test and a home of its own, so that nobody's configuration gets in. */
async function inOwnHome(url: string, run: (env: Record<string, string>, home: string) => Promise<Ended>) {
  const home = await mkdtemp(join(tmpdir(), 'cachefront-aws-'))
  const env = {
    PATH: '/usr/bin:/bin',
    HOME: home,
    LC_ALL: 'C.UTF-8',
    AWS_ACCESS_KEY_ID: KEY_PAIR.accessKeyId,
    AWS_SECRET_ACCESS_KEY: KEY_PAIR.secretAccessKey,
    AWS_DEFAULT_REGION: 'eu-west-1',
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_PAGER: '',
    ENDPOINT: url,
  }
  try {
    return await run(env, home)
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

/** Runs a program against `url`; `keys`: what it signs with. */
export const runAwsProgram = (
  program: string,
  args: readonly string[],
  url: string,
  keys: KeyPair = KEY_PAIR,
): Promise<Ended> =>
  inOwnHome(
    url,
    (env, cwd) =>
      new Promise((resolve) => {
        const signs = { AWS_ACCESS_KEY_ID: keys.accessKeyId, AWS_SECRET_ACCESS_KEY: keys.secretAccessKey }
        execFile(
          program,
          args,
          { env: { ...env, ...signs }, cwd, timeout: PROGRAM_TIMEOUT_MS },
          (error, stdout, stderr) => {
            resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr })
          },
        )
      }),
  )

/** `aws <args>` against `url`. */
export const aws = (url: string, ...args: string[]): Promise<Ended> =>
  inOwnHome(url, (env, directory) =>
    AwsCli.loaded().run(['--endpoint-url', url, '--output', 'json', ...args], env, directory),
  )

/** Debian's AWS CLI, loaded once for all commands of a test file (aws-cli.py). Ends with this process. */
class AwsCli {
  static #loaded: AwsCli | null = null
  readonly #process: ChildProcess
  readonly #ended: Promise<never>
  readonly #waiting = new Map<number, (code: number) => void>()
  #calls = 0

  static loaded(): AwsCli {
    AwsCli.#loaded ??= new AwsCli()
    return AwsCli.#loaded
  }

  private constructor() {
    const program = join(dirname(fileURLToPath(import.meta.url)), 'aws-cli.py')
    this.#process = spawn('/usr/bin/python3', [program], { stdio: ['pipe', 'pipe', 'inherit'] })
    this.#ended = once(this.#process, 'exit').then(() => assert.fail('the AWS CLI has ended'))
    this.#ended.catch(() => {})
    const { stdin, stdout } = this.#process
    assert.ok(stdin !== null && stdout !== null)
    createInterface(stdout).on('line', (line) => {
      const [id, code] = line.split(' ').map(Number)
      this.#waiting.get(id ?? 0)?.(code ?? -1)
    })
    // A test file ends though this waits for more.
    for (const one of [this.#process, stdin, stdout]) (one as { unref?: () => void }).unref?.()
  }

  async run(argv: readonly string[], env: Record<string, string>, directory: string): Promise<Ended> {
    const id = ++this.#calls
    // Also what keeps the test's process from ending before the answer.
    const { promise, resolve, reject } = Promise.withResolvers<number>()
    const timer = setTimeout(() => reject(new Error(`aws ${argv.join(' ')}: no end`)), PROGRAM_TIMEOUT_MS)
    this.#waiting.set(id, resolve)
    this.#process.stdin?.write(`${JSON.stringify({ id, argv, env, directory })}\n`)
    try {
      const code = await Promise.race([promise, this.#ended])
      const printed = (name: string) => readFile(join(directory, name), 'utf8')
      return { code, stdout: await printed('stdout'), stderr: await printed('stderr') }
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(id)
    }
  }
}

/** What `aws <service> <args>` printed, read as JSON; null for nothing. @throws with its error when it failed */
export async function awsJson(url: string, service: string, ...args: string[]) {
  const { code, stdout, stderr } = await aws(url, service, ...args)
  assert.equal(code, 0, `${args[0]}: ${stderr}`)
  return stdout === '' ? null : JSON.parse(stdout)
}
