//! A call as the audit log has it.
import type { AuditChange, AuditOutcome } from '../observe/audit-log.ts'
import { identifiersIn, localIdentifiers } from './audited.ts'
import type { Call } from './call.ts'
import { calledOf } from './called.ts'

export function auditedChange(call: Call): AuditChange {
  const { service, operation } = calledOf(call)
  const { caller, target, peer: address } = call
  return {
    requestId: call.requestId,
    caller: { keyId: null, name: '', role: '', verified: false, ...caller, address },
    service: service ?? '',
    operation: operation ?? '',
    resources:
      target?.kind === 'operation'
        ? identifiersIn(call.input, target.matched.operation.input)
        : localIdentifiers(target?.matched.rest ?? '', call.localBody),
  }
}

export function auditedOutcome(call: Call): AuditOutcome {
  const { target, fault, output } = call
  const made = target?.kind === 'operation' && fault === null && output !== undefined
  return {
    requestId: call.requestId,
    status: call.answer?.status ?? 0,
    code: fault?.code ?? null,
    resources: made ? identifiersIn(output, target.matched.operation.output) : call.madeIds,
  }
}
