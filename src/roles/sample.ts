//! The sample storefront, which comes with the repository and not with the npm package.
import { existsSync } from 'node:fs'
import type { Config } from '../config.ts'

/** What examples/storefront/start.ts exports, as far as it is used here. */
interface SampleModule {
  startStorefront(options: {
    endpoint: string
    region: string
    home: string
    edge: string
    log: (line: string) => void
    credentials?: { accessKeyId: string; secretAccessKey: string }
  }): Promise<{ readonly url: string; readonly tryThis: readonly string[]; stop(): Promise<void> }>
}

export interface SampleOptions {
  readonly config: Config
  readonly endpoint: string
  readonly edge: string
  readonly print: (line: string) => void
}

/** Deploys and runs it and prints what to try. What it lacks is said and stops nothing. Returns what ends it. */
export async function startSample({
  config,
  endpoint,
  edge,
  print,
}: SampleOptions): Promise<(() => Promise<void>) | null> {
  const file = new URL('../../examples/storefront/start.ts', import.meta.url)
  if (!existsSync(file)) {
    print('The sample storefront comes with the repository only; everything else runs.')
    return null
  }
  try {
    const { startStorefront } = (await import(file.href)) as SampleModule
    const { credentials } = config
    const sample = await startStorefront({
      endpoint,
      region: config.region,
      home: config.home,
      edge,
      log: print,
      ...(credentials === null ? {} : { credentials }),
    })
    print(['', `The storefront is at ${sample.url}. Try:`, ...sample.tryThis.map((line) => `  ${line}`), ''].join('\n'))
    return () => sample.stop()
  } catch (error) {
    print(`The sample storefront does not run: ${(error as Error).message} Everything else does.`)
    return null
  }
}
