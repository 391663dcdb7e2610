//! Cachefront's real edge worker, started as the keeper starts it: the program's own role, the whole pipeline, its feed.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { homePaths, programVersion } from '../../src/config.ts'
import type { DistributionDoc } from '../../src/domain/distribution.ts'
import type { NameList } from '../../src/domain/policy.ts'
import { EdgeFeed } from '../../test/support/edge-feed.ts'
import { countLines, logSettled } from '../log-lines.ts'
import { freePort, startOn } from '../processes.ts'
import { SETTLE_MS, type StartServer } from './server.ts'

const NONE: NameList = { behavior: 'none', names: [] }

/** One distribution with Managed-CachingOptimized, the policy that CloudFront recommends. */
function distribution(host: string, originPort: number): DistributionDoc {
  return {
    id: 'E1BENCHMARK001',
    domainName: host,
    enabled: true,
    aliases: [],
    defaultRootObject: '',
    httpVersion: 'http2',
    origins: [
      {
        id: 'origin',
        domainName: '127.0.0.1',
        path: '',
        customHeaders: [],
        connectionAttempts: 3,
        connectionTimeoutMs: 10_000,
        protocolPolicy: 'http-only',
        httpPort: originPort,
        httpsPort: 443,
        readTimeoutMs: 30_000,
        keepaliveTimeoutMs: 5_000,
        responseCompletionTimeoutMs: null,
      },
    ],
    behaviors: [
      {
        pathPattern: '*',
        originId: 'origin',
        allowedMethods: ['GET', 'HEAD'],
        cachedMethods: ['GET', 'HEAD'],
        viewerProtocolPolicy: 'allow-all',
        cachePolicy: {
          id: '658327ea-f89d-4fab-a63d-7e88639e58f6',
          minTtl: 1,
          defaultTtl: 86_400,
          maxTtl: 31_536_000,
          headers: NONE,
          cookies: NONE,
          queryStrings: NONE,
          gzip: true,
          brotli: true,
        },
        originRequestPolicy: null,
      },
    ],
  }
}

export const startCachefront: StartServer = async ({ config, directory, originPort }) => {
  const port = await freePort()
  const paths = homePaths(directory)
  for (const folder of [paths.edge, paths.logs]) await mkdir(folder, { recursive: true })
  const log = join(paths.logs, 'access-worker-0.log')
  const feed = new EdgeFeed(paths.feedSocket, [distribution(config.host, originPort)])
  await feed.start()
  const started = startOn(config.serverCpu, process.execPath, [
    ...(process.env.BENCH_NODE_OPTIONS ?? '').split(' ').filter((option) => option !== ''),
    fileURLToPath(new URL('../../src/main.ts', import.meta.url)),
    ...['worker', '--name', 'worker-0', '--home', directory, '--host', '127.0.0.1', '--port', `${port}`],
    ...['--cache-bytes', `${config.cacheBytes}`, '--explain', 'loopback', '--region', 'eu-central-1'],
  ])
  const stop = async () => {
    await started.stop()
    await feed.stop()
  }
  const ready = await Promise.race([
    feed.workersReady(1).then(() => true),
    new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 20_000).unref()),
  ])
  if (!ready) {
    await stop()
    throw new Error(`the edge worker did not become ready:\n${started.output()}`)
  }
  return {
    name: 'cachefront',
    version: `cachefront ${programVersion()}, Node ${process.versions.node}`,
    port,
    pids: [started.pid],
    isHit: (answer) => answer.headers['x-cache'] === 'Hit from cloudfront',
    logLines: () => countLines(log, '#'),
    logSettled: () => logSettled(log, SETTLE_MS),
    output: started.output,
    stop,
  }
}
