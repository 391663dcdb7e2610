//! An origin as it is really reached: a bucket's name becomes an address, a Host and a path of the S3 endpoint, with what
//! a signature for it needs. PURE; worked out once for a snapshot.
import type { OriginDoc } from '../../domain/distribution.ts'
import { type BucketName, bucketOf, websiteOf } from '../../domain/s3-names.ts'

/** Where buckets are reached when it is not AWS (`--s3-endpoint`): path-style. */
export interface S3Endpoint {
  readonly scheme: 'http' | 'https'
  /** Name or address, without brackets. */
  readonly host: string
  readonly port: number
  /** Before the bucket; begins with a slash and does not end with one; empty for none. */
  readonly path: string
}

export interface S3Settings {
  /** Null for AWS itself. */
  readonly endpoint: S3Endpoint | null
  /** Of buckets whose name does not say. */
  readonly region: string
}

/** AWS's own S3. */
export const AWS_S3: S3Settings = { endpoint: null, region: 'us-east-1' }

/** What signatures for a bucket have in common. */
export interface SigningPlan {
  /** `always` takes the place of the viewer's Authorization, `no-override` leaves such a request alone (spec 7.2). */
  readonly mode: 'always' | 'no-override'
  /** Reads only for an origin access identity, which cannot do more (spec 7.3). */
  readonly readsOnly: boolean
  readonly region: string
}

export interface S3Plan {
  /** Whole value of Host, which is part of the signature; the viewer's never goes to S3 (spec 7.1). */
  readonly host: string
  readonly region: string
  /** Null when requests are not signed. */
  readonly signing: SigningPlan | null
}

/** The domain name, ports, protocol and path are those of the server that is asked. */
export interface ReachedOrigin extends OriginDoc {
  /** Where it stands in the DistributionConfig: `Origins.Items[0]`. */
  readonly field: string
  /** Null for everything but the REST API of S3. */
  readonly bucket: S3Plan | null
  /** The DomainName that is configured. */
  readonly named: string
  /** Value of Host for requests that do not forward the viewer's. */
  readonly host: string
}

/** `at` is its place in the list of origins. */
export function reachedOrigin(origin: OriginDoc, at: number, s3: S3Settings): ReachedOrigin {
  const field = `Origins.Items[${at}]`
  // An IPv6 address stands in brackets (RFC 3986 3.2.2).
  const host = origin.domainName.includes(':') ? `[${origin.domainName}]` : origin.domainName
  const named = origin.domainName
  const plain = { ...origin, field, named, bucket: null, host }
  if (origin.s3 === undefined) return s3.endpoint === null ? plain : website(plain, s3.endpoint)
  const bucket = bucketOf(origin.domainName)
  if (bucket === null) throw new Error(`origin ${origin.id}: ${origin.domainName} is not the name of a bucket`)
  const region = bucket.region ?? s3.region
  const signing = signingOf(origin, region)
  const server = s3.endpoint === null ? atAws(origin, bucket, signing !== null) : atEndpoint(bucket, s3.endpoint)
  const path = `${server.path}${origin.path}`
  return { ...origin, ...server, field, named, path, bucket: { host: server.host, region, signing } }
}

type Server = Pick<ReachedOrigin, 'domainName' | 'host' | 'path' | 'protocolPolicy' | 'httpPort' | 'httpsPort'>

/** The certificate of S3 covers one label below it: a bucket with dots in its name is reached by its path. */
function atAws({ domainName }: OriginDoc, { bucket, region, suffix }: BucketName, signed: boolean): Server {
  const dotted = bucket.includes('.')
  const host = dotted ? `s3${region === null ? '' : `.${region}`}.${suffix}` : domainName.toLowerCase()
  return {
    domainName: host,
    host,
    path: dotted ? `/${bucket}` : '',
    // Unsigned, the protocol is the viewer's (spec 7.1); a signature goes over TLS only (unconfirmed).
    protocolPolicy: signed ? 'https-only' : 'match-viewer',
    httpPort: 80,
    httpsPort: 443,
  }
}

function atEndpoint({ bucket }: Pick<BucketName, 'bucket'>, endpoint: S3Endpoint): Server {
  return { ...addressOf(endpoint), host: hostOf(endpoint), path: `${endpoint.path}/${bucket}` }
}

/** A website of a bucket is told from the bucket by its Host alone; whether the server knows websites is its own matter. */
function website(plain: ReachedOrigin, endpoint: S3Endpoint): ReachedOrigin {
  return websiteOf(plain.domainName) === null ? plain : { ...plain, ...addressOf(endpoint) }
}

function addressOf({ scheme, host, port }: S3Endpoint) {
  const protocolPolicy = scheme === 'https' ? ('https-only' as const) : ('http-only' as const)
  return { domainName: host, protocolPolicy, httpPort: port, httpsPort: port }
}

function hostOf({ scheme, host, port }: S3Endpoint): string {
  const name = host.includes(':') ? `[${host}]` : host
  return port === (scheme === 'https' ? 443 : 80) ? name : `${name}:${port}`
}

function signingOf({ s3 }: OriginDoc, region: string): SigningPlan | null {
  const access = s3?.access ?? null
  if (access === null) return null
  if (access.kind === 'identity') return { mode: 'always', readsOnly: true, region }
  return access.signing === 'never' ? null : { mode: access.signing, readsOnly: false, region }
}
