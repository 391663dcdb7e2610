//! What the suite runs against: a real installation in a home of its own, with one distribution that was created through
//! the AWS SDK, before the suite's own origin server.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  CloudFrontClient,
  CreateCachePolicyCommand,
  CreateDistributionWithTagsCommand,
  waitUntilDistributionDeployed,
} from '@aws-sdk/client-cloudfront'
import { endAll, newHome, up } from '../support/program-installation.ts'
import type { Mode } from './expected.ts'
import type { Suite } from './suite.ts'

/** Managed-AllViewer: every header, cookie and query string of the viewer goes to the origin, Host included. */
const ALL_VIEWER = '216adef6-5c7f-47e4-b989-5492eafa07d3'
/**
 * Request headers that answers of the suite vary on, but for one that a test says must not matter. In strict mode Vary
 * makes the variants, and none of them is in the key.
 */
export const KEYED_HEADERS: readonly string[] = ['Foo', 'Bar', 'Baz', 'Accept-Language']
/** Seconds. Min and Default 0, so that only what the origin says keeps an answer. */
export const TTL = { min: 0, default: 0, max: 31_536_000 } as const

export interface Servers {
  /** `http://127.0.0.1:PORT` of the edge. */
  readonly baseUrl: string
  /** The distribution's name. */
  readonly host: string
  end(): Promise<void>
}

/** Starts both; `end` ends all that was started. */
export async function startServers(suite: Suite, mode: Mode, workers: string): Promise<Servers> {
  const home = await newHome()
  const scratch = await mkdtemp(join(tmpdir(), 'cachefront-conformance-'))
  let endOrigin = async (): Promise<void> => {}
  const end = async (): Promise<void> => {
    await endOrigin()
    await endAll(home)
    await rm(scratch, { recursive: true, force: true })
  }
  try {
    const origin = await startOrigin(suite, scratch)
    endOrigin = origin.end
    const { api, edge } = await up(home, '--workers', workers)
    return { baseUrl: `http://${edge}`, host: await distributionBefore(origin.port, api, mode), end }
  } catch (error) {
    await end()
    throw error
  }
}

async function startOrigin({ server }: Suite, scratch: string): Promise<{ port: number; end(): Promise<void> }> {
  const preload = fileURLToPath(new URL('loopback-only.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', preload, server], {
    cwd: scratch,
    env: {
      ...process.env,
      npm_config_protocol: 'http',
      npm_config_port: '0',
      npm_config_pidfile: join(scratch, 'server.pid'),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  const listening = Promise.withResolvers<number>()
  let printed = ''
  child.stdout.on('data', (text: Buffer) => {
    if (printed.length < 1000) printed += text
    const port = /Listening on http:\/\/127\.0\.0\.1:(\d+)\//.exec(printed)?.[1]
    if (port !== undefined) listening.resolve(Number(port))
  })
  child.once('exit', () => listening.reject(new Error(`the suite's server ended before it listened: ${printed}`)))
  const port = await listening.promise
  const end = async (): Promise<void> => {
    child.kill('SIGTERM')
    await exited
  }
  return { port, end }
}

async function distributionBefore(originPort: number, endpoint: string, mode: Mode): Promise<string> {
  const client = new CloudFrontClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  const policy = await client.send(
    new CreateCachePolicyCommand({
      CachePolicyConfig: {
        Name: 'conformance',
        MinTTL: TTL.min,
        DefaultTTL: TTL.default,
        MaxTTL: TTL.max,
        ParametersInCacheKeyAndForwardedToOrigin: {
          EnableAcceptEncodingGzip: false,
          EnableAcceptEncodingBrotli: false,
          HeadersConfig:
            mode === 'strict'
              ? { HeaderBehavior: 'none' }
              : { HeaderBehavior: 'whitelist', Headers: { Quantity: KEYED_HEADERS.length, Items: [...KEYED_HEADERS] } },
          CookiesConfig: { CookieBehavior: 'none' },
          QueryStringsConfig: { QueryStringBehavior: 'all' },
        },
      },
    }),
  )
  const created = await client.send(
    new CreateDistributionWithTagsCommand({
      DistributionConfigWithTags: {
        Tags: { Items: [{ Key: 'cachefront:rfc-strict', Value: `${mode === 'strict'}` }] },
        DistributionConfig: {
          CallerReference: 'conformance',
          Comment: 'conformance',
          Enabled: true,
          Origins: {
            Quantity: 1,
            Items: [
              {
                Id: 'suite',
                DomainName: '127.0.0.1',
                CustomOriginConfig: { HTTPPort: originPort, HTTPSPort: 443, OriginProtocolPolicy: 'http-only' },
              },
            ],
          },
          DefaultCacheBehavior: {
            TargetOriginId: 'suite',
            ViewerProtocolPolicy: 'allow-all',
            Compress: false,
            AllowedMethods: {
              Quantity: 7,
              Items: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'PATCH', 'POST', 'DELETE'],
              CachedMethods: { Quantity: 2, Items: ['GET', 'HEAD'] },
            },
            CachePolicyId: policy.CachePolicy?.Id ?? '',
            OriginRequestPolicyId: ALL_VIEWER,
          },
        },
      },
    }),
  )
  const { Id = '', DomainName = '' } = created.Distribution ?? {}
  await waitUntilDistributionDeployed({ client, maxWaitTime: 30, minDelay: 1, maxDelay: 1 }, { Id })
  client.destroy()
  return DomainName
}
