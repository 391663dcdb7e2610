//! What redis-server and valkey-server answer, as the keeper reads it.
import type { EngineFacts } from './engine.ts'

/** A reply of CONFIG GET: names and values in turn. */
export async function pairsOf(asked: Promise<unknown>): Promise<ReadonlyMap<string, string>> {
  const flat = (await asked) as readonly string[]
  const pairs = new Map<string, string>()
  for (let at = 0; at + 1 < flat.length; at += 2) pairs.set(flat[at]!, flat[at + 1]!)
  return pairs
}

/** The engine answered, if with an error: its connection is well. */
export const isReplyError = (error: unknown): boolean => error instanceof Error && error.name === 'ReplyError'

type ReadFacts = Omit<EngineFacts, 'bound' | 'listening' | 'followsBy'>

/** The facts in the text of INFO server and INFO replication. */
export function readInfo(info: string): ReadFacts & { readonly masterPort: number } {
  const field = (name: string): string | null => new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? null
  const isReplica = field('role') === 'slave'
  return {
    pid: Number(field('process_id')),
    version: field('valkey_version') ?? field('redis_version') ?? '',
    role: isReplica ? 'replica' : 'primary',
    follows: isReplica ? field('master_host') : null,
    masterPort: Number(field('master_port')),
    inSync: isReplica && field('master_link_status') === 'up' && field('master_sync_in_progress') === '0',
    isCopying: isReplica && field('master_sync_in_progress') === '1',
    isLoading: !isReplica && field('loading') === '1',
    // A replica that never finished a transfer reports 0, and so does one whose transfer runs.
    offset: Number(isReplica ? field('slave_repl_offset') : field('master_repl_offset')),
  }
}
