//! Where the sample's bucket lies: at the S3 endpoint of the installation. One that was given none gets the sample's own
//! (s3-server.ts): its port and its keys are chosen once, before the installation starts, and kept.
import { randomBytes } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { S3Keys } from './s3-signature.ts'

export interface S3Access extends S3Keys {
  /** `http://127.0.0.1:PORT`, path-style. */
  readonly endpoint: string
}

const fileOf = (directory: string): string => join(directory, 's3.json')

/** What was chosen for the sample that keeps its files in `directory`; null before. */
export function knownS3(directory: string): S3Access | null {
  try {
    return JSON.parse(readFileSync(fileOf(directory), 'utf8')) as S3Access
  } catch {
    return null
  }
}

/** The same, chosen now when it was not. Anew, too, when something else has taken the port meanwhile. */
export async function chooseS3(directory: string): Promise<S3Access> {
  const known = knownS3(directory)
  if (known !== null && (await isFree(portOf(known)))) return known
  const chosen: S3Access = {
    endpoint: `http://127.0.0.1:${await freePort()}`,
    accessKeyId: known?.accessKeyId ?? `SAMPLE${randomBytes(7).toString('hex').toUpperCase()}`,
    secretAccessKey: known?.secretAccessKey ?? randomBytes(30).toString('base64'),
  }
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  writeFileSync(fileOf(directory), JSON.stringify(chosen), { mode: 0o600 })
  return chosen
}

export const portOf = ({ endpoint }: S3Access): number => Number(new URL(endpoint).port)

const isFree = (port: number): Promise<boolean> =>
  take(port).then(
    () => true,
    () => false,
  )

const freePort = (): Promise<number> => take(0)

/** Listens for a moment. */
function take(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : port))
    })
  })
}
