//! `cachefront invalidate ID PATHS`: CreateInvalidation, then waits until every live edge has acknowledged it.
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CloudFront, ListDistributionsCommandOutput } from '@aws-sdk/client-cloudfront'
import { Command } from 'commander'
import { CliError, type CliHost } from '../host.ts'
import type { ClientOptions } from '../installation-file.ts'
import { work } from '../progress.ts'
import { sdkError, sdkSettings } from '../sdk.ts'

/** Longest wait for the edges, and between two looks. Milliseconds. */
const COMPLETED_MS = 60_000
const POLL_MS = 50

export function invalidateCommand(host: CliHost, done: (code: number) => void): Command {
  return new Command('invalidate')
    .argument('<distribution>', 'its id, or one of its domain names')
    .argument('<paths...>', 'like /product/7 or /img/*')
    .description('drop objects from the cache; returns when no edge serves them any more')
    .addHelpText('after', "\nExample:\n  cachefront invalidate E1ABCDEFGHIJKL /product/7 '/img/*'")
    .action(async (distribution: string, paths: string[], options: ClientOptions) => {
      const settings = sdkSettings(host, options)
      const { CloudFront } = await import('@aws-sdk/client-cloudfront')
      const client = new CloudFront(settings)
      try {
        const DistributionId = await findDistribution(client, distribution)
        const created = await client.createInvalidation({
          DistributionId,
          InvalidationBatch: {
            CallerReference: `cachefront-${randomUUID()}`,
            Paths: { Quantity: paths.length, Items: paths },
          },
        })
        const Id = created.Invalidation?.Id ?? ''
        await work(host.out, options.json === true, `Invalidation ${Id}`, () => completed(client, DistributionId, Id))
        host.out.print(
          options.json
            ? JSON.stringify({ Id, DistributionId, Status: 'Completed', Paths: paths })
            : `Invalidation ${Id} of ${DistributionId} is completed: ${paths.join(' ')}`,
        )
        done(0)
      } catch (error) {
        throw sdkError(error, settings.endpoint)
      } finally {
        client.destroy()
      }
    })
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
