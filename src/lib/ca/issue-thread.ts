//! The thread that makes certificates (issuing.ts starts it).
import { parentPort } from 'node:worker_threads'
import { makeCertificate } from './certificates.ts'
import type { IssueAnswer, IssueQuestion } from './wishes.ts'

parentPort?.on('message', ({ id, wish, now }: IssueQuestion) => {
  const tell = (answer: IssueAnswer): void => parentPort?.postMessage(answer)
  makeCertificate(wish, now).then(
    (made) => tell({ id, made }),
    (error: unknown) => tell({ id, error: error instanceof Error ? error.message : String(error) }),
  )
})
