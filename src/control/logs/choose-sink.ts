//! Which sink stands for a destination.
import type { LogDestination } from '../../domain/log-destination.ts'
import { FileSink } from './file-sink.ts'
import { RedisSink } from './redis-sink.ts'
import { S3Sink } from './s3-sink.ts'
import type { LogSink, SinkOptions } from './sink.ts'

/** @param name of the log group or delivery stream */
export function sinkFor(name: string, destination: LogDestination, options: SinkOptions): LogSink {
  if (destination.kind === 's3') return new S3Sink(destination, options.s3)
  if (destination.kind === 'redis') return new RedisSink(destination, options.addressOf)
  return new FileSink(options.directory, name)
}
