//! The AWS programs that people use, against a test's server: the AWS CLI and boto3, both Debian's.
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KEY_PAIR } from './api-server.ts'

/** Milliseconds; Python starts slowly on a busy machine. */
const PROGRAM_TIMEOUT_MS = 60_000

export interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program with AWS_* of the test and a home of its own, so that nobody's configuration gets in. */
export async function runAwsProgram(program: string, args: readonly string[], url: string): Promise<Ended> {
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
    return await new Promise((resolve) => {
      execFile(program, args, { env, cwd: home, timeout: PROGRAM_TIMEOUT_MS }, (error, stdout, stderr) => {
        resolve({ code: error === null ? 0 : Number(error.code ?? -1), stdout, stderr })
      })
    })
  } finally {
    await rm(home, { recursive: true, force: true })
  }
}

/** `aws <args>` against `url`. */
export function aws(url: string, ...args: string[]): Promise<Ended> {
  return runAwsProgram('/usr/bin/aws', ['--endpoint-url', url, '--output', 'json', ...args], url)
}

/** What `aws <service> <args>` printed, read as JSON; null for nothing. @throws with its error when it failed */
export async function awsJson(url: string, service: string, ...args: string[]) {
  const { code, stdout, stderr } = await aws(url, service, ...args)
  assert.equal(code, 0, `${args[0]}: ${stderr}`)
  return stdout === '' ? null : JSON.parse(stdout)
}
