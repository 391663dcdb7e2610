//! `cachefront invalidate ID ITEMS`: CreateInvalidation, then waits until every live edge has acknowledged it. `--soft`
//! and `--dry-run` are the installation's own.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CloudFront, ListDistributionsCommandOutput } from '@aws-sdk/client-cloudfront'
import { Command } from 'commander'
import { counted, printObjects } from '../cached-objects.ts'
import { CliError, type CliHost } from '../host.ts'
import type { ClientOptions } from '../installation-file.ts'
import { findApi, type LocalApi, localDocument } from '../local-call.ts'
import { work } from '../progress.ts'
import { sdkError, sdkSettings } from '../sdk.ts'

/** Longest wait for the edges, and between two looks. Milliseconds. */
const COMPLETED_MS = 60_000
const POLL_MS = 50

interface InvalidateOptions extends ClientOptions {
  readonly soft?: boolean
  readonly dryRun?: boolean
}

export function invalidateCommand(host: CliHost, done: (code: number) => void): Command {
  return new Command('invalidate')
    .argument('<distribution>', 'its id, or one of its domain names')
    .argument('<items...>', 'paths like /product/7 or /img/*, cache tags like #sale')
    .option('--soft', 'serve what matches on while it is fetched anew, instead of dropping it')
    .option('--dry-run', 'invalidate nothing: list what would go')
    .description('drop objects from the cache; returns when no edge serves them any more')
    .addHelpText(
      'after',
      `
Examples:
  cachefront invalidate E1ABCDEFGHIJKL /product/7 '/img/*'
  cachefront invalidate shop.example.com '#sale' --soft
  cachefront invalidate E1ABCDEFGHIJKL '/img/*' --dry-run`,
    )
    .action(async (distribution: string, items: string[], options: InvalidateOptions) => {
      if (options.dryRun) done(await dryRun(host, distribution, items, options))
      else {
        await invalidate(host, distribution, items, options)
        done(0)
      }
    })
}

const ROUTE = '/_cachefront/invalidations'

function dryRun(
  host: CliHost,
  distribution: string,
  items: readonly string[],
  options: InvalidateOptions,
): Promise<number> {
  return printObjects(host, findApi(host, options), ROUTE, {
    json: options.json === true,
    body: { distribution, items, dryRun: true },
    verdict: ({ objects, copies, bytes, looked }) =>
      `${counted(objects, 'object')} would ${options.soft ? 'be fetched anew' : 'go'}, and ${counted(copies, 'copy')} of them (${counted(bytes, 'byte')}); ${looked} looked at.`,
  })
}

async function invalidate(
  host: CliHost,
  distribution: string,
  items: string[],
  options: InvalidateOptions,
): Promise<void> {
  const settings = sdkSettings(host, options)
  const { CloudFront } = await import('@aws-sdk/client-cloudfront')
  const client = new CloudFront(settings)
  try {
    const { DistributionId, Id } = options.soft
      ? await createSoftly(findApi(host, options), distribution, items)
      : await create(client, distribution, items)
    await work(host.out, options.json === true, `Invalidation ${Id}`, () => completed(client, DistributionId, Id))
    const soft = options.soft === true
    host.out.print(
      options.json
        ? JSON.stringify({ Id, DistributionId, Status: 'Completed', Paths: items, ...(soft ? { Soft: true } : {}) })
        : `${soft ? 'Soft invalidation' : 'Invalidation'} ${Id} of ${DistributionId} is completed: ${items.join(' ')}`,
    )
  } catch (error) {
    throw sdkError(error, settings.endpoint)
  } finally {
    client.destroy()
  }
}

interface Created {
  readonly DistributionId: string
  readonly Id: string
}

async function create(client: CloudFront, distribution: string, items: string[]): Promise<Created> {
  const DistributionId = await findDistribution(client, distribution)
  const { Invalidation } = await client.createInvalidation({
    DistributionId,
    InvalidationBatch: {
      CallerReference: `cachefront-${randomUUID()}`,
      Paths: { Quantity: items.length, Items: items },
    },
  })
  return { DistributionId, Id: Invalidation?.Id ?? '' }
}

/** AWS's API has no word for it. */
async function createSoftly(api: LocalApi, distribution: string, items: readonly string[]): Promise<Created> {
  const made = await localDocument(api, ROUTE, { distribution, items, soft: true })
  const { id, distributionId } = made as { id: string; distributionId: string }
  return { DistributionId: distributionId, Id: id }
}

/** An id stays as it is; a domain name or alias is looked for among all distributions. */
async function findDistribution(client: CloudFront, text: string): Promise<string> {
  if (!text.includes('.')) return text
  let Marker: string | undefined
  do {
    const page: ListDistributionsCommandOutput = await client.listDistributions({ Marker })
    const found = page.DistributionList?.Items?.find(
      (one) => one.DomainName === text || one.Aliases?.Items?.includes(text),
    )
    if (found?.Id !== undefined) return found.Id
    Marker = page.DistributionList?.NextMarker
  } while (Marker !== undefined && Marker !== '')
  throw new CliError(`No distribution is called ${text}.`)
}

async function completed(client: CloudFront, DistributionId: string, Id: string): Promise<void> {
  for (let waited = 0; ; waited += POLL_MS) {
    const { Invalidation } = await client.getInvalidation({ DistributionId, Id })
    if (Invalidation?.Status === 'Completed') return
    if (waited >= COMPLETED_MS) {
      throw new CliError(
        `Invalidation ${Id} is still ${Invalidation?.Status} after ${COMPLETED_MS / 1000} s; see \`cachefront status\`.`,
      )
    }
    await sleep(POLL_MS)
  }
}
