//! The one operation of AWS STS that clients call to see whom they are talking to.
import type { GetCallerIdentityCommandInput, GetCallerIdentityResponse } from '@aws-sdk/client-sts'
import type { Operation, OperationTable } from '../services/service.ts'

/** Every caller is the account's root: there are no users of our own. */
const getCallerIdentity: Operation<GetCallerIdentityCommandInput, GetCallerIdentityResponse> = async (
  _input,
  context,
) => ({
  UserId: context.accountId,
  Account: context.accountId,
  Arn: `arn:aws:iam::${context.accountId}:root`,
})

export const STS_OPERATIONS: OperationTable = { GetCallerIdentity: getCallerIdentity }
