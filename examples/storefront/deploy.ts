//! Deploys the shop's infrastructure as an application on AWS would: with the AWS SDK, and nothing but it. A second
//! start finds everything by its name and changes only what is different.
import {
  type CacheBehavior,
  CloudFrontClient,
  CreateCachePolicyCommand,
  CreateDistributionCommand,
  type DefaultCacheBehavior,
  type DistributionConfig,
  GetDistributionCommand,
  GetDistributionConfigCommand,
  ListCachePoliciesCommand,
  type Origin,
  paginateListDistributions,
  UpdateDistributionCommand,
  waitUntilDistributionDeployed,
} from '@aws-sdk/client-cloudfront'
import {
  CreateReplicationGroupCommand,
  DescribeReplicationGroupsCommand,
  ElastiCacheClient,
  type ReplicationGroup,
  waitUntilReplicationGroupAvailable,
} from '@aws-sdk/client-elasticache'
import { accessControl, BUCKET } from './bucket.ts'
import type { Endpoint } from './replication-group.ts'

export const GROUP_ID = 'storefront'
export const COMMENT = 'Cachefront storefront sample'
const PAGES_POLICY = 'storefront-pages'
/** Managed policies have the same ids in every account. */
const CACHING_OPTIMIZED = '658327ea-f89d-4fab-a63d-7e88639e58f6'
const CACHING_DISABLED = '4135ea2d-6df8-44a3-9df3-4b5a84be39ad'
const ALL_VIEWER = '216adef6-5c7f-47e4-b989-5492eafa07d3'
/** AllViewerAndCloudFrontHeaders-2022-06: also what tells HTTP from HTTPS. */
const ALL_VIEWER_AND_CLOUDFRONT = '33f36d7e-f396-46d9-90e0-52428a34d9dc'
/** Seconds. The pages say s-maxage; this is the most that a mistake there can cost. */
const PAGE_TTL = { min: 0, default: 60, max: 3_600 } as const
/** Of the SDK's waiters, in seconds. */
const WAIT = { minDelay: 0.02, maxDelay: 0.5, maxWaitTime: 60 } as const

