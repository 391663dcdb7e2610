//! What WAFv2 refuses: each row over the wire with AWS's SDK, leaving everything that is stored as it was; what is not built
//! answers 501 with its name; and every code that this program answers is one of the model, and is provoked.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import * as wafv2 from '@aws-sdk/client-wafv2'
import { modelOf } from '../../src/aws/model.ts'
import { WAF_FAULTS } from '../../src/domain/waf/faults.ts'
import { WAF_OPERATIONS } from '../../src/services/wafv2/operations.ts'
import { WafSite } from '../support/waf-site.ts'
import { WAF_FAULT_ROWS, WAF_NOT_BUILT_ROWS, type WafFaultRow } from './faults/waf-rows.ts'

const ERRORS = Object.values(wafv2).flatMap((schema) => (Array.isArray(schema) && schema[0] === -3 ? [schema[2]] : []))

interface Refusal extends Error {
  readonly Field?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
}

async function refusalOf(site: WafSite, provoke: WafFaultRow['provoke']): Promise<Refusal> {
  const revision = await site.state.revision()
  try {
    await provoke(site)
  } catch (error) {
    assert.equal(await site.state.revision(), revision)
    return error as Refusal
  }
  return assert.fail('the call was taken')
}

describe('what WAF refuses, over the wire', () => {
  const done = Promise.withResolvers<void>()
  let site: WafSite
  let closed: Promise<void>

  before(async () => {
    const ready = Promise.withResolvers<WafSite>()
    closed = WafSite.use({}, async (made) => {
      ready.resolve(made)
      await done.promise
    })
    site = await ready.promise
  })
  after(async () => {
    done.resolve()
    await closed
  })

  for (const { code, field, when, says, quotas, provoke } of WAF_FAULT_ROWS) {
    test(`${code}${field === undefined ? '' : ` (${field})`}: ${when}`, async () => {
      let refusal: Refusal | undefined
      const run = async (at: WafSite) => {
        refusal = await refusalOf(at, provoke)
      }
      await (quotas === undefined ? run(site) : WafSite.use({ quotas }, run))
      assert.equal(refusal?.name, code, refusal?.message ?? '')
      assert.equal(refusal?.$metadata?.httpStatusCode, 400)
      assert.equal(refusal?.Field, field)
      assert.match(refusal?.message ?? '', says)
    })
  }

  test('what is not built answers 501 and is named', async () => {
    for (const [names, provoke] of WAF_NOT_BUILT_ROWS) {
      const refusal = await refusalOf(site, provoke)
      assert.equal(refusal.name, 'NotImplemented', refusal.message)
      assert.match(refusal.message, names)
    }
  })
})

test('every code is one of the model, and is provoked here or in the scenarios of WAF', () => {
  const provoked = new Set(WAF_FAULT_ROWS.map((row) => row.code))
  // Locks and resources in use need a history: test/scenarios/api/wafv2.test.ts has one.
  const elsewhere = [
    'WAFAssociatedItemException',
    'WAFDuplicateItemException',
    'WAFOptimisticLockException',
    'WAFUnsupportedAggregateKeyTypeException',
  ]
  for (const code of Object.keys(WAF_FAULTS)) {
    assert.ok(ERRORS.includes(code), code)
    assert.ok(provoked.has(code) || elsewhere.includes(code), `${code} is provoked nowhere`)
  }
})

test('every operation of the model is built, or answers 501 in a row above, as one of its family does', () => {
  const missing = [...modelOf(wafv2).operations.keys()].filter((name) => !(name in WAF_OPERATIONS))
  assert.deepEqual(
    missing.filter((name) => !WAF_NOT_BUILT_ROWS.some(([names]) => names.test(`wafv2 ${name}`))),
    [],
  )
})
