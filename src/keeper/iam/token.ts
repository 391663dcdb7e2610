//! IAM tokens (spec/elasticache.md 6.5): a presigned request `connect` for one cache and one user, shown as a password.
import { type PresignedVerdict, verifyPresigned } from '../../aws/presigned.ts'
import type { IamWish } from '../protocol.ts'

/** Seconds that a token may live. */
const LIFE_S_MAX = 900
/** Longest token that is looked at: session tokens make them long. */
const TOKEN_CHARS_MAX = 8192

export type TokenVerdict = PresignedVerdict | 'other-cache' | 'other-user'

/**
 * Whether `token` lets `user` into the cache `cacheId` now.
 * @param now milliseconds since the epoch on the wall clock
 */
export async function verifyToken(
  token: string,
  user: string,
  cacheId: string,
  { keyPair, region, nobody = false }: IamWish,
  now: number,
): Promise<TokenVerdict> {
  const found = /^([a-z0-9.-]+)\/?\?(.*)$/i.exec(token)
  if (found === null || token.length > TOKEN_CHARS_MAX) return 'malformed'
  const query = new URLSearchParams(found[2]!.replaceAll('+', '%2B'))
  if (query.get('Action') !== 'connect' || query.has('ResourceType')) return 'malformed'
  const host = found[1]!
  if (host !== cacheId) return 'other-cache'
  if (query.get('User') !== user) return 'other-user'
  if (nobody) return 'unknown-key'
  const scope = { service: 'elasticache', region, expiresMax: LIFE_S_MAX }
  return verifyPresigned({ host, path: '/', query }, keyPair, scope, now)
}
