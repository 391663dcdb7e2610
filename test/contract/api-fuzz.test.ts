//! Property tests of the wire: whatever arrives, decoding throws nothing but a WireError; whatever an SDK sends as XML or
//! as a form is read back as it was.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as cloudfront from '@aws-sdk/client-cloudfront'
import * as elasticache from '@aws-sdk/client-elasticache'
import { NormalizedSchema } from '@smithy/core/schema'
import fc from 'fast-check'
import { judgeAccess } from '../../src/api/access.ts'
import { readAuthorization } from '../../src/aws/authorization.ts'
import { awsQuery } from '../../src/aws/aws-query.ts'
import { checkShape } from '../../src/aws/check-shape.ts'
import { modelOf } from '../../src/aws/model.ts'
import type { Protocol, WireRequest, WireService } from '../../src/aws/protocol.ts'
import { readShape, xmlDialect } from '../../src/aws/read-shape.ts'
import { restXml } from '../../src/aws/rest-xml.ts'
import { WireError } from '../../src/aws/wire-error.ts'
import { readXml } from '../../src/aws/xml-reader.ts'
import { writeXml } from '../../src/aws/xml-writer.ts'
import { anyCharacter } from '../support/any-character.ts'

const RUNS = { numRuns: 2000 }
const NAMESPACE = 'http://cloudfront.amazonaws.com/doc/2020-05-31/'
const CLOUDFRONT: WireService = {
  model: modelOf(cloudfront),
  namespace: NAMESPACE,
  version: '2020-05-31',
  fractions: new Set(),
}
const ELASTICACHE: WireService = {
  model: modelOf(elasticache),
  namespace: 'urn:e',
  version: '2015-02-02',
  fractions: new Set(),
}

/** Decodes to the end; true when the input would reach an operation. */
function reaches(protocol: Protocol, service: WireService, request: Partial<WireRequest>): boolean {
  const whole = { method: 'POST', rawPath: '/', rawQuery: '', headers: new Map(), body: new Uint8Array(), ...request }
  try {
    const matched = protocol.match(service, whole)
    checkShape(protocol.decode(service, matched, whole), matched.operation.input, '', service.fractions)
    return true
  } catch (error) {
    if (error instanceof WireError) return false
    throw error
  }
}

/** Pieces of XML, right and wrong, in any order. */
const XML_PIECES = [
  '<InvalidationBatch>',
  '</InvalidationBatch>',
  '<Paths>',
  '</Paths>',
  '<Quantity>1</Quantity>',
  '<Items>',
  '</Items>',
  '<Path>/a</Path>',
  '<CallerReference>r</CallerReference>',
  '<CallerReference/>',
  '<!-- c -->',
  '<![CDATA[',
  ']]>',
  '<!DOCTYPE a>',
  '<?a?>',
  '&amp;',
  '&#x0;',
  '&a;',
  '<a b="c">',
  '<__proto__/>',
  ' ',
  '>',
]
const FORM_PIECES = [
  'Action=CreateReplicationGroup',
  'Version=2015-02-02',
  'ReplicationGroupId=a',
  'ReplicationGroupDescription=b',
  'Tags.Tag.1.Key=a',
  'Tags.member.2.Key=a',
  'Tags=',
  'Tags.Tag.x=',
  'NodeGroupConfiguration.NodeGroupConfiguration.1.Slots=a',
  'NodeGroupConfiguration.member.1.ReplicaAvailabilityZones.AvailabilityZone.1=a',
  'Port=1',
  'Port=x',
  'toString=1',
  '__proto__.a=1',
  'constructor.prototype=1',
  '%zz=1',
  '..=',
  '=',
]

