//! What the command line is given by main.ts: settings, the roles it starts, and where its words go.

/** An option of `up`, as config.ts declares it. */
export interface UpOption {
  readonly name: string
  readonly env: string | null
  readonly argument: string | null
  readonly list?: true
  readonly default: string | null
  readonly about: string
}

export type UpFlags = Readonly<Record<string, string | boolean | readonly string[] | undefined>>

export interface CliHost {
  readonly version: string
  readonly upOptions: readonly UpOption[]
  /** Runs the control plane in the foreground; resolves with the exit code. */
  up(flags: UpFlags): Promise<number>
  /** Starts a keeper for the home, which adopts what an earlier one left running; does not wait for it to answer. */
  startKeeper(home: string): Promise<void>
  /** The home that `--home`, CACHEFRONT_HOME or the default name, as an absolute path. @throws an error for a person */
  home(flag: string | undefined): string
  readonly files: (home: string) => HomeFiles
  /** CACHEFRONT_ENDPOINT, for an installation elsewhere. */
  readonly endpoint: string | undefined
  /** Keys that the API checks, when it checks keys; any others do on loopback. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** Directories in which engine binaries are looked for. */
  readonly enginePath: readonly string[]
  readonly out: Output
}

/** Files of an installation that the client commands open themselves. */
export interface HomeFiles {
  readonly state: string
  /** What wraps the secrets of access keys in it. */
  readonly accessKeys: string
  /** Changes through the API (observe/audit-log.ts). */
  readonly auditLog: string
  readonly installation: string
  readonly keeperSocket: string
  /** Directory of the keeper: there once one has run. */
  readonly keeper: string
  /** Directory with an access log of each worker: `access-worker-0.log`. */
  readonly logs: string
  /** The certificate authority of the installation (lib/ca/authority.ts). */
  readonly tls: string
}

export interface Output {
  /** Standard output: results. */
  print(text: string): void
  /** Standard error: what went wrong, questions. */
  complain(text: string): void
  /** True when a person sees it: progress may move, questions may be asked. */
  readonly interactive: boolean
  /** Asks a person one line; only when `interactive`. */
  ask(question: string): Promise<string>
}

/** Ends the command with a line for a person. `code` 1: it failed; 2: it was called wrongly. */
export class CliError extends Error {
  readonly code: 1 | 2

  constructor(message: string, code: 1 | 2 = 1) {
    super(message)
    this.name = 'CliError'
    this.code = code
  }
}
