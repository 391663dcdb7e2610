//! `cachefront call SERVICE OPERATION [JSON]`: any operation, through the published SDK.
import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { CliError, type CliHost } from '../host.ts'
import type { ClientOptions } from '../installation-file.ts'
import { type SdkSettings, sdkError, sdkSettings } from '../sdk.ts'

interface SdkModule {
  readonly Client: new (settings: SdkSettings) => { send(command: unknown): Promise<object>; destroy(): void }
  readonly exports: Readonly<Record<string, unknown>>
}

/** Services by name, each with how its client is loaded. */
const SERVICES: Readonly<Record<string, () => Promise<SdkModule>>> = {
  async cloudfront() {
    const sdk = await import('@aws-sdk/client-cloudfront')
    return { Client: sdk.CloudFrontClient as unknown as SdkModule['Client'], exports: { ...sdk } }
  },
  async acm() {
    const sdk = await import('@aws-sdk/client-acm')
    return { Client: sdk.ACMClient as unknown as SdkModule['Client'], exports: { ...sdk } }
  },
  async elasticache() {
    const sdk = await import('@aws-sdk/client-elasticache')
    return { Client: sdk.ElastiCacheClient as unknown as SdkModule['Client'], exports: { ...sdk } }
  },
  async sts() {
    const sdk = await import('@aws-sdk/client-sts')
    return { Client: sdk.STSClient as unknown as SdkModule['Client'], exports: { ...sdk } }
  },
  async wafv2() {
    const sdk = await import('@aws-sdk/client-wafv2')
    return { Client: sdk.WAFV2Client as unknown as SdkModule['Client'], exports: { ...sdk } }
  },
}

export function callCommand(host: CliHost, done: (code: number) => void): Command {
  return new Command('call')
    .argument('<service>', Object.keys(SERVICES).join(', '))
    .argument('<operation>', 'as AWS names it, or as the AWS CLI does: DescribeCacheClusters, describe-cache-clusters')
    .argument('[json]', 'its input; @FILE reads a file, - standard input', '{}')
    .description('call one operation of the AWS API; prints the answer as JSON')
    .addHelpText('after', `\nExample:\n  cachefront call cloudfront GetDistribution '{"Id": "E1ABCDEFGHIJKL"}'`)
    .action(async (service: string, operation: string, json: string, options: ClientOptions) => {
      const load = SERVICES[service]
      if (load === undefined)
        throw new CliError(`There is no service ${service}; there are: ${Object.keys(SERVICES).join(', ')}.`, 2)
      const input = readInput(json)
      const settings = sdkSettings(host, options)
      const { Client, exports } = await load()
      const name = operation.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())
      const OperationCommand = exports[`${name}Command`] as (new (input: object) => unknown) | undefined
      if (OperationCommand === undefined) throw new CliError(`${service} has no operation ${name}.`, 2)
      const client = new Client(settings)
      try {
        const { $metadata, ...output } = (await client.send(new OperationCommand(input))) as { $metadata: unknown }
        host.out.print(JSON.stringify(output, null, options.json ? 0 : 2))
        done(0)
      } catch (error) {
        throw sdkError(error, settings.endpoint)
      } finally {
        client.destroy()
      }
    })
}

function readInput(text: string): object {
  let input: unknown
  try {
    const json =
      text === '-' ? readFileSync(0, 'utf8') : text.startsWith('@') ? readFileSync(text.slice(1), 'utf8') : text
    input = JSON.parse(json)
  } catch (error) {
    throw new CliError(`The input cannot be read: ${(error as Error).message}`, 2)
  }
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    throw new CliError('The input must be one JSON object, like {"Id": "E1ABCDEFGHIJKL"}.', 2)
  }
  return input
}
