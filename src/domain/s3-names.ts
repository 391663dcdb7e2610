//! Host names of S3 buckets, as a distribution's origins have them.
//! https://docs.aws.amazon.com/AmazonS3/latest/userguide/VirtualHosting.html, .../WebsiteEndpoints.html

export interface BucketName {
  readonly bucket: string
  /** Null when the name does not say: `bucket.s3.amazonaws.com`. */
  readonly region: string | null
  /** `amazonaws.com` or `amazonaws.com.cn`. */
  readonly suffix: string
}

const SUFFIX = String.raw`(amazonaws\.com(?:\.cn)?)`
const REGION = String.raw`([a-z]{2,3}(?:-[a-z]+){1,3}-\d{1,2})`
/** Old names were laxer than today's rules (upper case, underscores); names here are in lower case already. */
const BUCKET = `([a-z0-9][a-z0-9._-]{1,253}[a-z0-9])`

/** Names of the REST endpoint, each with the place of its region; null where it has none. */
const REST_FORMS: readonly RegExp[] = [
  new RegExp(String.raw`^${BUCKET}\.s3()\.${SUFFIX}$`),
  new RegExp(String.raw`^${BUCKET}\.s3[.-]${REGION}\.${SUFFIX}$`),
  new RegExp(String.raw`^${BUCKET}\.s3\.dualstack\.${REGION}\.${SUFFIX}$`),
  new RegExp(String.raw`^${BUCKET}\.s3-accelerate(?:\.dualstack)?()\.${SUFFIX}$`),
]
const WEBSITE_FORM = new RegExp(String.raw`^${BUCKET}\.s3-website[.-]${REGION}\.${SUFFIX}$`)

/** The bucket whose REST endpoint has this name (any case); null for every other name. */
export function bucketOf(domainName: string): BucketName | null {
  const name = domainName.toLowerCase()
  for (const form of REST_FORMS) {
    const [, bucket, region, suffix] = form.exec(name) ?? []
    if (bucket !== undefined && suffix !== undefined) return { bucket, region: region || null, suffix }
  }
  return null
}

/** The bucket whose website endpoint has this name (any case); null for every other name. */
export function websiteOf(domainName: string): BucketName | null {
  const [, bucket, region, suffix] = WEBSITE_FORM.exec(domainName.toLowerCase()) ?? []
  return bucket === undefined || region === undefined || suffix === undefined ? null : { bucket, region, suffix }
}

/** Names below S3 that are of no bucket: access points, object lambdas, outposts. */
export const isOtherS3Name = (domainName: string): boolean =>
  /\.(s3-accesspoint|s3-object-lambda|s3-outposts|op-s3)[.-]/.test(domainName.toLowerCase())
