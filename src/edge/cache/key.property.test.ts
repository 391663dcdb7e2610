//! The one property that a cache lives by: requests that the origin can tell apart never share a key, and requests that
//! the policy does not tell apart never have different ones. The policies, the key and what goes to the origin are the
//! compiled ones of a real distribution document; the model that they are compared with is written another way.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { DistributionDoc } from '../../domain/distribution.ts'
import type { CachePolicyDoc, NameList } from '../../domain/policy.ts'
import { NOWHERE } from '../../domain/viewer.ts'
import { ParsedHeaders, parseHeaders } from '../listen/header-block.ts'
import { originHeaders, originTarget } from '../origin/forward.ts'
import { compileDistribution } from '../snapshot/compile.ts'
import type { BehaviorPlan } from '../snapshot/snapshot.ts'
import { cacheKey, invalidationUri } from './key.ts'

type Behavior = NameList['behavior']
const lists = (behaviors: readonly Behavior[], names: readonly string[]) =>
  fc.record({ behavior: fc.constantFrom(...behaviors), names: fc.subarray([...names], { minLength: 1 }) })

const policy: fc.Arbitrary<CachePolicyDoc> = fc.record({
  id: fc.constant('p'),
  minTtl: fc.constant(0),
  defaultTtl: fc.constant(60),
  maxTtl: fc.constant(600),
  headers: lists(['none', 'whitelist'], ['x-a', 'x-b', 'host', 'authorization', 'cloudfront-forwarded-proto']),
  cookies: lists(['none', 'whitelist', 'allExcept', 'all'], ['a', 'b']),
  queryStrings: lists(['none', 'whitelist', 'allExcept', 'all'], ['a', 'b']),
  gzip: fc.boolean(),
  brotli: fc.boolean(),
})

function planOf(cachePolicy: CachePolicyDoc): BehaviorPlan {
  const document: DistributionDoc = {
    id: 'E1',
    domainName: 'd1.cloudfront.localhost',
    enabled: true,
    aliases: [],
    defaultRootObject: '',
    httpVersion: 'http2',
    origins: [
      {
        id: 'o',
        domainName: 'origin.example',
        path: '',
        customHeaders: [],
        connectionAttempts: 3,
        connectionTimeoutMs: 10_000,
        protocolPolicy: 'http-only',
        httpPort: 80,
        httpsPort: 443,
        readTimeoutMs: 30_000,
        keepaliveTimeoutMs: 5_000,
        responseCompletionTimeoutMs: null,
      },
    ],
    behaviors: [
      {
        pathPattern: '*',
        originId: 'o',
        allowedMethods: ['GET', 'HEAD', 'OPTIONS'],
        cachedMethods: ['GET', 'HEAD', 'OPTIONS'],
        viewerProtocolPolicy: 'allow-all',
        cachePolicy,
        originRequestPolicy: null,
      },
    ],
  }
  return compileDistribution(document).behaviors[0] as BehaviorPlan
}

interface Asked {
  readonly method: string
  readonly path: string
  readonly query: string | null
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly httpVersion: '1.0' | '1.1'
  readonly scheme: 'http' | 'https'
}

