//! Runs the operation, or says that it is not built.
import assert from 'node:assert'
import { Fault, notImplemented } from '../../domain/faults.ts'
import { refuse } from '../call.ts'
import { stage } from '../stage.ts'

export const invoke = stage({
  name: 'invoke',
  next: ['encode'],
  async run(call, api) {
    assert(call.target?.kind === 'operation', 'route has found an operation')
    const { service, matched } = call.target
    const { name } = matched.operation
    const operation = Object.hasOwn(service.operations, name) ? service.operations[name] : undefined
    if (operation === undefined) return refuse(call, notImplemented(`${service.name} ${name}`))
    try {
      call.output = await operation(call.input, { ...api.context, caller: call.caller })
      return 'encode'
    } catch (error) {
      if (error instanceof Fault) return refuse(call, error)
      throw error
    }
  },
})