export interface Platform {
  /** Of the AWS API, e.g. `http://127.0.0.1:4566`. */
  readonly endpoint: string
  readonly region: string
  /** Loopback accepts any. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
}

export interface Clients {
  readonly cloudfront: CloudFrontClient
  readonly elasticache: ElastiCacheClient
}

/** Of the shop, of its standby, and of the signer of the members' area. */
export interface OriginPorts {
  readonly shop: number
  readonly standby: number
  readonly signer: number
}

export interface DeployedGroup {
  readonly primary: Endpoint
  readonly reader: Endpoint
}

export interface DeployedDistribution {
  readonly id: string
  readonly domainName: string
  readonly ports: OriginPorts
}

/** Keys of the environment, as the command line of Cachefront takes them; any others do on loopback. */
export function credentialsOf(environment: NodeJS.ProcessEnv): Platform['credentials'] {
  return {
    accessKeyId: environment.CACHEFRONT_ACCESS_KEY_ID ?? environment.AWS_ACCESS_KEY_ID ?? 'test',
    secretAccessKey: environment.CACHEFRONT_SECRET_ACCESS_KEY ?? environment.AWS_SECRET_ACCESS_KEY ?? 'test',
  }
}

export function clientsOf(platform: Platform): Clients {
  return { cloudfront: new CloudFrontClient(platform), elasticache: new ElastiCacheClient(platform) }
}

/** One primary, two replicas, automatic failover, the engine left to AWS's default; resolves when `available`. */
export async function deployGroup({ elasticache }: Clients): Promise<DeployedGroup> {
  if ((await describeGroup(elasticache)) === null) {
    await elasticache.send(
      new CreateReplicationGroupCommand({
        ReplicationGroupId: GROUP_ID,
        ReplicationGroupDescription: COMMENT,
        CacheNodeType: 'cache.t4g.micro',
        NumCacheClusters: 3,
        AutomaticFailoverEnabled: true,
      }),
    )
  }
  await waitUntilReplicationGroupAvailable({ client: elasticache, ...WAIT }, { ReplicationGroupId: GROUP_ID })
  const endpoints = (await describeGroup(elasticache))?.NodeGroups?.[0]
  const [primary, reader] = [endpoints?.PrimaryEndpoint, endpoints?.ReaderEndpoint]
  if (primary?.Address === undefined || reader?.Address === undefined) {
    throw new Error(`The replication group ${GROUP_ID} is available and names no endpoints.`)
  }
  return {
    primary: { host: primary.Address, port: primary.Port ?? 6379 },
    reader: { host: reader.Address, port: reader.Port ?? 6379 },
  }
}

async function describeGroup(elasticache: ElastiCacheClient): Promise<ReplicationGroup | null> {
  try {
    const answer = await elasticache.send(new DescribeReplicationGroupsCommand({ ReplicationGroupId: GROUP_ID }))
    return answer.ReplicationGroups?.[0] ?? null
  } catch (error) {
    if ((error as Error).name === 'ReplicationGroupNotFoundFault') return null
    throw error
  }
}

/** The sample's distribution; null when it was never deployed. */
export async function findDistribution({ cloudfront }: Clients): Promise<DeployedDistribution | null> {
  for await (const page of paginateListDistributions({ client: cloudfront }, {})) {
    const found = page.DistributionList?.Items?.find((item) => item.Comment === COMMENT)
    if (found?.Id === undefined || found.DomainName === undefined) continue
    const port = (id: string): number =>
      found.Origins?.Items?.find((origin) => origin.Id === id)?.CustomOriginConfig?.HTTPPort ?? 0
    return {
      id: found.Id,
      domainName: found.DomainName,
      ports: { shop: port('shop'), standby: port('standby'), signer: port('signer') },
    }
  }
  return null
}

/**
 * The distribution before shop, standby, signer and bucket; resolves when it is `Deployed`.
 * @param members id of the key group whose signatures let viewers at the members' images
 */
export async function deployDistribution(
  clients: Clients,
  ports: OriginPorts,
  members: string,
): Promise<DeployedDistribution> {
  const { cloudfront } = clients
  const found = await findDistribution(clients)
  const id = found === null ? await createDistribution(cloudfront, ports, members) : found.id
  const names = ['shop', 'standby', 'signer'] as const
  if (found !== null && names.some((name) => found.ports[name] !== ports[name])) {
    await updateDistribution(cloudfront, id, ports, members)
  }
  await waitUntilDistributionDeployed({ client: cloudfront, ...WAIT }, { Id: id })
  const { Distribution } = await cloudfront.send(new GetDistributionCommand({ Id: id }))
  return { id, domainName: Distribution?.DomainName ?? '', ports }
}

async function createDistribution(cloudfront: CloudFrontClient, ports: OriginPorts, members: string): Promise<string> {
  const config = await distributionConfig(cloudfront, ports, members)
  const answer = await cloudfront.send(new CreateDistributionCommand({ DistributionConfig: config }))
  return answer.Distribution?.Id ?? ''
}

/** Get, edit, update with the ETag that was got: the way that AWS wants a distribution changed. */
async function updateDistribution(
  cloudfront: CloudFrontClient,
  id: string,
  ports: OriginPorts,
  members: string,
): Promise<void> {
  const current = await cloudfront.send(new GetDistributionConfigCommand({ Id: id }))
  if (current.DistributionConfig === undefined) throw new Error(`The distribution ${id} has no configuration.`)
  const wanted = await distributionConfig(cloudfront, ports, members)
  const config: DistributionConfig = { ...current.DistributionConfig, ...wanted }
  await cloudfront.send(new UpdateDistributionCommand({ Id: id, IfMatch: current.ETag, DistributionConfig: config }))
}

/** Pages differ by path alone: no header, cookie or query string is part of their cache key. */
async function pagesPolicy(cloudfront: CloudFrontClient): Promise<string> {
  const list = await cloudfront.send(new ListCachePoliciesCommand({ Type: 'custom' }))
  const items = list.CachePolicyList?.Items ?? []
  const found = items.find((item) => item.CachePolicy?.CachePolicyConfig?.Name === PAGES_POLICY)?.CachePolicy?.Id
  if (found !== undefined) return found
  const created = await cloudfront.send(
    new CreateCachePolicyCommand({
      CachePolicyConfig: {
        Name: PAGES_POLICY,
        Comment: COMMENT,
        MinTTL: PAGE_TTL.min,
        DefaultTTL: PAGE_TTL.default,
        MaxTTL: PAGE_TTL.max,
        ParametersInCacheKeyAndForwardedToOrigin: {
          EnableAcceptEncodingGzip: false,
          EnableAcceptEncodingBrotli: false,
          HeadersConfig: { HeaderBehavior: 'none' },
          CookiesConfig: { CookieBehavior: 'none' },
          QueryStringsConfig: { QueryStringBehavior: 'none' },
        },
      },
    }),
  )
  return created.CachePolicy?.Id ?? ''
}

async function distributionConfig(
  cloudfront: CloudFrontClient,
  ports: OriginPorts,
  members: string,
): Promise<DistributionConfig> {
  const [pages, readsBucket] = await Promise.all([pagesPolicy(cloudfront), accessControl(cloudfront)])
  return {
    CallerReference: GROUP_ID,
    Comment: COMMENT,
    Enabled: true,
    Origins: {
      Quantity: 4,
      Items: [
        origin('shop', ports.shop),
        origin('standby', ports.standby),
        origin('signer', ports.signer),
        bucketOrigin(readsBucket),
      ],
    },
    OriginGroups: {
      Quantity: 1,
      Items: [
        {
          Id: 'shop-or-standby',
          FailoverCriteria: { StatusCodes: { Quantity: 4, Items: [500, 502, 503, 504] } },
          Members: { Quantity: 2, Items: [{ OriginId: 'shop' }, { OriginId: 'standby' }] },
        },
      ],
    },
    DefaultCacheBehavior: behavior('shop-or-standby', pages),
    CacheBehaviors: {
      Quantity: 7,
      Items: [
        { PathPattern: '/assets/*', ...behavior('assets', CACHING_OPTIMIZED) },
        {
          // Cached like any other, and shown to nobody without a signature of the signer: the edge looks first.
          PathPattern: '/images/*',
          ...behavior('assets', CACHING_OPTIMIZED),
          TrustedKeyGroups: { Enabled: true, Quantity: 1, Items: [members] },
        },
        { PathPattern: '/api/*', ...uncached },
        { PathPattern: '/cart*', ...uncached },
        ...['/members*', '/signed-cookie', '/refresh'].map((PathPattern) => ({ PathPattern, ...signers })),
      ],
    },
  }
}

const origin = (id: string, port: number): Origin => ({
  Id: id,
  DomainName: '127.0.0.1',
  CustomOriginConfig: { HTTPPort: port, HTTPSPort: 443, OriginProtocolPolicy: 'http-only' },
})

const bucketOrigin = (accessControlId: string): Origin => ({
  Id: 'assets',
  DomainName: `${BUCKET}.s3.amazonaws.com`,
  S3OriginConfig: { OriginAccessIdentity: '' },
  OriginAccessControlId: accessControlId,
})

const READ: DefaultCacheBehavior['AllowedMethods'] = {
  Quantity: 2,
  Items: ['GET', 'HEAD'],
  CachedMethods: { Quantity: 2, Items: ['GET', 'HEAD'] },
}

/** What an update must say, too (a full replacement), though a new distribution need not. */
const UNUSED = {
  SmoothStreaming: false,
  LambdaFunctionAssociations: { Quantity: 0 },
  FieldLevelEncryptionId: '',
} satisfies Partial<DefaultCacheBehavior>

const behavior = (originId: string, cachePolicyId: string): DefaultCacheBehavior => ({
  TargetOriginId: originId,
  ViewerProtocolPolicy: 'allow-all',
  Compress: false,
  ...UNUSED,
  AllowedMethods: READ,
  CachePolicyId: cachePolicyId,
})

/** Carts and the API: every method, everything that the viewer sent, nothing kept; and no standby may change a price. */
const uncached: Omit<CacheBehavior, 'PathPattern'> & DefaultCacheBehavior = {
  TargetOriginId: 'shop',
  ViewerProtocolPolicy: 'allow-all',
  Compress: false,
  ...UNUSED,
  AllowedMethods: {
    Quantity: 7,
    Items: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'POST', 'DELETE'],
    CachedMethods: { Quantity: 2, Items: ['GET', 'HEAD'] },
  },
  CachePolicyId: CACHING_DISABLED,
  OriginRequestPolicyId: ALL_VIEWER,
}

/** The signer makes policies for the site as the viewer sees it: it needs the viewer's Host. */
const signers: typeof uncached = {
  ...uncached,
  TargetOriginId: 'signer',
  OriginRequestPolicyId: ALL_VIEWER_AND_CLOUDFRONT,
}
