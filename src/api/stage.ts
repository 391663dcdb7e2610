//! The stage shape of the API plane and the names of its steps.
import { stageOf } from '../lib/pipeline.ts'
import type { Call } from './call.ts'
import type { ApiEnvironment } from './environment.ts'

export type Step =
  | 'receive'
  | 'guard'
  | 'route'
  | 'authenticate'
  | 'decode'
  | 'validate'
  | 'authorize'
  | 'once'
  | 'invoke'
  | 'run-local'
  | 'encode'
  | 'record'
  | 'done'

export const stage = stageOf<Call, ApiEnvironment, Step>()
