//! Quotas are a table that an operator can change (domain/quotas.ts), and every row acts. What can be had in one call is
//! tried at AWS's default and beyond it; what the account has many of is among the faults, with a quota of 1.

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { CacheBehavior, Origin } from '@aws-sdk/client-cloudfront'
import { QUOTA_ROWS, type QuotaName } from '../../src/domain/quotas.ts'
import { type Call, FaultSite, listed, many } from '../support/fault-site.ts'
import { withImported } from '../support/viewer-certificate.ts'
import { ACM_FAULT_ROWS } from './faults/acm-rows.ts'
import { FAULT_ROWS } from './faults/all-rows.ts'
import { WAF_FAULT_ROWS } from './faults/waf-rows.ts'

interface QuotaCase {
  readonly quota: QuotaName
  readonly code: string
  /** The call that asks for `count` of what is counted. */
  readonly ask: (site: FaultSite, count: number) => Call
}

const one = (site: FaultSite): Origin => site.one.config.Origins?.Items?.[0] as Origin

const headersPolicy =
  (site: FaultSite, config: object): Call =>
  () =>
    site.client.createResponseHeadersPolicy({ ResponseHeadersPolicyConfig: { Name: 'mine', ...config } })

const invalidating =
  (site: FaultSite, Items: string[]): Call =>
  () =>
    site.client.createInvalidation({
      DistributionId: site.one.id,
      InvalidationBatch: { CallerReference: 'r', Paths: listed(...Items) },
    })

const CASES: readonly QuotaCase[] = [
  {
    quota: 'aliasesPerDistribution',
    code: 'TooManyDistributionCNAMEs',
    ask: (site, count) => async () => {
      const aliases = many(count, (at) => `a${at}.example.com`)
      return site.update(await withImported(site.acm, aliases, ['*.example.com']))
    },
  },
  {
    quota: 'originsPerDistribution',
    code: 'TooManyOrigins',
    ask: (site, count) => () =>
      site.update({ Origins: listed(one(site), ...many(count - 1, (at) => ({ ...one(site), Id: `o${at}` }))) }),
  },
  {
    quota: 'originGroupsPerDistribution',
    code: 'TooManyOriginGroupsPerDistribution',
    ask: (site, count) => () =>
      site.update({
        Origins: listed(one(site), { ...one(site), Id: 'other' }),
        OriginGroups: listed(
          ...many(count, (at) => ({
            Id: `g${at}`,
            FailoverCriteria: { StatusCodes: listed(500) },
            Members: listed({ OriginId: 'origin' }, { OriginId: 'other' }),
          })),
        ),
      }),
  },
  {
    quota: 'behaviorsPerDistribution',
    code: 'TooManyCacheBehaviors',
    ask: (site, count) => () => {
      const standard = site.one.config.DefaultCacheBehavior
      return site.update({
        CacheBehaviors: listed(...many(count, (at) => ({ ...standard, PathPattern: `/${at}/*` }) as CacheBehavior)),
      })
    },
  },
  {
    quota: 'customHeadersPerOrigin',
    code: 'TooManyOriginCustomHeaders',
    ask: (site, count) => () => {
      const CustomHeaders = listed(...many(count, (at) => ({ HeaderName: `x-${at}`, HeaderValue: 'v' })))
      return site.update({ Origins: listed({ ...one(site), CustomHeaders }) })
    },
  },
  {
    quota: 'customHeadersPerPolicy',
    code: 'TooManyCustomHeadersInResponseHeadersPolicy',
    ask: (site, count) =>
      headersPolicy(site, {
        CustomHeadersConfig: listed(...many(count, (at) => ({ Header: `x-${at}`, Value: 'v', Override: false }))),
      }),
  },
  {
    quota: 'removedHeadersPerPolicy',
    code: 'TooManyRemoveHeadersInResponseHeadersPolicy',
    ask: (site, count) =>
      headersPolicy(site, { RemoveHeadersConfig: listed(...many(count, (at) => ({ Header: `x-${at}` }))) }),
  },
  {
    quota: 'namesPerPolicyPart',
    code: 'TooManyQueryStringsInCachePolicy',
    ask: (site, count) => () =>
      site.client.createCachePolicy({
        CachePolicyConfig: {
          ...{ Name: 'mine', MinTTL: 1 },
          ParametersInCacheKeyAndForwardedToOrigin: {
            EnableAcceptEncodingGzip: false,
            HeadersConfig: { HeaderBehavior: 'none' },
            CookiesConfig: { CookieBehavior: 'none' },
            QueryStringsConfig: {
              QueryStringBehavior: 'whitelist',
              QueryStrings: listed(...many(count, (at) => `q${at}`)),
            },
          },
        },
      }),
  },
  {
    quota: 'tagsPerResource',
    code: 'InvalidTagging',
    ask: (site, count) => () =>
      site.client.tagResource({
        Resource: `arn:aws:cloudfront::123456789012:distribution/${site.one.id}`,
        Tags: { Items: many(count, (at) => ({ Key: `k${at}`, Value: '' })) },
      }),
  },
  {
    quota: 'namesPerCertificate',
    code: 'LimitExceededException',
    ask: (site, count) => () => {
      const [DomainName, ...SubjectAlternativeNames] = many(count, (at) => `n${at}.example.com`)
      return site.acm.requestCertificate({ DomainName, SubjectAlternativeNames })
    },
  },
  {
    quota: 'invalidationPaths',
    code: 'BatchTooLarge',
    ask: (site, count) =>
      invalidating(
        site,
        many(count, (at) => `/${at}`),
      ),
  },
  {
    quota: 'invalidationWildcardsInProgress',
    code: 'TooManyInvalidationsInProgress',
    ask: (site, count) =>
      invalidating(
        site,
        many(count, (at) => `/${at}/*`),
      ),
  },
]

describe('a quota', { concurrency: 4 }, () => {
  for (const { quota, code, ask } of CASES) {
    test(`${quota}: refused beyond AWS's default and beyond a lower one, taken with a higher one`, async () => {
      const { aws } = QUOTA_ROWS.find(([name]) => name === quota)?.[1] ?? assert.fail(quota)
      const refused = { name: code }
      await FaultSite.use({}, async (site) => {
        await assert.rejects(ask(site, aws + 1), refused)
        await ask(site, aws)()
      })
      await FaultSite.use({ [quota]: 2 }, async (site) => {
        await assert.rejects(ask(site, 3), refused)
        await ask(site, 2)()
      })
      await FaultSite.use({ [quota]: aws + 1 }, async (site) => void (await ask(site, aws + 1)()))
    })
  }
})

test('every quota has its case, here or among the faults', () => {
  const tried = new Set<string>([
    ...CASES.map(({ quota }) => quota),
    ...[...FAULT_ROWS, ...ACM_FAULT_ROWS, ...WAF_FAULT_ROWS].flatMap(({ quotas }) => Object.keys(quotas ?? {})),
  ])
  assert.deepEqual(
    QUOTA_ROWS.map(([name]) => name).filter((name) => !tried.has(name)),
    [],
  )
})
