//! `POST /_cachefront/invalidations`: what CreateInvalidation does, and what AWS lacks: soft invalidations, which let
//! what matches be served while it is fetched anew, and dry runs, which list what would go.
import { cachefrontFault } from '../../domain/faults.ts'
import { uuid } from '../../lib/ids.ts'
import { checkItems, tagHeaderOf } from '../cloudfront/invalidation-items.ts'
import { wishInvalidation } from '../cloudfront/invalidations.ts'
import type { ServiceContext } from '../service.ts'
import { distributionNamed } from './distribution-named.ts'
import { isObject, json, type LocalRoute } from './local-route.ts'
import type { ObjectWalks } from './object-lines.ts'

interface Wish {
  readonly distribution: string
  readonly items: readonly string[]
  readonly soft: boolean
  readonly dryRun: boolean
}

export function invalidationRoute(
  walks: ObjectWalks,
  context: Pick<ServiceContext, 'state' | 'clock' | 'quotas'>,
): LocalRoute {
  return {
    method: 'POST',
    path: '/_cachefront/invalidations',
    async run({ body }) {
      const { distribution, items, soft, dryRun } = readWish(body)
      const record = await distributionNamed(context.state, distribution)
      if (!dryRun) {
        const callerReference = `cachefront-${uuid()}`
        const made = await wishInvalidation({ distributionId: record.id, callerReference, items, soft }, context)
        const { id, distributionId, status, paths } = made
        return json(201, { id, distributionId, status, items: paths, soft })
      }
      const tagHeader = tagHeaderOf(record)
      checkItems(items, tagHeader, context.quotas)
      const tagged = tagHeader === undefined ? {} : { tagHeader }
      const invalidation = { id: 'dry-run', distributionId: record.id, paths: items, ...tagged }
      return walks.lines({ distributionId: record.id, prefix: '', invalidation })
    },
  }
}

const MEMBERS: ReadonlySet<string> = new Set(['distribution', 'items', 'soft', 'dryRun'])

/** @throws Fault InvalidRequest */
function readWish(body: unknown): Wish {
  const wrong = (what: string) =>
    cachefrontFault(
      'InvalidRequest',
      `${what}; the body is {"distribution": ID, "items": ["/path", "#tag"], "soft": false, "dryRun": false}.`,
    )
  if (!isObject(body)) throw wrong('The body must be a JSON object')
  const { distribution, items, soft = false, dryRun = false } = body
  const unknown = Object.keys(body).find((name) => !MEMBERS.has(name))
  if (unknown !== undefined) throw wrong(`There is no member ${JSON.stringify(unknown.slice(0, 100))}`)
  if (typeof distribution !== 'string') throw wrong('distribution must be an id or a domain name')
  if (!Array.isArray(items) || !items.every((item) => typeof item === 'string'))
    throw wrong('items must be a list of texts')
  if (typeof soft !== 'boolean' || typeof dryRun !== 'boolean') throw wrong('soft and dryRun must be true or false')
  return { distribution, items, soft, dryRun }
}
