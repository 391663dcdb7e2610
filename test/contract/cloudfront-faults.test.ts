//! Every error code of CloudFront's model (spec/cloudfront.md 1.5): each is provoked over the wire with AWS's SDK, answers
//! with AWS's status, and leaves everything that is stored as it was; or it is of something that is not built, and then
//! what would bring it answers 501.
//!
//! How to add a row: a code of something that you build goes into the file of its part below `faults/` (one row for each
//! rule that has the code) and leaves `faults/not-built-rows.ts`. `provoke` puts in place what must be there and returns
//! the call that is refused; nothing may have changed after it. The last test names the codes that have no row.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as cloudfront from '@aws-sdk/client-cloudfront'
import { modelOf } from '../../src/aws/model.ts'
import { CLOUDFRONT_FAULTS } from '../../src/domain/cloudfront-faults.ts'
import type { Change, State } from '../../src/state/state.ts'
import { FaultSite } from '../support/fault-site.ts'
import { FAULT_ROWS } from './faults/all-rows.ts'
import { NOT_BUILT_ROWS } from './faults/not-built-rows.ts'

/** Of SigV4, of Smithy, of another account than the one that there is, or of retired resources: no operation has them. */
const OF_NO_OPERATION: ReadonlySet<string> = new Set([
  'AccessDenied',
  'CloudFrontServiceException',
  // RequiredProtocols of an earlier API: no member of this one.
  'InvalidRequiredProtocol',
  'RealtimeLogConfigOwnerMismatch',
])

/** Everything that is stored, as it was written: every commit is seen. */
async function stored(state: State): Promise<{ revision: number; changes: Change[] | null }> {
  return { revision: await state.revision(), changes: await state.changesSince(0) }
}

interface Refusal extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number }
}

async function refusalOf(call: () => Promise<unknown>): Promise<Refusal> {
  try {
    await call()
  } catch (error) {
    return error as Refusal
  }
  return assert.fail('the call was taken')
}

describe('what CloudFront refuses, over the wire', { concurrency: 4 }, () => {
  for (const { code, status, section, when, quotas, provoke } of FAULT_ROWS) {
    test(`${code} (${section}): ${when}`, () =>
      FaultSite.use(quotas ?? {}, async (site) => {
        const call = await provoke(site)
        const before = await stored(site.state)
        const refusal = await refusalOf(call)
        assert.equal(refusal.name, code, refusal.message)
        assert.equal(refusal.$metadata?.httpStatusCode, status)
        assert.ok(refusal.message.length > 20, 'a person is told what is wrong')
        assert.deepEqual(await stored(site.state), before)
      }))
  }
})

describe('what is not built answers 501', { concurrency: 4 }, () => {
  for (const { codes, reason, names, provoke } of NOT_BUILT_ROWS) {
    test(`${codes.join(', ')}: ${reason}`, () =>
      FaultSite.use({}, async (site) => {
        const call = await provoke(site)
        const before = await stored(site.state)
        const refusal = await refusalOf(call)
        const hint = 'it is built: its codes need rows in faults/, and leave not-built-rows.ts'
        assert.equal(refusal.name, 'NotImplemented', `${refusal.name}: ${refusal.message}: ${hint}`)
        assert.equal(refusal.$metadata?.httpStatusCode, 501)
        assert.match(refusal.message, names)
        assert.deepEqual(await stored(site.state), before)
      }))
  }
})

test('every code of the model has its row, and every code that this program answers is provoked', () => {
  const provoked = new Set(FAULT_ROWS.map((row) => row.code))
  const notBuilt = new Set(NOT_BUILT_ROWS.flatMap((row) => row.codes))
  const codes = [...modelOf(cloudfront).errors.keys(), ...Object.keys(CLOUDFRONT_FAULTS)]
  const known = (code: string): boolean => provoked.has(code) || notBuilt.has(code) || OF_NO_OPERATION.has(code)
  assert.deepEqual([...new Set(codes)].filter((code) => !known(code)).sort(), [], 'codes without a row')
  const answered = Object.keys(CLOUDFRONT_FAULTS).filter((code) => !provoked.has(code))
  assert.deepEqual(answered, [], 'codes that are answered and never provoked')
  assert.deepEqual([...notBuilt].filter((code) => provoked.has(code)).sort(), [], 'codes that are in both tables')
})
