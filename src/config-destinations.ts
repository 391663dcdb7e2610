//! Options that say where the caches' logs and notifications go: names of AWS and what stands for them here.
import { ConfigError } from './config-values.ts'
import type { LogDestination } from './domain/log-destination.ts'

export interface LogDestinationOption {
  /** Name of the log group or delivery stream. */
  readonly name: string
  readonly destination: LogDestination
}

export interface TopicOption {
  readonly arn: string
  /** Webhook. */
  readonly url: string
}

/** The value itself is not repeated: a URL may hold a password. */
const WHERE = 'NAME=file, NAME=s3://BUCKET/PREFIX or NAME=redis://HOST:PORT/KEY (rediss:// over TLS)'

export function logDestination(text: string, from: string): LogDestinationOption {
  const [, name, where] = /^([^=]+)=(.+)$/s.exec(text) ?? []
  const destination = where === undefined ? null : destinationOf(where)
  if (name === undefined || destination === null) throw new ConfigError(`${from} must be ${WHERE}.`)
  return { name, destination }
}

function destinationOf(where: string): LogDestination | null {
  if (where === 'file') return { kind: 'file' }
  const [, bucket, prefix = ''] = /^s3:\/\/([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])(?:\/(.*))?$/.exec(where) ?? []
  if (bucket !== undefined) return { kind: 's3', bucket, prefix: prefix.replace(/\/+$/, '') }
  const url = URL.parse(where)
  if (url === null || !/^rediss?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') return null
  const key = decodeURIComponent(url.pathname.slice(1))
  if (key === '' || url.hostname === '') return null
  url.pathname = ''
  return { kind: 'redis', url: url.href, key }
}

export function topic(text: string, from: string): TopicOption {
  const [, arn, where] = /^(arn:aws[\w-]*:sns:[^:=]+:\d{12}:[A-Za-z0-9_.-]{1,256})=(.+)$/.exec(text) ?? []
  const url = where === undefined ? null : URL.parse(where)
  if (arn === undefined || url === null || !/^https?:$/.test(url.protocol)) {
    throw new ConfigError(
      `${from} must be ARN=URL, like arn:aws:sns:us-east-1:123456789012:alerts=http://127.0.0.1:9000/alerts.`,
    )
  }
  return { arn, url: url.href }
}
