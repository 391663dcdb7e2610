//! The sample storefront, which comes with the repository and not with the npm package.
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { networkOf } from '../config-topology.ts'
import { endpointUrl, showEndpoint } from '../config-values.ts'

/** POPs of the sample's network, unless somebody has said how many. */
const SAMPLE_POPS = 3

const MODULE = new URL('../../examples/storefront/start.ts', import.meta.url)
const S3_MODULE = new URL('../../examples/storefront/s3.ts', import.meta.url)

interface S3Access {
  readonly endpoint: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** What examples/storefront/s3.ts exports, as far as it is used here. */
interface S3Module {
  chooseS3(directory: string): Promise<S3Access>
}

/** What examples/storefront/start.ts exports, as far as it is used here. */
interface SampleModule {
  startStorefront(options: {
    endpoint: string
    region: string
    home: string
    edge: string
    log: (line: string) => void
    credentials?: { accessKeyId: string; secretAccessKey: string }
    s3?: S3Access
  }): Promise<{ readonly url: string; readonly tryThis: readonly string[]; stop(): Promise<void> }>
}

export interface SampleOptions {
  /** As `withSample` made it. */
  readonly config: Config
  /** What it signs with; null where any keys do. */
  readonly credentials: Config['credentials']
  /** The S3 endpoint that was given by settings; null when the sample brings its own. */
  readonly s3: S3Access | null
  readonly endpoint: string
  readonly edge: string
  readonly print: (line: string) => void
}

/**
 * What the sample needs, where the settings say nothing of it: three POPs, and an S3 endpoint with keys for its bucket,
 * which has to be known before the installation starts. Returns the settings with it, and the endpoint that was given.
 */
export async function withSample(config: Config): Promise<{ config: Config; s3: S3Access | null }> {
  if (config.bare || !existsSync(MODULE)) return { config, s3: null }
  const network = config.networkIsGiven ? config.network : networkOf(SAMPLE_POPS, config.region)
  const { endpoint, keys } = config.s3
  if (endpoint !== null && keys !== null) {
    return { config: { ...config, network }, s3: { endpoint: showEndpoint(endpoint), ...keys } }
  }
  // One without the other is somebody's own wish: the sample then says what it lacks.
  if (endpoint !== null || keys !== null) return { config: { ...config, network }, s3: null }
  const { chooseS3 } = (await import(S3_MODULE.href)) as S3Module
  const own = await chooseS3(join(config.home, 'storefront'))
  const { accessKeyId, secretAccessKey } = own
  const s3 = { ...config.s3, endpoint: endpointUrl(own.endpoint, 's3.json'), keys: { accessKeyId, secretAccessKey } }
  return { config: { ...config, network, s3 }, s3: null }
}

/** Deploys and runs it and prints what to try. What it lacks is said and stops nothing. Returns what ends it. */
export async function startSample({
  config,
  credentials,
  s3,
  endpoint,
  edge,
  print,
}: SampleOptions): Promise<(() => Promise<void>) | null> {
  if (!existsSync(MODULE)) {
    print('The sample storefront comes with the repository only; everything else runs.')
    return null
  }
  try {
    if ((config.s3.endpoint === null) !== (config.s3.keys === null)) {
      throw new Error(
        'Its images lie in a bucket: give --s3-endpoint and CACHEFRONT_S3_ACCESS_KEY_ID with CACHEFRONT_S3_SECRET_ACCESS_KEY, or none of them.',
      )
    }
    const { startStorefront } = (await import(MODULE.href)) as SampleModule
    const sample = await startStorefront({
      endpoint,
      region: config.region,
      home: config.home,
      edge,
      log: print,
      ...(credentials === null ? {} : { credentials }),
      ...(s3 === null ? {} : { s3 }),
    })
    print(['', `The storefront is at ${sample.url}. Try:`, ...sample.tryThis.map((line) => `  ${line}`), ''].join('\n'))
    return () => sample.stop()
  } catch (error) {
    print(`The sample storefront does not run: ${(error as Error).message} Everything else does.`)
    return null
  }
}
