//! The wire to the operation's input, by the service's protocol and the operation's schema.
import assert from 'node:assert'
import { WireError } from '../../aws/wire-error.ts'
import { refuse } from '../call.ts'
import { wireFault } from '../services.ts'
import { stage } from '../stage.ts'

export const decode = stage({
  name: 'decode',
  next: ['validate', 'encode'],
  run(call) {
    assert(call.target?.kind === 'operation', 'route has found an operation')
    const { service, matched } = call.target
    try {
      call.input = service.protocol.decode(service, matched, call.request)
      return 'validate'
    } catch (error) {
      if (error instanceof WireError) return refuse(call, wireFault(service, error))
      throw error
    }
  },
})
