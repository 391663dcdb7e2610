//! The operator's program that puts up TXT records and takes them down (`--acme-dns-hook PROGRAM`): called with `present` or
//! `cleanup`, the record's whole name, and its text. It returns when the record can be seen; 0 is done. What it says last on
//! its error output is shown to people when it fails.
import { type ChildProcess, spawn } from 'node:child_process'
import { oneLine } from './problem.ts'

/** Long enough for a record to reach all servers of a zone. Milliseconds. */
const HOOK_MS = 300_000
/** What is kept of its error output. Characters. */
const ERROR_CHARACTERS = 4_096

export interface DnsHookOptions {
  /** Absolute. */
  readonly program: string
  /** Its environment. */
  readonly environment: NodeJS.ProcessEnv
  readonly timeoutMs?: number
}

export class DnsHook {
  readonly #options: DnsHookOptions
  readonly #children = new Set<ChildProcess>()

  constructor(options: DnsHookOptions) {
    this.#options = options
  }

  /** `record`: `_acme-challenge.example.com`. @throws Error with what it said */
  run(what: 'present' | 'cleanup', record: string, text: string): Promise<void> {
    const { program, environment, timeoutMs = HOOK_MS } = this.#options
    return new Promise((resolve, reject) => {
      const fail = (why: string): void =>
        reject(new Error(`the DNS hook ${program} could not ${what} ${record}: ${why}`))
      const child = spawn(program, [what, record, text], {
        env: environment,
        stdio: ['ignore', 'ignore', 'pipe'],
        // A group of its own: what it started ends with it.
        detached: true,
      })
      this.#children.add(child)
      let said = ''
      let isLate = false
      const timer = setTimeout(() => {
        isLate = true
        kill(child)
      }, timeoutMs)
      child.stderr?.setEncoding('utf8')
      child.stderr?.on('data', (chunk: string) => {
        said = (said + chunk).slice(-ERROR_CHARACTERS)
      })
      const end = (): void => {
        clearTimeout(timer)
        this.#children.delete(child)
      }
      child.once('error', (error: NodeJS.ErrnoException) => {
        end()
        fail(error.code === 'ENOENT' ? 'there is no such program' : error.message)
      })
      child.once('close', (code, signal) => {
        end()
        if (code === 0) return resolve()
        const last = oneLine(said.trim().split('\n').at(-1) ?? '')
        if (isLate) return fail(`it took longer than ${timeoutMs / 1000} s`)
        fail(`${code === null ? `ended by ${signal}` : `exit code ${code}`}${last === '' ? '' : `: ${last}`}`)
      })
    })
  }

  close(): void {
    for (const child of this.#children) kill(child)
  }
}

function kill({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}
