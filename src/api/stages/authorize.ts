//! Whether the role of the caller's key allows the call: domain/permissions.ts has the table.
import assert from 'node:assert'
import { awsJson } from '../../aws/aws-json.ts'
import type { Caller } from '../../domain/access-keys.ts'
import { commonFault, Fault } from '../../domain/faults.ts'
import { rolesFor } from '../../domain/permissions.ts'
import { type Call, refuse } from '../call.ts'
import { calledOf } from '../called.ts'
import { stage } from '../stage.ts'

export const authorize = stage({
  name: 'authorize',
  next: ['once', 'invoke', 'run-local', 'encode'],
  run(call, api) {
    assert(call.caller !== null, 'authenticate has said who calls')
    const { service, operation, change } = calledOf(call)
    assert(service !== null && operation !== null, 'route has found what is called')
    const roles = rolesFor(service, operation)
    if (roles.includes(call.caller.role)) {
      if (change) return 'once'
      return call.target?.kind === 'local' ? 'run-local' : 'invoke'
    }
    call.denied = true
    api.metrics.count('denied')
    return refuse(call, deniedFault(call, call.caller, `${service} ${operation}`, roles))
  },
})

function deniedFault(call: Call, { keyId, name, role }: Caller, what: string, roles: readonly string[]): Fault {
  const { status, message } = commonFault(
    'AccessDenied',
    `The key ${name} (${keyId}) has the role ${role}, which may not call ${what}; that takes ${either(roles)}. ` +
      'Sign with another key, or have one made: cachefront keys create --role ROLE.',
  )
  // Services that speak JSON have a name of their own for it.
  const code =
    call.target?.kind === 'operation' && call.target.service.protocol === awsJson
      ? 'AccessDeniedException'
      : 'AccessDenied'
  return new Fault(code, status, message)
}

const either = (roles: readonly string[]): string =>
  roles.length < 2 ? roles.join() : `${roles.slice(0, -1).join(', ')} or ${roles.at(-1)}`
