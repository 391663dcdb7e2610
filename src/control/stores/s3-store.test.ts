//! A bucket as a place for snapshots: what AWS's words are for what a bucket refuses, and a file in several parts at a
//! real S3-compatible server. The refusals come from a server of the test: s3rver refuses nothing of the kind.
import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { S3_KEYS, startS3 } from '../../../test/support/s3-server.ts'
import { S3Store } from './s3-store.ts'

type Refusal = readonly [status: number, code: string]

/** A server that answers every request with an empty list, but what `refuse` refuses. */
async function bucketThat(t: TestContext, refuse: (request: IncomingMessage) => Refusal | null): Promise<S3Store> {
  const server = createServer((request, response) => {
    const refusal = refuse(request)
    const body =
      refusal === null
        ? '<ListBucketResult><UploadId>1</UploadId></ListBucketResult>'
        : `<Error><Code>${refusal[1]}</Code><Message>${refusal[1]}</Message></Error>`
    response.writeHead(refusal?.[0] ?? 200, { 'Content-Type': 'application/xml' })
    request.resume().on('end', () => response.end(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return new S3Store('b', { endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', keys: S3_KEYS })
}

const isList = ({ method, url = '' }: IncomingMessage): boolean => method === 'GET' && url.includes('list-type=2')
const isAcl = ({ url = '' }: IncomingMessage): boolean => url.includes('acl')
const isUpload = ({ method, url = '' }: IncomingMessage): boolean => method === 'POST' && url.includes('uploads')

const ROWS: readonly (readonly [string, (request: IncomingMessage) => boolean, Refusal])[] = [
  ['The S3 bucket b does not exist.', isList, [404, 'NoSuchBucket']],
  ['The S3 bucket b is outside of the region.', isList, [301, 'PermanentRedirect']],
  ['ElastiCache has not been granted READ permissions b on the S3 Bucket.', isList, [403, 'AccessDenied']],
  ['ElastiCache has not been granted READ_ACP permissions b on the S3 Bucket.', isAcl, [403, 'AccessDenied']],
  ['ElastiCache has not been granted WRITE permissions b on the S3 Bucket.', isUpload, [403, 'AccessDenied']],
]

for (const [words, is, refusal] of ROWS) {
  test(words, async (t) => {
    const store = await bucketThat(t, (request) => (is(request) ? refusal : null))
    assert.equal(await store.exportProblem('x-0001.rdb'), words)
  })
}

test('a bucket that refuses nothing takes an export; one without access control lists does, too', async (t) => {
  const store = await bucketThat(t, (request) => (isAcl(request) ? [501, 'NotImplemented'] : null))
  assert.equal(await store.exportProblem('x-0001.rdb'), null)
})

test('without keys nothing is exported; an object that is not there, or not to be read, is no import', async (t) => {
  const none = new S3Store('b', { endpoint: 'http://127.0.0.1:1', region: 'us-east-1', keys: null })
  assert.match((await none.exportProblem('x')) ?? '', /^The authenticated user does not have sufficient permissions/)
  const missing = await bucketThat(t, () => [404, 'NotFound'])
  assert.match(
    (await missing.importProblem('x.rdb')) ?? '',
    /^Unable to fetch metadata from S3 for bucket: b and object/,
  )
  const forbidden = await bucketThat(t, () => [403, 'AccessDenied'])
  assert.match((await forbidden.importProblem('x.rdb')) ?? '', /has not been granted READ permissions/)
})

test('more than a part: written in parts, read as it was; one that breaks off leaves nothing', async (t) => {
  const s3 = await startS3([{ name: 'backups' }])
  t.after(() => s3.close())
  const store = new S3Store('backups', { endpoint: s3.url, region: 'us-east-1', keys: S3_KEYS })
  const piece = randomBytes(1024 * 1024)
  const count = 20
  async function* pieces(until: number) {
    for (let at = 0; at < until; at++) yield piece
    if (until < count) throw new Error('it broke off')
  }
  const signal = new AbortController().signal
  await store.write('whole.rdb', pieces(count), count * piece.length, signal)
  const read = createHash('sha256')
  for await (const part of await store.read('whole.rdb', signal)) read.update(part)
  const wanted = createHash('sha256')
  for (let at = 0; at < count; at++) wanted.update(piece)
  assert.equal(read.digest('hex'), wanted.digest('hex'))
  assert.match((await store.exportProblem('whole.rdb')) ?? '', /already contains an object with key whole.rdb/)
  await assert.rejects(store.write('half.rdb', pieces(18), count * piece.length, signal), /it broke off/)
  assert.match((await store.importProblem('half.rdb')) ?? '', /^Unable to fetch metadata/)
})
