//! The AWS SDK as a client of the installation, loaded only by the commands that speak AWS's API.

import type { CliHost } from './host.ts'
import { CliError } from './host.ts'
import { type ClientOptions, findEndpoint } from './installation-file.ts'
import { KEYS_ADVICE } from './local-call.ts'

/** Error codes of AWS for a caller that signs with other keys than those that are configured. */
const WRONG_KEYS: ReadonlySet<string> = new Set(['InvalidClientTokenId', 'SignatureDoesNotMatch'])

export interface SdkSettings {
  readonly endpoint: string
  readonly region: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  readonly maxAttempts: number
}

/** What every client of the SDK is made with. The region is that of the endpoint's own making: any will do. */
export function sdkSettings(host: CliHost, options: ClientOptions): SdkSettings {
  const endpoint = findEndpoint(host, options)
  return { endpoint, region: 'us-east-1', credentials: host.credentials, maxAttempts: 1 }
}

/** An error of the SDK as one line: the service's own code and message, or why nothing answered. */
export function sdkError(error: unknown, endpoint: string): CliError {
  if (error instanceof CliError) return error
  const { name, message, $metadata, code } = error as Error & { $metadata?: { httpStatusCode?: number }; code?: string }
  const advice = WRONG_KEYS.has(name) ? ` ${KEYS_ADVICE}` : ''
  if ($metadata?.httpStatusCode !== undefined)
    return new CliError(`${name} (${$metadata.httpStatusCode}): ${message}${advice}`)
  if (code === 'ECONNREFUSED') {
    return new CliError(`${endpoint} does not answer: nothing listens there. Start it with \`cachefront up\`.`)
  }
  return new CliError(`${name}: ${message}`)
}
