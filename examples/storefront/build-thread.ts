//! Builds the catalogue in a thread of its own: it takes seconds, and the program that starts the shop has work to do.
import { parentPort, workerData } from 'node:worker_threads'
import { FULL_SIZE } from './catalogue.ts'
import { buildDatabase } from './database.ts'

buildDatabase((workerData as { file: string }).file, FULL_SIZE, (rows) => parentPort?.postMessage(rows))
