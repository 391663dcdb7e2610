//! THE TABLE of data path 2: what happens to a call, in reading order. Each stage is one file; none imports another.
import { linkTable, type Sound, type Table } from '../lib/pipeline.ts'
import type { Call } from './call.ts'
import type { ApiEnvironment } from './environment.ts'
import { authenticate } from './stages/authenticate.ts'
import { authorize } from './stages/authorize.ts'
import { decode } from './stages/decode.ts'
import { encode } from './stages/encode.ts'
import { guard } from './stages/guard.ts'
import { invoke } from './stages/invoke.ts'
import { once } from './stages/once.ts'
import { receive } from './stages/receive.ts'
import { record } from './stages/record.ts'
import { route } from './stages/route.ts'
import { runLocal } from './stages/run-local.ts'
import { validate } from './stages/validate.ts'

export const API_STAGES = [
  receive, // read head and body, bounded
  guard, // no web page, no rebound name
  route, // which service and operation, or which local route
  authenticate, // SigV4 and SigV4A over the raw bytes, where it counts
  decode, // wire to the model's types, strictly
  validate, // required members, Quantity against Items
  authorize, // the role of the key, against the table of permissions
  once, // a change: once for one signature, and into the audit log first
  invoke, // the operation's function
  runLocal, // or a route below /_cachefront
  encode, // output or fault to the wire
  record, // one line in the log, what came of a change in the audit log
] as const

/** Does not compile when a stage hands over to one that is missing, or when one cannot be reached. */
const SOUND: Sound<typeof API_STAGES, 'receive'> = true

export const FIRST_STEP: (typeof API_STAGES)[number]['name'] = 'receive'

export const API_TABLE: Table<Call, ApiEnvironment> = linkTable(SOUND ? API_STAGES : [])
