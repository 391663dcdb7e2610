//! What is wrong with a request gets the code and status of the service (spec/cloudfront.md 1.5, spec/elasticache.md 1.8),
//! before any operation sees it, and never a stack trace.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { BODY_BYTES_MAX } from '../../../src/api/stages/receive.ts'
import { anyAuthorization, FORM, type Received, send } from '../../support/api-http.ts'
import { startApi, type TestApi } from '../../support/api-server.ts'

const NAMESPACE = 'http://cloudfront.amazonaws.com/doc/2020-05-31/'
const BATCH = '<Paths><Quantity>1</Quantity><Items><Path>/a</Path></Items></Paths><CallerReference>r</CallerReference>'
const batch = (inside: string) => `<InvalidationBatch xmlns="${NAMESPACE}">${inside}</InvalidationBatch>`

describe('bad input', () => {
  let server: TestApi
  const reached: unknown[] = []
  const reach = async (input: unknown) => {
    reached.push(input)
    return { Location: 'https://cloudfront.amazonaws.com/x' }
  }

  before(async () => {
    server = await startApi({
      services: {
        cloudfront: {
          CreateInvalidation: reach,
          CreateDistribution: reach,
          UpdateKeyValueStore: reach,
          ListDistributions: reach,
        },
        elasticache: { CreateCacheCluster: reach, DescribeEvents: reach },
      },
    })
  })
  after(() => server.api.close())

  const REST = '/2020-05-31/distribution/E1/invalidation'
  const rest = (body: string | Uint8Array, path = REST, method = 'POST') =>
    send(server.port, {
      method,
      path,
      headers: { ...anyAuthorization('cloudfront'), 'Content-Type': 'application/xml' },
      body,
    })
  const query = (body: string, headers: Record<string, string> = FORM) =>
    send(server.port, { method: 'POST', headers: { ...headers, ...anyAuthorization('elasticache') }, body })

  function isRefused(answer: Received, status: number, code: string): void {
    assert.deepEqual([answer.code, answer.status], [code, status], answer.body)
    assert.match(answer.headers['content-type'] as string, /^text\/xml/)
    assert.match(
      answer.body,
      /^<\?xml version="1.0"\?>\n<ErrorResponse xmlns="[^"]+"><Error><Type>Sender<\/Type><Code>/,
    )
    assert.ok(answer.body.includes(`<RequestId>${answer.headers['x-amzn-requestid']}</RequestId>`))
    assert.doesNotMatch(answer.body, /node_modules|\.ts:|at async/)
  }

  test('the well-formed request that the others are broken copies of is taken', async () => {
    assert.equal((await rest(batch(BATCH))).status, 201)
    assert.deepEqual(reached.pop(), {
      DistributionId: 'E1',
      InvalidationBatch: { Paths: { Quantity: 1, Items: ['/a'] }, CallerReference: 'r' },
    })
    const spaced = `\ufeff<?xml version="1.0" encoding="UTF-8"?>\r\n<!-- a -->\r\n<InvalidationBatch>\r\n  ${BATCH.replaceAll('><', '>\r\n <')}\r\n</InvalidationBatch>\r\n<!-- b -->`
    assert.equal((await rest(spaced)).status, 201)
    const escaped = BATCH.replace('/a', '<![CDATA[/<a>&]]>&#x62;&#99;&amp;&lt;&gt;&quot;&apos;<!-- x -->')
    assert.equal((await rest(batch(escaped))).status, 201)
    assert.deepEqual((reached.pop() as { InvalidationBatch: { Paths: object } }).InvalidationBatch.Paths, {
      Quantity: 1,
      Items: [`/<a>&bc&<>"'`],
    })
    reached.length = 0
  })

  const BILLION = `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>${batch(BATCH.replace('/a', '&b;'))}`
  const XML: readonly [string, string | Uint8Array, string][] = [
    ['nothing', '', 'MissingBody'],
    ['not XML', '{"a":1}', 'MalformedInput'],
    ['an element that is not closed', batch(BATCH).slice(0, -5), 'MalformedInput'],
    ['elements that overlap', batch('<Paths><Items></Paths></Items>'), 'MalformedInput'],
    ['two roots', batch(BATCH) + batch(BATCH), 'MalformedInput'],
    ['a document type with entities', BILLION, 'MalformedInput'],
    ['a document type that names a file', `<!DOCTYPE a SYSTEM "file:///etc/passwd">${batch(BATCH)}`, 'MalformedInput'],
    ['an entity that is not declared', batch(BATCH.replace('/a', '&nbsp;')), 'MalformedInput'],
    ['a bare ampersand', batch(BATCH.replace('/a', '/?a&b')), 'MalformedInput'],
    ['a reference to no character', batch(BATCH.replace('/a', '&#xD800;')), 'MalformedInput'],
    ['a control character', batch(BATCH.replace('/a', '&#1;')), 'MalformedInput'],
    ['bytes that are not UTF-8', Buffer.from(batch(BATCH.replace('/a', '/\xff')), 'latin1'), 'MalformedInput'],
    ['a processing instruction', batch('<?php ?>'), 'MalformedInput'],
    ['ten thousand levels', '<a>'.repeat(10_000), 'MalformedInput'],
    ['another root', BATCH, 'MalformedInput'],
    ['another shape', `<DistributionConfig xmlns="${NAMESPACE}"/>`, 'MalformedInput'],
    ['the namespace of another version', batch(BATCH).replace('2020-05-31', '2019-03-26'), 'MalformedInput'],
    ['an unknown element', batch(`${BATCH}<Extra>1</Extra>`), 'MalformedInput'],
    [
      'an item by another name',
      batch(BATCH.replaceAll('Path>', 'Item>').replaceAll('Items>', 'Items>')),
      'MalformedInput',
    ],
    ['an unknown attribute', batch(BATCH.replace('<Paths>', '<Paths kind="x">')), 'MalformedInput'],
    ['a member twice', batch(`${BATCH}<CallerReference>s</CallerReference>`), 'MalformedInput'],
    [
      'text where a structure belongs',
      batch('<Paths>/a</Paths><CallerReference>r</CallerReference>'),
      'MalformedInput',
    ],
    ['a structure where text belongs', batch(BATCH.replace('>r<', '><r/><')), 'MalformedInput'],
    ['a number that is none', batch(BATCH.replace('>1<', '>one<')), 'MalformedInput'],
    ['a number that is not whole', batch(BATCH.replace('>1<', '>1.5<')), 'InconsistentQuantities'],
    ['a number without digits', batch(BATCH.replace('>1<', '><')), 'MalformedInput'],
    ['Infinity', batch(BATCH.replace('>1<', '>Infinity<')), 'MalformedInput'],
    ['a required member that is missing', batch(BATCH.replace(/<CallerReference>.*/, '')), 'InvalidArgument'],
    ['a Quantity too high', batch(BATCH.replace('>1<', '>2<')), 'InconsistentQuantities'],
    ['a Quantity without Items', batch(BATCH.replace(/<Items>.*<\/Items>/, '')), 'InconsistentQuantities'],
    ['a negative Quantity', batch(BATCH.replace('>1<', '>-1<')), 'InconsistentQuantities'],
  ]
  for (const [what, body, code] of XML) {
    test(`XML: ${what} is ${code}`, async () => isRefused(await rest(body), 400, code))
  }

  test('XML: Quantity is checked at every depth', async () => {
    const config = (methods: string) =>
      `<DistributionConfig><CallerReference>r</CallerReference><Origins><Quantity>1</Quantity><Items><Origin><Id>o</Id><DomainName>d</DomainName></Origin></Items></Origins>
       <DefaultCacheBehavior><TargetOriginId>o</TargetOriginId><ViewerProtocolPolicy>allow-all</ViewerProtocolPolicy>
       <AllowedMethods><Quantity>2</Quantity><Items><Method>GET</Method><Method>HEAD</Method></Items>${methods}</AllowedMethods>
       </DefaultCacheBehavior><Comment/><Enabled>true</Enabled></DistributionConfig>`
    const cached = (quantity: number) =>
      `<CachedMethods><Quantity>${quantity}</Quantity><Items><Method>GET</Method><Method>HEAD</Method></Items></CachedMethods>`
    const path = '/2020-05-31/distribution'
    const taken = await rest(config(cached(2)), path)
    assert.equal(taken.status, 201, taken.body)
    const answer = await rest(config(cached(3)), path)
    isRefused(answer, 400, 'InconsistentQuantities')
    assert.match(answer.body, /DistributionConfig\.DefaultCacheBehavior\.AllowedMethods\.CachedMethods\.Quantity is 3/)
    isRefused(await rest(config(cached(2)).replace('>true<', '>maybe<'), path), 400, 'MalformedInput')
    reached.length = 0
  })

  test('XML: paths, queries and headers', async () => {
    isRefused(await rest(batch(BATCH), '/2020-05-31/nothing'), 404, 'UnknownOperationException')
    isRefused(await rest(batch(BATCH), '/2019-03-26/distribution/E1/invalidation'), 404, 'UnknownOperationException')
    isRefused(await rest(batch(BATCH), REST, 'PATCH'), 404, 'UnknownOperationException')
    isRefused(await rest(batch(BATCH), '/2020-05-31/distribution/%ff/invalidation'), 400, 'MalformedInput')
    isRefused(await rest(batch(BATCH), `${REST}?Force=1`), 400, 'MalformedInput')
    isRefused(await rest('', '/2020-05-31/distribution?Marker=a&Marker=b', 'GET'), 400, 'MalformedInput')
    isRefused(await rest('', '/2020-05-31/distribution?Marker=%zz', 'GET'), 400, 'MalformedInput')
    isRefused(await rest('<a/>', '/2020-05-31/distribution', 'GET'), 400, 'MalformedInput')
    const store = '<UpdateKeyValueStoreRequest><Comment>c</Comment></UpdateKeyValueStoreRequest>'
    isRefused(await rest(store, '/2020-05-31/key-value-store/a', 'PUT'), 400, 'InvalidIfMatchVersion')
  })

  const CREATE = 'Action=CreateCacheCluster&Version=2015-02-02&CacheClusterId=a'
  const FORMS: readonly [string, string, string][] = [
    ['no Action', 'Version=2015-02-02', 'MissingAction'],
    ['an unknown Action', 'Action=CreateCacheClusterr&Version=2015-02-02', 'InvalidAction'],
    ['Object.prototype', 'Action=__proto__&Version=2015-02-02', 'InvalidAction'],
    ['another version', 'Action=DescribeEvents&Version=2014-09-30', 'InvalidAction'],
    ['no version', 'Action=DescribeEvents', 'InvalidAction'],
    ['two Actions', `${CREATE}&Action=DescribeEvents`, 'MalformedInput'],
    ['bad percent encoding', `${CREATE}&Engine=%zz`, 'MalformedInput'],
    ['bytes that are not UTF-8', `${CREATE}&Engine=%ff`, 'MalformedInput'],
    ['a parameter without a name', `${CREATE}&=x`, 'MalformedInput'],
    ['a parameter twice', `${CREATE}&Engine=a&Engine=b`, 'MalformedInput'],
    ['an unknown parameter', `${CREATE}&Colour=blue`, 'MalformedInput'],
    ['a parameter below a value', `${CREATE}&Engine=a&Engine.b=c`, 'MalformedInput'],
    ['a prototype', `${CREATE}&__proto__.x=1`, 'MalformedInput'],
    ['a dot at the end', `${CREATE}&Tags.=1`, 'MalformedInput'],
    ['a value where a list belongs', `${CREATE}&Tags=x`, 'InvalidParameterValue'],
    ['a list item by another name', `${CREATE}&Tags.Label.1.Key=x`, 'MalformedInput'],
    ['a list item without a number', `${CREATE}&Tags.Tag.Key=x`, 'MalformedInput'],
    ['a list item numbered 0', `${CREATE}&Tags.Tag.0.Key=x`, 'MalformedInput'],
    ['two names for the items of a list', `${CREATE}&Tags.Tag.1.Key=x&Tags.member.2.Key=y`, 'MalformedInput'],
    ['a number that is none', `${CREATE}&NumCacheNodes=two`, 'InvalidParameterValue'],
    ['a number that is not whole', `${CREATE}&NumCacheNodes=1.5`, 'InvalidParameterValue'],
    ['a boolean that is none', `${CREATE}&AutoMinorVersionUpgrade=maybe`, 'InvalidParameterValue'],
    ['a control character', `${CREATE}&Engine=%01`, 'InvalidParameterValue'],
    [
      'a time that is none',
      'Action=DescribeEvents&Version=2015-02-02&StartTime=2026-02-30T00:00:00Z',
      'InvalidParameterValue',
    ],
    ['a required parameter that is missing', 'Action=CreateCacheCluster&Version=2015-02-02', 'MissingParameter'],
    ['too many parameters', `${CREATE}${'&a=1'.repeat(10_001)}`, 'MalformedInput'],
    ['a name with too many parts', `${CREATE}&${'a.'.repeat(10_000)}a=1`, 'MalformedInput'],
  ]
  for (const [what, body, code] of FORMS) {
    test(`form: ${what} is ${code}`, async () => isRefused(await query(body), 400, code))
  }

  test('form: another Content-Type is refused', async () => {
    isRefused(await query(CREATE, { 'Content-Type': 'application/json' }), 400, 'MalformedInput')
  })

  test('form: both names for list items, maps in any order, and GET are taken', async () => {
    const tags = 'Tags.member.2.Key=b&Tags.member.1.Key=a&Tags.member.10.Key=c&SecurityGroupIds.SecurityGroupId.1=sg'
    assert.equal((await query(`${CREATE}&${tags}&PreferredAvailabilityZones=`)).status, 200)
    assert.deepEqual(reached.pop(), {
      CacheClusterId: 'a',
      Tags: [{ Key: 'a' }, { Key: 'b' }, { Key: 'c' }],
      SecurityGroupIds: ['sg'],
      PreferredAvailabilityZones: [],
    })
    const path = `/?${CREATE}&Engine=redis+7`
    assert.equal((await send(server.port, { path, headers: anyAuthorization('elasticache') })).status, 200)
    assert.deepEqual(reached.pop(), { CacheClusterId: 'a', Engine: 'redis 7' })
  })

  test('a body over the limit is 413, one of exactly the limit is read', async () => {
    isRefused(await rest('a'.repeat(BODY_BYTES_MAX + 1)), 413, 'RequestEntityTooLarge')
    isRefused(await rest('a'.repeat(BODY_BYTES_MAX)), 400, 'MalformedInput')
  })

  test('no operation was reached by any of it', () => assert.deepEqual(reached, []))
})
