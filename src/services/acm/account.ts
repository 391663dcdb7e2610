//! The account's one setting: how many days before its end a certificate begins to be announced.
import type { GetAccountConfigurationResponse, PutAccountConfigurationRequest } from '@aws-sdk/client-acm'
import { acmFault, validation } from '../../domain/acm-faults.ts'
import { DAYS_BEFORE_EXPIRY } from '../../domain/certificates.ts'
import type { Operation } from '../service.ts'

const TOKEN = /^\w{1,32}$/

export const getAccountConfiguration: Operation<object, GetAccountConfigurationResponse> = async (_, { state }) => ({
  ExpiryEvents: {
    DaysBeforeExpiry: (await state.get('certificate-account', 'local'))?.doc.daysBeforeExpiry ?? DAYS_BEFORE_EXPIRY,
  },
})

/** @throws ConflictException when the token of the last call comes with another setting (unconfirmed) */
export const putAccountConfiguration: Operation<PutAccountConfigurationRequest, object> = async (input, { state }) => {
  const { IdempotencyToken: token = '', ExpiryEvents: events } = input
  if (!TOKEN.test(token)) {
    throw validation("'idempotencyToken' failed to satisfy constraint: it is 1 to 32 letters, digits and underscores.")
  }
  const days = events?.DaysBeforeExpiry ?? DAYS_BEFORE_EXPIRY
  if (days < 1 || days > 3_650) throw validation("'daysBeforeExpiry' failed to satisfy constraint: it is 1 to 3650.")
  await state.transact(async (tx) => {
    const old = (await tx.get('certificate-account', 'local'))?.doc
    if (old?.token === token && old.daysBeforeExpiry !== days) {
      throw acmFault('ConflictException', 'The IdempotencyToken is that of the last call, which set something else.')
    }
    await tx.put('certificate-account', 'local', { daysBeforeExpiry: days, token })
  })
  return {}
}
