//! The append-only file of a group that wants one (tag `cachefront:appendonly`): in the directory of each node, loaded by
//! the engine when it starts again. Everybody else's nodes have none: an old one must not come back as data.
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { Setting } from './engine.ts'
import type { GroupWish } from './protocol.ts'

/** Where redis 7 and valkey keep it, below the node's directory (`appenddirname`, which nobody may change). */
const DIRECTORY = 'appendonlydir'

/** Encryption at rest rules it out, whatever is wished beside it. */
export const keepsFile = ({ appendonly, atRestEncryption }: GroupWish): boolean =>
  appendonly !== undefined && atRestEncryption !== true

/** The configuration of a node by the wish, with the append-only file as it is to be; of two directives the engine takes the last. */
export function settingsOf(wish: GroupWish, node: string): readonly Setting[] {
  if (wish.engine === 'memcached') return wish.nodes.find(({ id }) => id === node)?.configuration ?? wish.configuration
  if (!keepsFile(wish)) return [...wish.configuration, ['appendonly', 'no']]
  return [...wish.configuration, ['appendonly', 'yes'], ['appendfsync', wish.appendonly ?? 'everysec']]
}

export const hasFile = (dir: string): boolean => existsSync(join(dir, DIRECTORY))

/** Removes it, if there is one. @throws the file system's error */
export function removeFile(dir: string): void {
  rmSync(join(dir, DIRECTORY), { recursive: true, force: true })
}
