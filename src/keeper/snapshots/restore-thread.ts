//! The thread of one restore: unseals the snapshot, frame by frame, and plays the primary that serves it.
import { parentPort, workerData } from 'node:worker_threads'
import { SealError } from './frames.ts'
import { servePrimary } from './primary.ts'
import type { RestoreNews, RestoreOrder } from './restore.ts'
import { readSealed } from './sealing.ts'

/** Milliseconds between two reports. */
const REPORT_MS = 200

const { file, key, snapshot, bytes, address, username, password } = workerData as RestoreOrder
const tell = (news: RestoreNews): void => parentPort?.postMessage(news)

let reportedAt = 0
const onBytes = (handed: number): void => {
  const now = performance.now()
  if (now - reportedAt < REPORT_MS && handed !== bytes) return
  reportedAt = now
  tell({ type: 'progress', bytes: handed })
}

try {
  const rdb = () => readSealed(file, Buffer.from(key), snapshot, bytes)
  const primary = await servePrimary({ address, username, password, rdb, onBytes })
  tell({ type: 'listening', port: primary.port })
  await primary.loaded
  tell({ type: 'loaded' })
  // The engine's connection stays until it was promoted: the thread is ended then.
} catch (error) {
  tell({ type: 'failed', problem: (error as Error).message, again: !(error instanceof SealError) })
}