const value = fc.constantFrom('', '1', '2', '1, 2', 'a: b', 'x-b: 1', '/', '?a=1', '\xe9')
const field = fc.oneof(
  fc.tuple(fc.constantFrom('X-A', 'x-a', 'X-B', 'Authorization', 'X-Other', 'Connection'), value),
  fc.tuple(fc.constantFrom('Cookie', 'cookie'), fc.constantFrom('a=1', 'b=1; a=1', 'a=1; b=1', 'c=1', 'a', 'A=1', 'a=2; a=1', '')),
  fc.tuple(fc.constant('Accept-Encoding'), fc.constantFrom('gzip', 'br', 'gzip, br', 'br;q=0, gzip', 'identity', '', 'deflate, GZIP;q=1')),
) // biome-ignore format: one line a kind
const asked: fc.Arbitrary<Asked> = fc.record({
  method: fc.constantFrom('GET', 'GET', 'HEAD', 'OPTIONS'),
  path: fc.constantFrom('/', '/a', '/A', '/a/', '/a%2fb', '/a/b', '/OPTIONS', '/ax-a:'),
  query: fc.option(
    fc.oneof(
      fc.constantFrom('', 'a=1', 'a=1&b=2', 'b=2&a=1', 'a', 'a=', 'c=1', 'c=1&a=1', 'a=1&c=1', '&', '&&a=1', 'A=1', 'a=1;b=2'),
      fc.array(fc.constantFrom('a', 'b', 'c', '=', '&', '1', '%26', ';'), { maxLength: 8 }).map((parts) => parts.join('')),
    ),
  ),
  fields: fc.array(field, { maxLength: 5 }),
  httpVersion: fc.constantFrom('1.1', '1.1', '1.0'),
  scheme: fc.constantFrom('http', 'https'),
}) // biome-ignore format: one line a kind

const VIEWER = { viewerAddress: '10.0.0.1', forwardedFor: null, location: NOWHERE }

/** Read by the real parser: what cannot come over the wire is no request. */
function blockOf({ fields }: Asked): ParsedHeaders {
  const text = ['Host: d1.cloudfront.localhost', ...fields.map(([name, text]) => `${name}: ${text}`), ''].join('\r\n')
  const parsed = parseHeaders(Buffer.from(text, 'latin1'), text, 100)
  assert.ok(parsed instanceof ParsedHeaders)
  return parsed
}

function keyOf(plan: BehaviorPlan, request: Asked): string {
  const { method, path, query, httpVersion, scheme } = request
  return cacheKey(
    '',
    plan.key,
    path,
    { method, query, httpVersion, headers: blockOf(request), connection: { scheme } },
    VIEWER,
  )
}

/** What spec 4.3 and 4.4 say a request is to this policy: equal values of it are one entry of the cache. */
function meaningOf(cachePolicy: CachePolicyDoc, request: Asked): unknown {
  const { headers, cookies, queryStrings, gzip, brotli } = cachePolicy
  const admits = (list: NameList, name: string): boolean =>
    list.behavior === 'all' || (list.behavior === 'whitelist' && list.names.includes(name)) ||
    (list.behavior === 'allExcept' && !list.names.includes(name)) // biome-ignore format: the three
  const lines = (name: string) =>
    request.fields.filter(([own]) => own.toLowerCase() === name).map(([, text]) => text.trim())
  const listed = headers.behavior === 'whitelist' ? headers.names : []
  const keyedHeaders = listed
    .filter((name) => name !== 'host' && !name.startsWith('cloudfront-'))
    .map((name) => [name, lines(name).length === 0 ? null : lines(name).join(', ')])
  const pairs = lines('cookie')
    .flatMap((line) => line.split('; '))
    .filter((pair) => pair.indexOf('=') > 0 && admits(cookies, pair.slice(0, pair.indexOf('='))))
  const keyedCookies = [...new Set(pairs.map((pair) => pair.split('=')[0] as string))]
    .sort()
    .map((name) => pairs.filter((pair) => pair.startsWith(`${name}=`)))
  const parts = (request.query ?? '').split('&')
  const keyedQuery =
    queryStrings.behavior === 'all'
      ? (request.query ?? '')
      : parts.filter((part) => part !== '' && admits(queryStrings, part.replace(/=.*/s, ''))).join('&')
  const accepts = lines('accept-encoding').join(',').toLowerCase()
  const on = request.httpVersion === '1.1'
  return {
    options: request.method === 'OPTIONS',
    path: request.path,
    keyedQuery,
    keyedHeaders,
    keyedCookies,
    scheme: listed.includes('cloudfront-forwarded-proto') ? request.scheme : null,
    gzip: on && gzip && /gzip/.test(accepts),
    br: on && brotli && /(?:^|[ ,])br(?:,|$)/.test(accepts),
  }
}

