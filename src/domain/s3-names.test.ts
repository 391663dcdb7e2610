import { deepEqual, equal } from 'node:assert/strict'
import { test } from 'node:test'
import { bucketOf, isOtherS3Name, websiteOf } from './s3-names.ts'

const com = 'amazonaws.com'
const REST = [
  ['shop.s3.amazonaws.com', { bucket: 'shop', region: null, suffix: com }],
  ['Shop.S3.Amazonaws.com', { bucket: 'shop', region: null, suffix: com }],
  ['shop.s3.eu-central-1.amazonaws.com', { bucket: 'shop', region: 'eu-central-1', suffix: com }],
  ['shop.s3-us-west-2.amazonaws.com', { bucket: 'shop', region: 'us-west-2', suffix: com }],
  ['shop.s3-us-gov-west-1.amazonaws.com', { bucket: 'shop', region: 'us-gov-west-1', suffix: com }],
  ['shop.s3.dualstack.us-east-1.amazonaws.com', { bucket: 'shop', region: 'us-east-1', suffix: com }],
  ['shop.s3-accelerate.amazonaws.com', { bucket: 'shop', region: null, suffix: com }],
  ['shop.s3-accelerate.dualstack.amazonaws.com', { bucket: 'shop', region: null, suffix: com }],
  ['shop.s3.cn-north-1.amazonaws.com.cn', { bucket: 'shop', region: 'cn-north-1', suffix: 'amazonaws.com.cn' }],
  ['static.example.com.s3.amazonaws.com', { bucket: 'static.example.com', region: null, suffix: com }],
  ['my.s3.bucket.s3.eu-west-1.amazonaws.com', { bucket: 'my.s3.bucket', region: 'eu-west-1', suffix: com }],
] as const

for (const [name, bucket] of REST) {
  test(`${name} is a bucket`, () => {
    deepEqual(bucketOf(name), bucket)
    equal(websiteOf(name), null)
  })
}

for (const name of ['shop.s3-website-us-east-1.amazonaws.com', 'shop.s3-website.eu-central-1.amazonaws.com']) {
  test(`${name} is a website, not a bucket`, () => {
    equal(websiteOf(name)?.bucket, 'shop')
    equal(bucketOf(name), null)
  })
}

for (const name of [
  's3.amazonaws.com',
  's3.eu-central-1.amazonaws.com',
  'shop.s3.amazonaws.com.evil.example',
  'shop.s3.amazonaws.example',
  'shop.s3.evil.amazonaws.com',
  'shops3.amazonaws.com',
  'shop.s3.eu-central-1.amazonaws.com:80',
  'point-123456789012.s3-accesspoint.eu-west-1.amazonaws.com',
  'abc.execute-api.us-east-1.amazonaws.com',
  'localhost',
]) {
  test(`${name} is no bucket`, () => {
    equal(bucketOf(name), null)
    equal(websiteOf(name), null)
  })
}

test('an access point is another name of S3', () => {
  equal(isOtherS3Name('point-123456789012.s3-accesspoint.eu-west-1.amazonaws.com'), true)
  equal(isOtherS3Name('shop.s3.amazonaws.com'), false)
})
