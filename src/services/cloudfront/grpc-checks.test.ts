import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DistributionConfig } from '@aws-sdk/client-cloudfront'
import { checkGrpc } from './grpc-checks.ts'

const ALL = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'] as const
const origin = (Id: string, OriginProtocolPolicy: string) => ({ Id, CustomOriginConfig: { OriginProtocolPolicy } })

const config = {
  HttpVersion: 'http2',
  Origins: { Items: [origin('plain', 'http-only'), origin('secure', 'https-only'), origin('either', 'match-viewer')] },
  OriginGroups: { Items: [{ Id: 'group', Members: { Items: [{ OriginId: 'secure' }, { OriginId: 'plain' }] } }] },
} as unknown as DistributionConfig

const ROWS: readonly (readonly [
  what: string,
  target: string,
  methods: readonly string[],
  HttpVersion: string,
  refusal: RegExp | null,
])[] = [
  ['over HTTP/2 to an HTTPS origin', 'secure', ALL, 'http2', null],
  ['with HTTP/3 besides', 'secure', ALL, 'http2and3', null],
  ['to an origin that follows the viewer, who has HTTPS', 'either', ALL, 'http2', null],
  ['to the primary of a group', 'group', ALL, 'http2', null],
  ['without POST', 'secure', ['GET', 'HEAD'], 'http2', /gRPC only supports the POST method/],
  ['without HTTP/2', 'secure', ALL, 'http1.1', /HttpVersion is "http1.1"/],
  ['over HTTP/3 alone', 'secure', ALL, 'http3', /HttpVersion is "http3"/],
  ['to an HTTP origin', 'plain', ALL, 'http2', /the origin "plain" is http-only/],
]

for (const [what, TargetOriginId, Items, HttpVersion, refusal] of ROWS) {
  test(`gRPC ${what} is ${refusal === null ? 'taken' : 'an InvalidArgument'}`, () => {
    const behavior = (Enabled: boolean) =>
      ({ TargetOriginId, AllowedMethods: { Items }, GrpcConfig: { Enabled } }) as Parameters<typeof checkGrpc>[0]
    const check = (enabled: boolean) => () =>
      checkGrpc(behavior(enabled), 'DefaultCacheBehavior', { ...config, HttpVersion } as DistributionConfig)
    check(false)()
    if (refusal === null) check(true)()
    else assert.throws(check(true), (error: Error & { code?: string }) => refusal.test(error.message))
  })
}
