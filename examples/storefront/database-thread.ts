//! The thread that owns the database, so that a query of 50 ms does not hold up those who are answered from the cache:
//! node:sqlite answers synchronously. A question is the name of a method and its arguments.
import { parentPort, workerData } from 'node:worker_threads'
import { ShopDatabase } from './database.ts'
import type { Answer, Question } from './database-client.ts'

const database = new ShopDatabase((workerData as { file: string }).file)

const answer = (question: Question): unknown => {
  switch (question.method) {
    case 'productPage':
      return database.productPage(question.id)
    case 'frontPage':
      return database.frontPage()
    case 'setPrice':
      return database.setPrice(question.id, question.cents, question.nowMs)
    case 'counts':
      return database.counts()
  }
}

parentPort?.on('message', (question: Question & { readonly sequence: number }) => {
  let reply: Answer
  try {
    reply = { sequence: question.sequence, value: answer(question) }
  } catch (error) {
    reply = { sequence: question.sequence, error: (error as Error).message }
  }
  parentPort?.postMessage(reply)
})
