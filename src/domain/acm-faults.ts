//! Every error code of ACM that this program answers, with its HTTP status. The model gives none, so that all are 400, as
//! JSON 1.1 has it. A contract test compares the table with the SDK's schemas.
import { Fault } from './faults.ts'

/** HTTP status by wire code. */
export const ACM_FAULTS = {
  ConflictException: 400,
  InvalidArgsException: 400,
  InvalidArnException: 400,
  InvalidDomainValidationOptionsException: 400,
  InvalidParameterException: 400,
  InvalidStateException: 400,
  InvalidTagException: 400,
  LimitExceededException: 400,
  RequestInProgressException: 400,
  ResourceInUseException: 400,
  ResourceNotFoundException: 400,
  TooManyTagsException: 400,
  ValidationException: 400,
} as const satisfies Readonly<Record<string, number>>

export type AcmCode = keyof typeof ACM_FAULTS

/** An error that the caller is to see; `message` says what happened, to what, and what to do. */
export function acmFault(code: AcmCode, message: string): Fault {
  return new Fault(code, ACM_FAULTS[code], message)
}

export const validation = (message: string): Fault => acmFault('ValidationException', message)
