//! Codes of what is not built: the call that would bring them answers 501. A row goes when that call does something.

import type { DefaultCacheBehavior, DistributionConfig } from '@aws-sdk/client-cloudfront'
import { type FaultSite, listed, type NotBuiltRow } from '../../support/fault-site.ts'
import { withImported } from '../../support/viewer-certificate.ts'

const standard = (changes: Partial<DefaultCacheBehavior>) => (site: FaultSite) => () =>
  site.update({ DefaultCacheBehavior: { ...site.one.config.DefaultCacheBehavior, ...changes } as DefaultCacheBehavior })

const setting = (changes: Partial<DistributionConfig>) => (site: FaultSite) => () => site.update(changes)

export const NOT_BUILT_ROWS: readonly NotBuiltRow[] = [
  {
    codes: [
      'FunctionAlreadyExists',
      'FunctionInUse',
      'FunctionSizeLimitExceeded',
      'NoSuchFunctionExists',
      'TestFunctionFailed',
      'TooManyFunctions',
      'UnsupportedOperation',
    ],
    reason: 'CloudFront Functions',
    names: /ListFunctions/,
    provoke: (site) => () => site.client.listFunctions({}),
  },
  {
    codes: [
      'InvalidFunctionAssociation',
      'TooManyDistributionsWithFunctionAssociations',
      'TooManyFunctionAssociations',
    ],
    reason: 'CloudFront Functions at a behavior',
    names: /FunctionAssociations/,
    provoke: standard({
      FunctionAssociations: listed({
        EventType: 'viewer-request' as const,
        FunctionARN: 'arn:aws:cloudfront::123456789012:function/f',
      }),
    }),
  },
  {
    codes: [
      'InvalidLambdaFunctionAssociation',
      'TooManyDistributionsWithLambdaAssociations',
      'TooManyDistributionsWithSingleFunctionARN',
      'TooManyLambdaFunctionAssociations',
    ],
    reason: 'Lambda@Edge',
    names: /LambdaFunctionAssociations/,
    provoke: standard({
      LambdaFunctionAssociations: listed({
        EventType: 'viewer-request' as const,
        LambdaFunctionARN: 'arn:aws:lambda:us-east-1:123456789012:function:f:1',
      }),
    }),
  },
  {
    codes: [],
    reason: 'addresses by arrangement with AWS',
    names: /ViewerCertificate.SSLSupportMethod/,
    provoke: async (site) => {
      const { ViewerCertificate } = await withImported(site.acm, [], ['www.example.com'])
      return () => site.update({ ViewerCertificate: { ...ViewerCertificate, SSLSupportMethod: 'static-ip' } })
    },
  },
  {
    codes: [],
    reason: 'server certificates of IAM',
    names: /ViewerCertificate.IAMCertificateId/,
    provoke: setting({
      ViewerCertificate: {
        ...{ IAMCertificateId: 'ASCAEXAMPLE', SSLSupportMethod: 'sni-only', MinimumProtocolVersion: 'TLSv1.2_2021' },
      },
    }),
  },
  {
    codes: [
      'NoSuchRealtimeLogConfig',
      'RealtimeLogConfigAlreadyExists',
      'RealtimeLogConfigInUse',
      'TooManyRealtimeLogConfigs',
    ],
    reason: 'real-time logs',
    names: /RealtimeLogConfigArn/,
    provoke: standard({ RealtimeLogConfigArn: 'arn:aws:cloudfront::123456789012:realtime-log-config/mine' }),
  },
  {
    codes: ['MonitoringSubscriptionAlreadyExists', 'NoSuchMonitoringSubscription'],
    reason: 'additional metrics',
    names: /GetMonitoringSubscription/,
    provoke: (site) => () => site.client.getMonitoringSubscription({ DistributionId: site.one.id }),
  },
  {
    codes: [
      'NoSuchStreamingDistribution',
      'StreamingDistributionAlreadyExists',
      'StreamingDistributionNotDisabled',
      'TooManyStreamingDistributionCNAMEs',
      'TooManyStreamingDistributions',
    ],
    reason: 'RTMP, which AWS has retired',
    names: /ListStreamingDistributions/,
    provoke: (site) => () => site.client.listStreamingDistributions({}),
  },
  {
    codes: ['EntitySizeLimitExceeded'],
    reason: 'key value stores',
    names: /ListKeyValueStores/,
    provoke: (site) => () => site.client.listKeyValueStores({}),
  },
  {
    codes: ['CannotUpdateEntityWhileInUse'],
    reason: 'VPC origins',
    names: /ListVpcOrigins/,
    provoke: (site) => () => site.client.listVpcOrigins({}),
  },
  {
    codes: ['InvalidAssociation', 'ResourceNotDisabled'],
    reason: 'distribution tenants and connection groups',
    names: /ListDistributionTenants/,
    provoke: (site) => () => site.client.listDistributionTenants({}),
  },
]
