//! WAFv2 through AWS's SDK: web ACLs and what they name, from creation to deletion.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WAFV2 } from '@aws-sdk/client-wafv2'
import { WAF_OPERATIONS } from '../../../src/services/wafv2/operations.ts'
import { clientOptions, startApi } from '../../support/api-server.ts'

test('scopes and groups that are not there are refused by name', async () => {
  const { api, url } = await startApi({ services: { cloudfront: {}, elasticache: {}, wafv2: WAF_OPERATIONS } })
  const waf = new WAFV2(clientOptions(url))
  try {
    await assert.rejects(waf.listAvailableManagedRuleGroups({ Scope: 'REGIONAL' }), {
      name: 'NotImplemented',
      message: /Scope REGIONAL/,
    })
    await assert.rejects(waf.listAvailableManagedRuleGroups({ Scope: 'LOCAL' as never }), {
      name: 'WAFInvalidParameterException',
      Field: 'SCOPE_VALUE',
      Parameter: 'LOCAL',
      Reason: /CLOUDFRONT or REGIONAL/,
    })
    await assert.rejects(waf.describeManagedRuleGroup({ Scope: 'CLOUDFRONT', VendorName: 'AWS', Name: 'None' }), {
      name: 'WAFNonexistentItemException',
      message: /AWS None/,
    })
    await assert.rejects(waf.listWebACLs({ Scope: 'CLOUDFRONT' }), { name: 'NotImplemented', message: /ListWebACLs/ })
  } finally {
    waf.destroy()
    await api.close()
  }
})
