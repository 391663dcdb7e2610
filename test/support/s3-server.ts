//! A real S3-compatible server (s3rver) for scenarios, behind a check of signatures: s3rver itself looks at the key's id
//! and at the time of a version 4 signature, not at the signature. The check recomputes it with the SDK's own signer from
//! what came over the wire, in the way AWS describes, and refuses what nobody has signed but for public buckets.

import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import S3rver from 's3rver'
import { isSigned } from '../../examples/storefront/s3-signature.ts'
import type { S3Keys } from '../../src/edge/origin/sign.ts'

/** The key pair that s3rver knows. */
export const S3_KEYS: S3Keys = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' }

export interface S3Asked {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  /** What the check of the signature found; `anonymous` for none. */
  readonly signature: 'valid' | 'wrong' | 'anonymous'
}

export interface S3Server {
  readonly port: number
  /** `http://127.0.0.1:PORT` */
  readonly url: string
  readonly asked: S3Asked[]
  close(): Promise<void>
}

/** Buckets whose names begin with `public` may be read and written by anybody. */
export async function startS3(
  buckets: readonly { readonly name: string; readonly configs?: readonly string[] }[],
): Promise<S3Server> {
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-s3-'))
  const s3rver = new S3rver({ directory, silent: true, configureBuckets: buckets })
  await s3rver.configureBuckets()
  const answer = s3rver.callback()
  const asked: S3Asked[] = []
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request
    const signature = await signatureOf(request)
    asked.push({ method, url, headers, signature })
    const open = /^\/public/.test(url) || /^public|\.s3-website/.test(headers.host ?? '')
    if (signature === 'wrong') return refuse(response, 'SignatureDoesNotMatch')
    if (signature === 'anonymous' && !open) return refuse(response, 'AccessDenied')
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    asked,
    async close() {
      server.closeAllConnections()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      await rm(directory, { recursive: true, force: true, maxRetries: 3 })
    },
  }
}

function refuse(response: ServerResponse, code: string): void {
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${code}</Message></Error>`
  response.writeHead(403, { 'Content-Type': 'application/xml', 'Content-Length': body.length, Connection: 'close' })
  response.end(body)
}

async function signatureOf(request: IncomingMessage): Promise<S3Asked['signature']> {
  const { url = '/', headers } = request
  if (headers.authorization === undefined) return /[?&]X-Amz-Signature=/.test(url) ? 'valid' : 'anonymous'
  // A key that it does not know s3rver refuses itself; and a time that is not now.
  const [, keyId] = /^AWS4-HMAC-SHA256 Credential=([^/]+)\//.exec(headers.authorization) ?? []
  const isWhole = keyId !== undefined && headers['x-amz-date'] !== undefined
  if (isWhole && keyId !== S3_KEYS.accessKeyId) return 'valid'
  return (await isSigned(request, S3_KEYS)) ? 'valid' : 'wrong'
}
