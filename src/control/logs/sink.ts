//! What a destination of logs is. One that cannot take them says so by rejecting; they are offered again.

export interface LogBatch {
  /** `elasticache/redis/shop-001/0001/slow-log` */
  readonly stream: string
  /** Without line ends; at least one. */
  readonly lines: readonly string[]
  /** The same for the same lines, after a crash between their delivery and its record, too. */
  readonly mark: string
}

export interface LogSink {
  /** Rejects, in words for a person, when lines could not be put there now. */
  check(): Promise<void>
  deliver(batch: LogBatch): Promise<void>
}

export interface S3Options {
  /** `http://127.0.0.1:9000`; null for AWS itself. */
  readonly endpoint: string | null
  readonly region: string
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string } | null
}

export interface SinkOptions {
  /** Directory of the home's logs. */
  readonly directory: string
  readonly s3: S3Options
  /** Address and port of the primary of a cache of this installation; null when there is no such cache. */
  readonly addressOf: (id: string) => Promise<{ readonly host: string; readonly port: number } | null>
}
