//! What a call is called: service, operation, whether it changes something. One name for the table of permissions, the log
//! and the audit log.
import { isChange } from '../domain/permissions.ts'
import type { Call } from './call.ts'

export interface Called {
  /** Null before it is known. */
  readonly service: string | null
  /** Name of the operation, or method and path of a local route. */
  readonly operation: string | null
  readonly change: boolean
}

export function calledOf({ target, service }: Pick<Call, 'target' | 'service'>): Called {
  if (target === null) return { service: service?.name ?? null, operation: null, change: false }
  const name = target.kind === 'operation' ? target.service.name : 'cachefront'
  const operation =
    target.kind === 'operation'
      ? target.matched.operation.name
      : `${target.matched.route.method} ${target.matched.route.path}`
  return { service: name, operation, change: isChange(name, operation) }
}