/** Everything that the origin sees of a request that may be kept, but what the edge adds to all of them. */
function seenByOrigin(plan: BehaviorPlan, request: Asked): readonly string[] {
  const { method, path, query, httpVersion, scheme } = request
  const headers = originHeaders(plan.forward, {
    method: method === 'HEAD' ? 'GET' : method,
    path,
    query,
    headers: blockOf(request),
    httpVersion,
    scheme,
    ...VIEWER,
    viewerPort: 1,
    tls: null,
    reused: false,
    localPort: 80,
    hasBody: false,
    cacheable: true,
    requestId: 'ID',
    upgrade: null,
    grpc: false,
    inserted: null,
    via: 'edge',
  })
  const own = new Set(['via', 'cloudfront-viewer-address'])
  const lines: string[] = []
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase()
    // `identity` and no Accept-Encoding at all are one entry of the cache (spec 4.4).
    if (!own.has(name) && headers[i + 1] !== 'identity') lines.push(`${name}: ${headers[i + 1]}`)
  }
  return [method === 'OPTIONS' ? 'OPTIONS' : 'GET', originTarget(plan.forward, path, query), ...lines.sort()]
}

/** Two requests that are nearly the same: one of them with some parts of the other. */
const twoAlike = fc
  .tuple(asked, asked, fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }))
  .map(([one, other, takes]): readonly [Asked, Asked] => {
    const names = ['method', 'path', 'query', 'fields', 'httpVersion', 'scheme'] as const
    const mixed = Object.fromEntries(names.map((name, at) => [name, takes[at] ? other[name] : one[name]]))
    return [one, mixed as unknown as Asked]
  })

test('one key, one meaning: keys are equal exactly when the policy does not tell the requests apart', () => {
  fc.assert(
    fc.property(policy, twoAlike, (cachePolicy, [one, other]) => {
      const plan = planOf(cachePolicy)
      const same = keyOf(plan, one) === keyOf(plan, other)
      const alike = JSON.stringify(meaningOf(cachePolicy, one)) === JSON.stringify(meaningOf(cachePolicy, other))
      assert.equal(same, alike)
    }),
    { numRuns: 5_000 },
  )
})

test('one key, one request to the origin: requests that share a key look the same to it', () => {
  let shared = 0
  fc.assert(
    fc.property(policy, twoAlike, (cachePolicy, [one, other]) => {
      const plan = planOf(cachePolicy)
      if (keyOf(plan, one) !== keyOf(plan, other)) return
      shared++
      assert.deepEqual(seenByOrigin(plan, one), seenByOrigin(plan, other))
    }),
    { numRuns: 5_000 },
  )
  assert.ok(shared > 500, `${shared} pairs shared a key`)
})

test('neither the order of fields of different names, nor the case of names, nor the order of cookies matters', () => {
  fc.assert(
    fc.property(policy, asked, fc.boolean(), (cachePolicy, request, upper) => {
      const plan = planOf(cachePolicy)
      // Stable by name: lines of one name keep their order.
      const sorted = request.fields.toSorted(([a], [b]) =>
        a.toLowerCase() < b.toLowerCase() ? -1 : a.toLowerCase() > b.toLowerCase() ? 1 : 0,
      )
      const fields = sorted.map(([name, text]) => [upper ? name.toUpperCase() : name.toLowerCase(), text] as const)
      assert.equal(keyOf(plan, { ...request, fields }), keyOf(plan, request))
    }),
  )
})

test('a key begins with what invalidations are compared with, and no part of it runs into the next', () => {
  fc.assert(
    fc.property(policy, asked, (cachePolicy, request) => {
      const plan = planOf(cachePolicy)
      const [first = '', ...lines] = keyOf(plan, request).split('\n')
      const uri = invalidationUri(plan.key, request.path, request.query)
      assert.equal(first, request.method === 'OPTIONS' ? `E1 OPTIONS ${uri}` : `E1 ${uri}`)
      for (const line of lines) assert.match(line, /^[a-z-]+: /)
      assert.deepEqual(new Set(lines.map((line) => line.split(':')[0])).size, lines.length)
    }),
  )
})
