//! Certificates that the edge makes for itself, in a worker that outlives them. (Who answers which name:
//! test/scenarios/edge/tls-names.test.ts.)
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { groups, helloMessage, inRecords, serverName, signatureSchemes } from '../../test/support/client-hello.ts'
import { edgeNames, ViewerCertificates } from './certificates.ts'
import { readClientHello } from './listen/tls/client-hello.ts'
import { EMPTY_SNAPSHOT } from './snapshot/snapshot.ts'

const DAY_MS = 86_400_000

test('a certificate of the installation has a successor before it is over, and serves on until then', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-certificates-'))
  t.after(() => rm(directory, { recursive: true }))
  let wall = Date.now()
  const problems: string[] = []
  const certificates = new ViewerCertificates({
    directory,
    names: edgeNames('cloudfront.localhost', []),
    snapshot: () => EMPTY_SNAPSHOT,
    wall: () => wall,
    problem: (text) => problems.push(text),
  })
  t.after(() => certificates.close())
  const extensions = [serverName('localhost'), signatureSchemes(0x0403), groups(23)]
  const read = readClientHello(inRecords(helloMessage({ extensions })))
  const hello = read.kind === 'hello' ? read.hello : assert.fail(read.kind)
  const shown = () => {
    const identity = certificates.identify(hello, { lenient: false })
    return identity instanceof Promise || identity === null ? identity : identity.certificate
  }
  await shown()
  const first = shown()
  assert.ok(first !== null && 'pairs' in first)
  wall += 360 * DAY_MS
  assert.equal(shown(), first)
  wall += 10 * DAY_MS
  assert.equal(shown(), first, 'nobody waits for the next one')
  const deadline = Date.now() + 30_000
  let next = shown()
  for (; next === first && Date.now() < deadline; next = shown())
    await new Promise((resolve) => setTimeout(resolve, 10))
  assert.ok(next !== null && 'pairs' in next && next !== first)
  assert.ok(new X509Certificate(next.pairs[0]!.chain).validToDate.getTime() > wall + 390 * DAY_MS)
  assert.deepEqual(problems, [])
})
