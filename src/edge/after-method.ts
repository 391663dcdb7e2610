//! Where a request goes once its method and its signature are found good.
import type { Exchange } from './exchange.ts'
import type { BehaviorPlan } from './snapshot/snapshot.ts'
import { to } from './stage.ts'

export type AfterMethod = typeof to.cacheKey | typeof to.encryptFields | typeof to.originRequest

/** What field-level encryption looks at are the bodies of POST and PUT (spec 12.3), which no cache ever sees. */
export function afterMethod({ cacheable, behavior, request }: Exchange): AfterMethod {
  if (cacheable) return to.cacheKey
  const { fields } = behavior as BehaviorPlan
  const { method } = request
  return fields !== null && (method === 'POST' || method === 'PUT') ? to.encryptFields : to.originRequest
}
