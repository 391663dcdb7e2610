//! The thread of one capture: reads the engine's data, checks it, seals it into the draft's file. A thread, so that the
//! keeper's own goes on watching engines meanwhile.
import { parentPort, workerData } from 'node:worker_threads'
import type { CaptureNews, CaptureOrder } from './capture.ts'
import { KeyError } from './key-file.ts'
import { RdbError } from './rdb.ts'
import { CaptureError, rdbOf } from './replica.ts'
import { sealInto } from './sealing.ts'

/** Milliseconds between two reports. */
const REPORT_MS = 200

const { door, draft } = workerData as CaptureOrder
const tell = (news: CaptureNews): void => parentPort?.postMessage(news)

let reportedAt = 0
const progress = (bytes: number): void => {
  const now = performance.now()
  if (now - reportedAt < REPORT_MS) return
  reportedAt = now
  tell({ type: 'progress', bytes })
}

try {
  const key = Buffer.from(draft.key)
  const facts = await sealInto(
    { ...draft, key },
    rdbOf(door, () => tell({ type: 'begun' })),
    progress,
  )
  tell({ type: 'sealed', facts })
} catch (error) {
  const message = error instanceof Error ? error.message : String(error)
  // A broken stream may do better at the next try; a full disk or a bug will not.
  const again = error instanceof CaptureError || error instanceof RdbError
  tell({ type: 'failed', again: again && !(error instanceof KeyError), problem: message })
}
