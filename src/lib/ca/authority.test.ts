import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { connect } from 'node:tls'
import { Authority, authorityFiles } from './authority.ts'

const NOW = Date.now()
const YEAR_MS = 365 * 86_400_000

describe('the certificate authority of an installation', () => {
  let home = ''
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'cachefront-ca-'))
  })
  after(() => rm(home, { recursive: true, force: true }))

  const open = async (name: string, wall = NOW): Promise<Authority> => Authority.open(join(home, name), () => wall)

  it('is made once, private, and found again', async () => {
    const first = await open('once')
    const again = await open('once')
    assert.equal(again.certificate.trim(), first.certificate.trim())
    const files = authorityFiles(join(home, 'once'))
    for (const file of [files.certificate, files.key]) assert.equal((await stat(file)).mode & 0o777, 0o600)
    const certificate = new X509Certificate(first.certificate)
    assert.equal(certificate.ca, true)
    assert.ok(certificate.verify(certificate.publicKey))
    assert.match(certificate.subject, /CN=Cachefront local CA [0-9a-f]{8}/)
    first.close()
    again.close()
  })

  it('is one when two make it at the same time', async () => {
    const all = await Promise.all(Array.from({ length: 3 }, () => open('race')))
    assert.equal(new Set(all.map((one) => one.certificate.trim())).size, 1)
    assert.deepEqual(await readdir(join(home, 'race')), ['ca'])
    for (const one of all) one.close()
  })

  it('issues what a TLS client that trusts it alone accepts, for its names and for no other', async (t) => {
    const authority = await open('issue')
    const { key, certificate } = await authority.issue([
      '*.cloudfront.localhost',
      'www.example.com',
      '127.0.0.1',
      '::1',
    ])
    const server = createServer({ key, cert: certificate }, (_request, response) => response.end())
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    t.after(() => {
      server.close()
      authority.close()
    })
    const { port } = server.address() as AddressInfo
    const handshake = (servername: string) =>
      new Promise<string>((resolve) => {
        const named = servername === '127.0.0.1' ? { host: servername } : { host: '127.0.0.1', servername }
        const socket = connect({ port, ca: authority.certificate, ...named }, () => {
          resolve('accepted')
          socket.destroy()
        })
        socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
      })
    assert.equal(await handshake('d1.cloudfront.localhost'), 'accepted')
    assert.equal(await handshake('www.example.com'), 'accepted')
    assert.equal(await handshake('127.0.0.1'), 'accepted')
    assert.equal(await handshake('other.example.com'), 'ERR_TLS_CERT_ALTNAME_INVALID')
  })

  it('keeps a certificate until a name is missing, its end is near, or another authority issued it', async () => {
    const names = ['*.cloudfront.localhost', 'localhost', '127.0.0.1', '::1']
    const first = await open('kept')
    const made = await first.kept('edge', names)
    assert.equal((await stat(join(home, 'kept', 'edge.pem'))).mode & 0o777, 0o600)
    const same = await (await open('kept')).kept('edge', names)
    assert.equal(same.certificate.trim(), made.certificate.trim())
    const more = await first.kept('edge', [...names, 'other.test'])
    assert.match(new X509Certificate(more.certificate).subjectAltName ?? '', /DNS:other\.test/)
    const later = await open('kept', NOW + YEAR_MS + 5 * 86_400_000)
    const renewed = await later.kept('edge', names)
    assert.notEqual(renewed.certificate.trim(), more.certificate.trim())
    await rm(join(home, 'kept', 'ca'), { recursive: true })
    const other = await open('kept')
    const anew = await other.kept('edge', names)
    assert.ok(new X509Certificate(anew.certificate).verify(new X509Certificate(other.certificate).publicKey))
    for (const one of [first, later, other]) one.close()
  })

  it('keeps one certificate when several make it, for the first time or anew, at the same time', async () => {
    for (const [round, wall] of [NOW, NOW + YEAR_MS + 5 * 86_400_000].entries()) {
      const all = await Promise.all(Array.from({ length: 4 }, () => open('together', wall)))
      const kept = await Promise.all(all.map((one) => one.kept('edge', ['localhost'])))
      const now = await all[0]!.kept('edge', ['localhost'])
      for (const { certificate, key } of kept) {
        assert.equal(certificate.trim(), now.certificate.trim(), `round ${round}`)
        assert.equal(key.trim(), now.key.trim())
      }
      assert.deepEqual((await readdir(join(home, 'together'))).sort(), ['ca', 'edge.pem'])
      for (const one of all) one.close()
    }
  })

  it('makes a damaged kept certificate anew, and says so of a damaged key of its own', async () => {
    const authority = await open('damaged')
    await writeFile(join(home, 'damaged', 'edge.pem'), 'nothing of use')
    assert.ok(new X509Certificate((await authority.kept('edge', ['localhost'])).certificate))
    await writeFile(authorityFiles(join(home, 'damaged')).key, 'no key')
    const broken = await open('damaged')
    await assert.rejects(broken.issue(['localhost']))
    authority.close()
    broken.close()
  })
})
