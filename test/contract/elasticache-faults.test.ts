//! Every error code of ElastiCache's model (spec/elasticache.md 1.8): each is provoked over the wire with AWS's SDK, answers
//! with AWS's status, and leaves everything that is stored as it was; or it is of something that is not built, and then
//! what would bring it answers 501; or this program can never mean it, and a row says why.
//!
//! How to add a row: a code of something that you build goes into the file of its part below `faults/` (one row for each
//! rule that has the code) and leaves `faults/elasticache-not-built-rows.ts`. `provoke` puts in place what must be there
//! and returns the call that is refused; nothing may have changed after it. The last test names the codes without a row.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as elasticache from '@aws-sdk/client-elasticache'
import { modelOf } from '../../src/aws/model.ts'
import { ELASTICACHE_FAULTS } from '../../src/domain/elasticache-faults.ts'
import type { Change, State } from '../../src/state/state.ts'
import { ElastiCacheFaultSite } from '../support/elasticache-fault-site.ts'
import { ELASTICACHE_FAULT_ROWS } from './faults/elasticache-all-rows.ts'
import { NEVER_MEANT } from './faults/elasticache-never-rows.ts'
import { ELASTICACHE_NOT_BUILT_ROWS } from './faults/elasticache-not-built-rows.ts'

/** The base of the SDK's exceptions, which no service answers. */
const OF_NO_OPERATION: ReadonlySet<string> = new Set(['ElastiCacheServiceException'])

/** Everything that is stored, as it was written: every commit is seen. */
async function stored(state: State): Promise<{ revision: number; changes: Change[] | null }> {
  return { revision: await state.revision(), changes: await state.changesSince(0) }
}

interface Refusal extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number }
  /** As it was on the wire: the SDK names an exception after its class, which is often another word. */
  readonly Code?: string
}

async function refusalOf(call: () => Promise<unknown>): Promise<Refusal> {
  try {
    await call()
  } catch (error) {
    return error as Refusal
  }
  return assert.fail('the call was taken')
}

/** The wire code: SDK versions differ in whether `name` is the code or the class. */
const codeOf = (refusal: Refusal): string => refusal.Code ?? refusal.name

describe('what ElastiCache refuses, over the wire', { concurrency: 4 }, () => {
  for (const { code, status, section, when, provoke } of ELASTICACHE_FAULT_ROWS) {
    test(`${code} (${section}): ${when}`, () =>
      ElastiCacheFaultSite.use(async (site) => {
        const call = await provoke(site)
        const before = await stored(site.state)
        const refusal = await refusalOf(call)
        assert.equal(codeOf(refusal), code, refusal.message)
        assert.equal(refusal.$metadata?.httpStatusCode, status)
        assert.ok(refusal.message.length > 20, 'a person is told what is wrong')
        assert.deepEqual(await stored(site.state), before)
      }))
  }
})

describe('what is not built answers 501', { concurrency: 4 }, () => {
  for (const { codes, reason, names, provoke } of ELASTICACHE_NOT_BUILT_ROWS) {
    test(`${codes.join(', ')}: ${reason}`, () =>
      ElastiCacheFaultSite.use(async (site) => {
        const call = await provoke(site)
        const before = await stored(site.state)
        const refusal = await refusalOf(call)
        const hint = 'it is built: its codes need rows in faults/, and leave elasticache-not-built-rows.ts'
        assert.equal(codeOf(refusal), 'NotImplemented', `${refusal.name}: ${refusal.message}: ${hint}`)
        assert.equal(refusal.$metadata?.httpStatusCode, 501)
        assert.match(refusal.message, names)
        assert.deepEqual(await stored(site.state), before)
      }))
  }
})

test('every code of the model has its row, and every code that this program answers is provoked', () => {
  const provoked = new Set(ELASTICACHE_FAULT_ROWS.map((row) => row.code))
  const notBuilt = new Set(ELASTICACHE_NOT_BUILT_ROWS.flatMap((row) => row.codes))
  const codes = new Set([...modelOf(elasticache).errors.keys(), ...Object.keys(ELASTICACHE_FAULTS)])
  const known = (code: string): boolean =>
    provoked.has(code) || notBuilt.has(code) || NEVER_MEANT.has(code) || OF_NO_OPERATION.has(code)
  assert.deepEqual([...codes].filter((code) => !known(code)).sort(), [], 'codes without a row')
  const twice = [...notBuilt, ...NEVER_MEANT.keys()].filter((code) => provoked.has(code))
  assert.deepEqual(twice.sort(), [], 'codes that are provoked and said to be impossible')
  assert.deepEqual([...notBuilt].filter((code) => NEVER_MEANT.has(code)).sort(), [])
})
