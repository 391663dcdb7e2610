//! What the keeper needs of an engine, whichever it is: how to start one, and an admin connection to a running one.
//! Recovering a running engine after a restart of the keeper is `open` on the process that the ledger names.
import type { Binary } from './binaries.ts'
import type { Door } from './door.ts'
import type { Observation } from './observation.ts'
import type { Listening, ServedCertificate, Source } from './transit.ts'

export type Setting = readonly [name: string, value: string]

export interface EngineUser {
  readonly name: string
  /** Arguments of ACL SETUSER behind the name. They begin with `reset`: what the user was before does not matter. */
  readonly rules: readonly string[]
}

export interface LaunchOrder {
  readonly binary: Binary
  /** Id of the node, for the process title. */
  readonly name: string
  /** Where it is to listen, and the keeper's own user that it is to know. */
  readonly door: Door
  /** redis and valkey: who comes without a name, from the first moment on; null for memcached. */
  readonly defaultUser: EngineUser | null
  readonly listening: Listening
  /** What it serves TLS with; null without. */
  readonly certificate: ServedCertificate | null
  /** Working directory of its own; nothing but the log is written there. */
  readonly dir: string
  readonly settings: readonly Setting[]
  /** Where to replicate from; null for a primary and for memcached. */
  readonly replicaOf: Source | null
}

export interface Launch {
  readonly args: readonly string[]
  /** Text for its standard input; null for none. */
  readonly input: string | null
  /** The settings that were really given, where the host or the keeper forced others. */
  readonly startedWith: readonly Setting[]
}

export interface EngineFacts {
  /** Pid that the engine itself reports: tells a stranger on the address from ours. */
  readonly pid: number
  readonly version: string
  /** `none` for memcached. */
  readonly role: 'primary' | 'replica' | 'none'
  /** Address it replicates from. */
  readonly follows: string | null
  readonly inSync: boolean
  /** A full transfer from the primary is under way: what it holds is about to be replaced. */
  readonly isCopying: boolean
  /** A primary that reads its append-only file: it serves nobody yet. */
  readonly isLoading: boolean
  /** Bytes of the replication stream that it holds; 0 without a copy. */
  readonly offset: number
  readonly bound: readonly string[]
  readonly listening: Listening
  /** Port of its primary, and whether it is reached over TLS; null for a primary. */
  readonly followsBy: Pick<Source, 'port' | 'tls'> | null
}

export interface EngineLink {
  /** Resolves when the engine answered and could serve others; rejects when it did not, or the connection is gone. */
  ping(): Promise<void>
  look(): Promise<EngineFacts>
  /**
   * Applies what can be applied to the running engine and reads all of it back.
   * Returns the names that hold other values than wished.
   */
  configure(wished: readonly Setting[], startedWith: readonly Setting[]): Promise<readonly string[]>
  /**
   * Gives it exactly these users and its keeper's own. Connections of users that are gone end; those of others stay and
   * have the new rules at once. Returns what it refused, in words for a person; null when nothing.
   */
  setUsers(users: readonly EngineUser[]): Promise<string | null>
  /** What it says of itself: the text of `INFO all`, or `STAT name value` lines. Rejects when it does not answer. */
  statistics(): Promise<string>
  /** Serves this certificate from now on; connections that exist stay. `dir`: of its node. */
  serveCertificate(certificate: ServedCertificate, dir: string): Promise<void>
  /** Null for memcached. */
  readonly replication: Replication | null
  /** What else it tells to whom asks; null for memcached. */
  readonly observation: Observation | null
  /** Stores a value under a key of ours (memcached's fallback for discovery). */
  store(key: string, value: string): Promise<void>
  close(): void
}

export interface Replication {
  /** Replicates from `source`; null makes it a primary. */
  follow(source: Source | null): Promise<void>
  /** Replaces all data by that of a primary of ours which speaks in plain text; `undo` makes replication as it was. */
  load(address: string, port: number): Promise<{ undo(): Promise<void> }>
  /**
   * Listens on these ports, with this certificate where one is of TLS. Connections of clients whose kind is no longer
   * taken are ended; the others stay. `groupPort`: the one that clients know.
   */
  listen(listening: Listening, certificate: ServedCertificate | null, groupPort: number): Promise<void>
  /** Listens on exactly these addresses. Connections that exist stay. */
  bind(addresses: readonly string[]): Promise<void>
  /** Ends the connections of clients that came through `address`. */
  dropClients(address: string): Promise<void>
  /** Goes by another name and address from now on: it took the place of the node that had them. */
  goBy(name: string, address: string): Promise<void>
  /** Pauses writes, waits until `heir` has them all, and swaps roles with it. Rejects when that fails. */
  handOver(heir: Source): Promise<void>
}

export interface Engine {
  readonly replicated: boolean
  /** The signal that ends it in order; it is killed when it does not end then. */
  readonly endSignal: 'SIGTERM' | 'SIGKILL'
  launch(order: LaunchOrder): Launch
  /**
   * Opens an admin connection; rejects when nobody answers within `timeoutMs`, or not to us. `onClosed` is called once
   * after it.
   */
  open(door: Door, timeoutMs: number, onClosed: () => void): Promise<EngineLink>
  /** The setting that made a start fail, told from the end of its log; null when it was something else. */
  refusedSetting(logTail: string, settings: readonly Setting[]): Setting | null
}
