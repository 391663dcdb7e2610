//! Cachefront's real edge worker, started as the keeper starts it: the program's own role, the whole pipeline, its feed.
import { join } from 'node:path'
import { homePaths, programVersion } from '../../src/config.ts'
import type { DistributionDoc, ViewerCertificateDoc } from '../../src/domain/distribution.ts'
import type { NameList } from '../../src/domain/policy.ts'
import { countLines, logSettled } from '../log-lines.ts'
import { startBenchWorker } from '../worker.ts'
import { type Place, SETTLE_MS, type StartServer } from './server.ts'

const NONE: NameList = { behavior: 'none', names: [] }

/** One distribution with Managed-CachingOptimized, the policy that CloudFront recommends. */
function distribution(host: string, originPort: number, tls?: Place['tls']): DistributionDoc {
  return {
    id: 'E1BENCHMARK001',
    domainName: host,
    enabled: true,
    aliases: [],
    defaultRootObject: '',
    httpVersion: 'http2',
    ...(tls === undefined ? {} : { viewerCertificate: certificateOf(tls) }),
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

const certificateOf = ({ key, chain }: NonNullable<Place['tls']>): ViewerCertificateDoc => ({
  certificates: [{ arn: 'arn:aws:acm:us-east-1:123456789012:certificate/bench', chain, privateKey: key }],
  sslSupportMethod: 'sni-only',
  securityPolicy: 'TLSv1.2_2021',
})

export const startCachefront: StartServer = async ({ config, directory, originPort, tls }) => {
  const documents = [distribution(config.host, originPort, tls)]
  const { started, port, httpsPort, stop } = await startBenchWorker({
    home: directory,
    documents,
    cacheBytes: config.cacheBytes,
    https: tls !== undefined,
  })
  const log = join(homePaths(directory).logs, 'access-worker-0.log')
  return {
    name: 'cachefront',
    version: `cachefront ${programVersion()}, Node ${process.versions.node}`,
    port,
    httpsPort,
    pids: [started.pid],
    isHit: (answer) => answer.headers['x-cache'] === 'Hit from cloudfront',
    logLines: () => countLines(log, '#'),
    logSettled: () => logSettled(log, SETTLE_MS),
    output: started.output,
    stop,
  }
}
