//! The role `worker`: an edge worker as a process of its own, started by the keeper.
import { join } from 'node:path'
import { homePaths, programVersion } from '../config.ts'
import { endpointUrl, folder } from '../config-values.ts'
import { loadOriginClient } from '../edge/origin/pool.ts'
import { protectionOptions } from '../edge/protecting.ts'
import { startWorker } from '../edge/worker.ts'
import { MovableClock, systemClock } from '../lib/clock.ts'
import { makePrivateDirectory } from '../lib/private-directory.ts'
import { readExplainKey } from './explain-key.ts'
import { readS3Keys } from './s3-keys.ts'
import { certificateNames, readSettings, workerFiles } from './worker-settings.ts'

/** From the first configuration to the loading of what asks origins: control hears first that the worker has it. */
const ORIGIN_CLIENT_AFTER_MS = 5

/** Runs until the worker has drained; then the process ends. */
export async function runWorker(args: readonly string[]): Promise<void> {
  const settings = readSettings(args)
  const paths = homePaths(settings.home)
  const files = workerFiles(paths, settings.name)
  const clock = settings.movableClock ? new MovableClock() : systemClock
  await makePrivateDirectory(paths.edge)
  const worker = await startWorker({
    name: settings.name,
    version: programVersion(),
    feedSocket: paths.feedSocket,
    peerSocket: files.peerSocket,
    snapshotFile: files.snapshot,
    ...settings.network,
    dns: settings.network.dns === null ? null : { ...settings.network.dns, edgeDomain: settings.edgeDomain },
    certificates: { directory: paths.tls, names: certificateNames(settings.edgeDomain, settings.network) },
    reusePort: true,
    cacheBytes: settings.cacheBytes,
    disk: { directory: files.disk, limitBytes: settings.diskBytes },
    allowOrigins: settings.allowOrigins,
    trustedProxies: settings.trustedProxies,
    proxyProtocol: settings.proxyProtocol,
    originAuthorities: settings.originAuthorities,
    geoip: settings.geoip,
    ownAddresses: settings.ownAddresses,
    rfcStrict: settings.rfcStrict,
    folders: new Map(settings.folders.map((text) => folder(text, '--folder')).map((one) => [one.name, one.directory])),
    s3: {
      endpoint: settings.s3Endpoint === '' ? null : endpointUrl(settings.s3Endpoint, '--s3-endpoint'),
      region: settings.s3Region,
    },
    s3Keys: settings.s3Keys === '' ? null : await readS3Keys(paths.s3Keys),
    ...protectionOptions(settings.protection),
    logDirectory: paths.logs,
    tokenKeys: join(paths.edge, 'waf-keys'),
    clock,
    explain: settings.explain,
    explainKey: await readExplainKey(paths.explainKey),
    problem: (message) => log(settings.name, clock.wall(), message),
  })
  for (const { name, http, https } of worker.addresses) {
    const secure = https === null ? '' : ` and ${https.host} port ${https.port} for HTTPS`
    log(settings.name, clock.wall(), `listens on ${http.host} port ${http.port}${secure} (${name})`)
  }
  // Not before the feed has been answered: until then everything waits for this worker.
  void worker.whenConfigured.then(() => setTimeout(loadOriginClient, ORIGIN_CLIENT_AFTER_MS))
  const drain = (): void => void worker.drain()
  process.once('SIGTERM', drain)
  // Ctrl-C in a terminal is for the control plane, which ends its workers in order.
  process.on('SIGINT', () => {})
  await worker.whenDrained
  log(settings.name, clock.wall(), 'has drained')
  process.exit(0)
}

/** One line a message, into the log that the keeper opened for this process. */
function log(name: string, at: number, message: string): void {
  process.stderr.write(`${new Date(at).toISOString()} ${name}: ${message}\n`)
}
