//! A change of one among many distributions in a running installation: how long until every worker has acknowledged it,
//! and what becomes of the requests meanwhile.
import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { ACM } from '@aws-sdk/client-acm'
import {
  type CloudFrontClient,
  CreateDistributionCommand,
  GetDistributionCommand,
  GetDistributionConfigCommand,
  UpdateDistributionCommand,
} from '@aws-sdk/client-cloudfront'
import { clientsOf } from '../../examples/storefront/deploy.ts'
import { startInstallation } from '../../examples/storefront/installation.ts'
import { withImported } from '../../test/support/viewer-certificate.ts'
import { hostOf, PLACES, siteConfig } from './sites.ts'

const WORKERS = 3
const TIMEOUT_MS = 30_000
const run = promisify(execFile)

export interface Changes {
  readonly sites: number
  /** Milliseconds from the call to its answer, and to `Deployed`: every worker has acknowledged it. */
  readonly answered: readonly number[]
  readonly deployed: readonly number[]
  /** The same of new distributions. */
  readonly createdDeployed: readonly number[]
  /** Of the load meanwhile. */
  readonly requests: number
  readonly failed: number
  /** Milliseconds: the slowest answer meanwhile, and as long without changes. */
  readonly slowest: { readonly changing: number; readonly quiet: number }
}

interface Loaded {
  readonly requests: number
  readonly failed: number
  readonly slowestMs: number
}

async function writeScript(file: string, sites: number): Promise<void> {
  const asked = Array.from({ length: Math.min(sites, 1_000) }, (_, n) => `{"${hostOf(n)}","${PLACES.last.path()}"}`)
  await writeFile(
    file,
    `local sites = {${asked.join(',')}}\nlocal requests = {}\nlocal at = 0
function init() for i = 1, #sites do requests[i] = wrk.format("GET", sites[i][2], {["Host"]=sites[i][1]}) end end
function delay() return 10 end
function request() at = at % #requests + 1 return requests[at] end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format("\\nload %d %d %.3f\\n", summary.requests, e.connect + e.read + e.write + e.status + e.timeout, latency.max / 1000))
end\n`,
  )
}

async function load(edge: string, script: string, seconds: number): Promise<Loaded> {
  const { stdout } = await run('wrk', [
    '-t1',
    '-c12',
    `-d${seconds}s`,
    '--timeout',
    '5s',
    '-s',
    script,
    `http://${edge}/`,
  ])
  const [, requests, failed, slowest] = /load (\d+) (\d+) ([\d.]+)/.exec(stdout) ?? []
  return { requests: Number(requests), failed: Number(failed), slowestMs: Number(slowest) }
}

async function untilDeployed(cloudfront: CloudFrontClient, id: string, since: number): Promise<number> {
  for (;;) {
    const { Distribution } = await cloudfront.send(new GetDistributionCommand({ Id: id }))
    if (Distribution?.Status === 'Deployed') return performance.now() - since
    if (performance.now() - since > TIMEOUT_MS) throw new Error(`${id} is not Deployed within ${TIMEOUT_MS / 1000} s`)
    await sleep(1)
  }
}

/** `changes` changes and as many new distributions, with `sites` there already. */
export async function measureChanges(
  sites: number,
  changes: number,
  originPort: number,
  say: (text: string) => void,
): Promise<Changes> {
  const quotas = [
    '--quotas',
    `distributions=${sites + changes}`,
    '--quotas',
    'distributionsPerPolicy=10000',
    '--quotas',
    'certificates=10000',
  ]
  const installation = await startInstallation(['--workers', `${WORKERS}`, ...quotas])
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-routing-'))
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' }
  const { cloudfront, elasticache } = clientsOf({ ...installation, credentials })
  const acm = new ACM({ endpoint: installation.endpoint, region: 'us-east-1', credentials })
  const create = async (n: number): Promise<string> => {
    const config = siteConfig(n, originPort)
    const named = await withImported(acm, config.Aliases?.Items ?? [])
    const made = await cloudfront.send(new CreateDistributionCommand({ DistributionConfig: { ...config, ...named } }))
    return made.Distribution?.Id ?? ''
  }
  try {
    const ids: string[] = []
    for (let n = 0; n < sites; n++) {
      ids.push(await create(n))
      if (n % 250 === 249) say(`${n + 1} distributions`)
    }
    for (const id of ids.slice(-1)) await untilDeployed(cloudfront, id, performance.now())
    const script = join(directory, 'sites.lua')
    await writeScript(script, sites)
    await load(installation.edge, script, 2)
    const quiet = await load(installation.edge, script, 3)
    const seconds = Math.ceil(changes * 0.5) + 2
    const loading = load(installation.edge, script, seconds)
    const [answered, deployed, createdDeployed]: [number[], number[], number[]] = [[], [], []]
    for (let n = 0; n < changes; n++) {
      const id = ids[(n * 37) % ids.length] as string
      const had = await cloudfront.send(new GetDistributionConfigCommand({ Id: id }))
      const config = { ...had.DistributionConfig, Comment: `changed ${n}` }
      await sleep(100)
      const since = performance.now()
      await cloudfront.send(
        new UpdateDistributionCommand({ Id: id, IfMatch: had.ETag, DistributionConfig: config as never }),
      )
      answered.push(performance.now() - since)
      deployed.push(await untilDeployed(cloudfront, id, since))
      await sleep(100)
      const began = performance.now()
      createdDeployed.push(await untilDeployed(cloudfront, await create(sites + n), began))
    }
    const changing = await loading
    return {
      sites,
      answered,
      deployed,
      createdDeployed,
      requests: changing.requests,
      failed: changing.failed,
      slowest: { changing: changing.slowestMs, quiet: quiet.slowestMs },
    }
  } finally {
    cloudfront.destroy()
    elasticache.destroy()
    acm.destroy()
    await installation.stop()
    await rm(directory, { recursive: true, force: true })
  }
}
