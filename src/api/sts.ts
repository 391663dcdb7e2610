//! The one operation of AWS STS that clients call to see whom they are talking to.
import type { GetCallerIdentityCommandInput, GetCallerIdentityResponse } from '@aws-sdk/client-sts'
import { CONFIGURED } from '../services/cachefront/access-keys.ts'
import type { Operation, OperationTable } from '../services/service.ts'

/** A key of the state is a user of the same name; everybody else is the account's root. */
const getCallerIdentity: Operation<GetCallerIdentityCommandInput, GetCallerIdentityResponse> = async (
  _input,
  { accountId, caller },
) => {
  const user = caller?.verified === true && caller.name !== CONFIGURED ? caller : null
  return {
    UserId: user?.keyId ?? accountId,
    Account: accountId,
    Arn: `arn:aws:iam::${accountId}:${user === null ? 'root' : `user/${user.name}`}`,
  }
}

export const STS_OPERATIONS: OperationTable = { GetCallerIdentity: getCallerIdentity }
