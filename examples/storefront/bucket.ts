//! The bucket with the shop's images, style sheet and script, and the access control by which the distribution, and nobody
//! else, reads it.
import {
  type CloudFrontClient,
  CreateOriginAccessControlCommand,
  paginateListOriginAccessControls,
} from '@aws-sdk/client-cloudfront'
import {
  CreateBucketCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3'
import { ASSETS, type Asset, MEMBERS_IMAGES } from './assets.ts'
import type { S3Access } from './s3.ts'

export const BUCKET = 'storefront-assets'
const ACCESS_CONTROL = 'storefront-assets'

/** Makes the bucket and puts in what it lacks. */
export async function fillBucket(access: S3Access, region: string): Promise<void> {
  const { endpoint, accessKeyId, secretAccessKey } = access
  const s3 = new S3Client({ endpoint, region, forcePathStyle: true, credentials: { accessKeyId, secretAccessKey } })
  try {
    await createBucket(s3)
    await Promise.all([...ASSETS, ...MEMBERS_IMAGES].map(([path, asset]) => putAsset(s3, path.slice(1), asset)))
  } finally {
    s3.destroy()
  }
}

async function createBucket(s3: S3Client): Promise<void> {
  try {
    await s3.send(new HeadBucketCommand({ Bucket: BUCKET }))
  } catch (error) {
    if ((error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode !== 404) throw error
    await s3.send(new CreateBucketCommand({ Bucket: BUCKET }))
  }
}

/** Assets never change under their names. */
async function putAsset(s3: S3Client, key: string, { type, caching, body }: Asset): Promise<void> {
  try {
    const { ContentLength } = await s3.send(new HeadObjectCommand({ Bucket: BUCKET, Key: key }))
    if (ContentLength === Buffer.byteLength(body)) return
  } catch (error) {
    if ((error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode !== 404) throw error
  }
  await s3.send(
    new PutObjectCommand({ Bucket: BUCKET, Key: key, Body: body, ContentType: type, CacheControl: caching }),
  )
}

/** Id of the origin access control: each request to the bucket is signed. */
export async function accessControl(cloudfront: CloudFrontClient): Promise<string> {
  for await (const { OriginAccessControlList } of paginateListOriginAccessControls({ client: cloudfront }, {})) {
    const found = OriginAccessControlList?.Items?.find(({ Name }) => Name === ACCESS_CONTROL)
    if (found?.Id !== undefined) return found.Id
  }
  const created = await cloudfront.send(
    new CreateOriginAccessControlCommand({
      OriginAccessControlConfig: {
        Name: ACCESS_CONTROL,
        Description: '',
        SigningProtocol: 'sigv4',
        SigningBehavior: 'always',
        OriginAccessControlOriginType: 's3',
      },
    }),
  )
  return created.OriginAccessControl?.Id ?? ''
}
