//! Tokens with which an admin has one request explained by an edge that is not on loopback (DESIGN 6, explain).
import type { Clock } from '../../lib/clock.ts'
import { requestToken } from '../../lib/request-token.ts'
import { failure, isObject, json, type LocalRoute } from './local-route.ts'

/** How long a token is good for. Milliseconds. */
const LIFE_MS = 60_000
const TEXT_CHARS_MAX = 8_192

/** `key`: what the workers verify with. */
export function explainRoute(key: Uint8Array, clock: Pick<Clock, 'wall'>): LocalRoute {
  return {
    method: 'POST',
    path: '/_cachefront/explain-tokens',
    answersOnce: true,
    async run({ body }) {
      const { method, host, target } = isObject(body) ? body : {}
      if (!isText(method) || !isText(host) || !isText(target) || !target.startsWith('/')) {
        return failure(
          400,
          'The body must be {"method": ..., "host": ..., "target": ...}, as the request will have them.',
        )
      }
      const until = clock.wall() + LIFE_MS
      const token = requestToken(key, { method, host, target }, until)
      return json(200, { token, expiresAt: new Date(until).toISOString() })
    },
  }
}

const isText = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= TEXT_CHARS_MAX
