//! AsnMatchStatement: the autonomous system that an address is of. A number that no database knows is 0, as with AWS.
import type { StatementCompiler } from '../compile-context.ts'
import { LOOKS } from '../matcher.ts'
import { firstForwarded } from './forwarded-ip.ts'

export const asnMatch: StatementCompiler<'AsnMatchStatement'> = (statement, { shared }) => {
  shared.locates = true
  const { AsnList = [], ForwardedIPConfig: forwarded } = statement
  const numbers = new Set<number>(AsnList)
  const address = forwarded === undefined ? null : firstForwarded(forwarded)
  return {
    looks: LOOKS.other,
    matches(request) {
      const of = address === null ? request.address : address(request)
      if (of === null || typeof of === 'boolean') return of ?? false
      return numbers.has(request.systemOf(of))
    },
  }
}
