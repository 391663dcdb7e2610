//! `/_cachefront/keys`: access keys for whoever administers the installation (`cachefront keys`).
import type { AccessKeys } from './access-keys.ts'
import { isObject, json, type LocalRoute } from './local-route.ts'

export function keyRoutes(keys: AccessKeys): readonly LocalRoute[] {
  return [
    {
      method: 'GET',
      path: '/_cachefront/keys',
      readsNeedSignature: true,
      run: async () => json(200, { keys: await keys.list() }),
    },
    {
      method: 'POST',
      path: '/_cachefront/keys',
      answersOnce: true,
      async run({ body }) {
        const { name, role, expiresInMs } = isObject(body) ? body : {}
        const key = await keys.create({ name, role, expiresInMs })
        return { ...json(201, key), made: { id: key.id } }
      },
    },
    {
      method: 'POST',
      path: '/_cachefront/keys/rotate',
      answersOnce: true,
      async run({ body }) {
        const { key, overlapMs } = isObject(body) ? body : {}
        const rotated = await keys.rotate(key, overlapMs)
        return { ...json(200, rotated), made: { id: rotated.id, name: rotated.name } }
      },
    },
    {
      method: 'POST',
      path: '/_cachefront/keys/revoke',
      async run({ body }) {
        const revoked = await keys.revoke(isObject(body) ? body.key : undefined)
        return { ...json(200, revoked), made: { id: revoked.id, name: revoked.name } }
      },
    },
  ]
}
