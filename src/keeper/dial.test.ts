import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { createServer as createTlsServer } from 'node:tls'
import { Authority } from '../lib/ca/authority.ts'
import { dial } from './dial.ts'

const PATIENCE_MS = 10_000
/** An authority whose certificates have all expired: its clock is two years behind. */
const LONG_AGO = Date.now() - 800 * 86_400_000

describe('dial', () => {
  let home = ''
  const servers: Server[] = []
  let pin = ''
  let secure = 0
  let plain = 0
  let silent = 0

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'cachefront-dial-'))
    const authority = await Authority.open(home, () => LONG_AGO)
    const { key, certificate } = await authority.issue(['127.0.0.1'])
    authority.close()
    const x509 = new X509Certificate(certificate)
    assert.ok(x509.validToDate.getTime() < Date.now())
    pin = x509.fingerprint256
    const listen = async (server: Server): Promise<number> => {
      servers.push(server)
      await once(server.listen(0, '127.0.0.1'), 'listening')
      return (server.address() as AddressInfo).port
    }
    secure = await listen(createTlsServer({ key, cert: certificate }, (socket) => socket.end('secret')))
    plain = await listen(createServer((socket) => socket.end('open')))
    silent = await listen(createServer(() => {}))
  })

  after(async () => {
    for (const server of servers) server.close()
    await rm(home, { recursive: true, force: true })
  })

  const said = async (port: number, pins: readonly string[] | null, ms = PATIENCE_MS): Promise<string> => {
    const tls = pins === null ? null : { pins }
    const socket = await dial({ address: '127.0.0.1', port, tls }, ms)
    const [chunk] = (await once(socket, 'data')) as [Buffer]
    socket.destroy()
    return chunk.toString()
  }

  it('opens plain connections, and TLS to a certificate that is known, expired as it may be', async () => {
    assert.equal(await said(plain, null), 'open')
    assert.equal(await said(secure, ['00:11', pin]), 'secret')
  })

  it('says who is not the engine: another certificate, no TLS at all, nobody, or nothing in time', async () => {
    await assert.rejects(said(secure, ['00:11']), /shows a certificate that is not its own/)
    await assert.rejects(said(plain, [pin]))
    await assert.rejects(said(1, null), /ECONNREFUSED/)
    await assert.rejects(said(silent, [pin], 50), /does not answer/)
  })
})
