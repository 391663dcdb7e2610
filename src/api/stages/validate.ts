//! The constraints that the model itself has. What it lacks (lengths, ranges, patterns) is a table of the service's, or is
//! checked by the operations.
import assert from 'node:assert'
import { checkConstraints } from '../../aws/check-constraints.ts'
import { checkShape } from '../../aws/check-shape.ts'
import { WireError } from '../../aws/wire-error.ts'
import { refuse } from '../call.ts'
import { wireFault } from '../services.ts'
import { stage } from '../stage.ts'

export const validate = stage({
  name: 'validate',
  next: ['authorize', 'encode'],
  run(call) {
    assert(call.target?.kind === 'operation', 'route has found an operation')
    const { service, matched } = call.target
    try {
      checkShape(call.input, matched.operation.input, '', service.fractions)
      if (service.constraints) checkConstraints(call.input, matched.operation.input, service.constraints)
      return 'authorize'
    } catch (error) {
      if (error instanceof WireError) return refuse(call, wireFault(service, error))
      throw error
    }
  },
})