describe('decoding never throws anything but a WireError', () => {
  test('XML of any pieces', () => {
    const rawPath = '/2020-05-31/distribution/E1/invalidation'
    const pieces = fc.array(fc.oneof(fc.constantFrom(...XML_PIECES), fc.string({ maxLength: 4 })), { maxLength: 14 })
    fc.assert(
      fc.property(pieces, (parts) => {
        reaches(restXml, CLOUDFRONT, { rawPath, body: Buffer.from(parts.join('')) })
      }),
      RUNS,
    )
  })

  test('any bytes, paths and queries', () => {
    const text = fc.string({ unit: anyCharacter, maxLength: 40 })
    fc.assert(
      fc.property(text, text, fc.uint8Array({ maxLength: 60 }), (path, rawQuery, body) => {
        reaches(restXml, CLOUDFRONT, { method: 'GET', rawPath: `/2020-05-31/distribution/${path}`, rawQuery, body })
        const headers = new Map([['content-type', 'application/x-www-form-urlencoded']])
        reaches(awsQuery, ELASTICACHE, { rawQuery, headers, body })
        readAuthorization(
          new Map([
            ['authorization', path],
            ['x-amz-date', rawQuery],
          ]),
          rawQuery,
        )
        judgeAccess({ method: 'GET', hosts: [path], origin: rawQuery, fetchSite: undefined }, new Set())
      }),
      RUNS,
    )
  })

  test('forms of any pieces', () => {
    const headers = new Map([['content-type', 'application/x-www-form-urlencoded']])
    const pieces = fc.array(fc.oneof({ weight: 5, arbitrary: fc.constantFrom(...FORM_PIECES) }, fc.string()), {
      maxLength: 10,
    })
    fc.assert(
      fc.property(pieces, (parts) => {
        const whole = ['Action=CreateReplicationGroup', 'Version=2015-02-02', ...parts].join('&')
        reaches(awsQuery, ELASTICACHE, { headers, body: Buffer.from(whole) })
      }),
      RUNS,
    )
    const whole = FORM_PIECES.slice(0, 5).join('&')
    assert.ok(reaches(awsQuery, ELASTICACHE, { headers, body: Buffer.from(whole) }))
  })
})

test('honest documents with one mutation: some pass, some do not, none breaks', () => {
  const rawPath = '/2020-05-31/distribution/E1/invalidation'
  const honest =
    '<?xml version="1.0"?><InvalidationBatch><Paths><Quantity>1</Quantity><Items><Path>/a&amp;b</Path></Items></Paths>' +
    '<CallerReference>r</CallerReference></InvalidationBatch>'
  let passed = 0
  const mutation = fc.tuple(
    fc.nat(honest.length),
    fc.nat(6),
    fc.oneof(fc.string({ maxLength: 3 }), fc.constantFrom(...XML_PIECES)),
  )
  fc.assert(
    fc.property(mutation, ([at, cut, put]) => {
      const body = Buffer.from(honest.slice(0, at) + put + honest.slice(at + cut))
      if (reaches(restXml, CLOUDFRONT, { rawPath, body })) passed += 1
    }),
    RUNS,
  )
  assert.ok(passed > 10 && passed < RUNS.numRuns / 2, String(passed))
})

test('what is written as XML is read as it was', () => {
  const schema = NormalizedSchema.of(cloudfront.DistributionConfig$)
  // No carriage return at the ends of the SDK's own line handling, no characters that XML cannot carry.
  const text = fc.string({ unit: 'grapheme', maxLength: 20 })
  fc.assert(
    fc.property(
      text,
      fc.boolean(),
      fc.integer(),
      fc.array(text, { maxLength: 3 }),
      (Comment, Enabled, MinTTL, Items) => {
        const config = {
          Comment,
          Enabled,
          Aliases: { Quantity: Items.length, Items },
          DefaultCacheBehavior: { TargetOriginId: Comment, MinTTL },
        }
        const root = readXml(Buffer.from(writeXml(cloudfront.DistributionConfig$, config, NAMESPACE)))
        assert.deepEqual(readShape(root, schema, xmlDialect, ''), config)
      },
    ),
    RUNS,
  )
})
