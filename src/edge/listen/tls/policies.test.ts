//! Negotiates: every security policy against every protocol with every cipher, scheme and group that OpenSSL has, and a
//! server that has both kinds of keys. What the table says is accepted, everything else refused.
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:net'
import { after, before, describe, it } from 'node:test'
import { type ConnectionOptions, connect, getCiphers, type SecureVersion } from 'node:tls'
import { TestAuthority } from '../../../../test/support/certificates.ts'
import {
  CIPHERS,
  fits,
  GROUPS,
  SECURITY_POLICY_NAMES,
  type SecurityPolicyName,
  SIGNATURES,
  securityPolicy,
} from '../../../domain/security-policies.ts'
import { TlsAcceptor } from './acceptor.ts'
import { tlsTerms } from './terms.ts'

const PROTOCOLS = ['TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'] as const
/** Of this many at a time. */
const AT_ONCE = 8

describe('a viewer negotiates', () => {
  let server: Server
  let port = 0
  const ends: { protocol: string; cipher: string }[] = []

  before(async () => {
    const authority = await TestAuthority.make()
    const names = ['localhost']
    const made = await Promise.all([authority.issue({ names }), authority.issue({ names, rsa: true })])
    const certificate = { id: '', pairs: made.map(({ key, cert }) => ({ key, chain: cert })) }
    const keys = { current: randomBytes(48), previous: null }
    const protocols = ['http/1.1'] as const
    const acceptor = new TlsAcceptor({
      // The policy is asked for by the name, whose letters a ClientHello has in lower case.
      identify: ({ serverName }) => {
        const policy = SECURITY_POLICY_NAMES.find((name) => name.toLowerCase() === serverName)
        return policy === undefined ? null : { certificate, terms: tlsTerms(policy), protocols }
      },
      ticketKeys: () => keys,
      wall: Date.now,
      problem: assert.fail,
    })
    server = createServer((socket) => {
      acceptor.accept(socket, { lenient: false }, (secured, { protocol, cipher }) => {
        ends.push({ protocol, cipher })
        secured.on('error', () => {})
        secured.end()
      })
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    port = (server.address() as { port: number }).port
  })
  after(() => server.close())

  /** What was agreed on, or null. */
  const negotiate = (policy: SecurityPolicyName, options: ConnectionOptions): Promise<string | null> =>
    new Promise((resolve) => {
      const socket = connect({ host: '127.0.0.1', port, servername: policy, rejectUnauthorized: false, ...options })
      socket.on('secureConnect', () => {
        resolve(`${socket.getProtocol()} ${socket.getCipher().name}`)
        socket.destroy()
      })
      socket.on('error', () => resolve(null))
    })

  interface Row {
    readonly policy: SecurityPolicyName
    readonly what: string
    readonly options: ConnectionOptions
    readonly accepted: boolean
  }

  async function check(rows: readonly Row[]): Promise<void> {
    const wrong: string[] = []
    const left = [...rows]
    const work = async (): Promise<void> => {
      for (let row = left.pop(); row !== undefined; row = left.pop()) {
        const got = await negotiate(row.policy, row.options)
        if ((got !== null) !== row.accepted) wrong.push(`${row.policy} with ${row.what}: ${got ?? 'refused'}`)
      }
    }
    await Promise.all(Array.from({ length: AT_ONCE }, work))
    assert.deepEqual(wrong, [])
  }

  const speaking = (version: SecureVersion) => ({ minVersion: version, maxVersion: version })
  /** OpenSSL's client speaks the old ones at its lowest level only. */
  const ciphersOf = (name: string, protocol: SecureVersion) => (protocol === 'TLSv1.3' ? name : `${name}:@SECLEVEL=0`)

  it('every cipher that OpenSSL has, with every protocol', async () => {
    const known = new Map(CIPHERS.map((row) => [row.name.toLowerCase(), row]))
    const names = getCiphers().filter((name) => !/psk|srp/.test(name))
    const rows: Row[] = []
    for (const policy of SECURITY_POLICY_NAMES) {
      const { protocols, ciphers } = securityPolicy(policy)!
      for (const protocol of PROTOCOLS) {
        for (const name of names) {
          const row = known.get(name)
          // A client cannot even offer what does not fit.
          const isNew = name.startsWith('tls_')
          if (isNew !== (protocol === 'TLSv1.3') || (row !== undefined && !fits(row, protocol))) continue
          const accepted = row !== undefined && protocols.includes(protocol) && ciphers.includes(row)
          const cipher = row?.name ?? name.toUpperCase()
          const options = { ...speaking(protocol), ciphers: ciphersOf(cipher, protocol) }
          rows.push({ policy, what: `${protocol} ${cipher}`, options, accepted })
        }
      }
    }
    assert.ok(rows.length > 500 && rows.filter(({ accepted }) => accepted).length > 150, `${rows.length}`)
    await check(rows)
  })

  it('every signature scheme', async () => {
    const rows = SECURITY_POLICY_NAMES.flatMap((policy) => {
      const { protocols, signatures, ciphers } = securityPolicy(policy)!
      return SIGNATURES.flatMap((row): Row[] => {
        // With an ordinary RSA key nobody signs as for a key of RSASSA-PSS alone, nor on P-256 as on another curve.
        if (/pss_pss|secp384r1|secp521r1/.test(row.name)) return []
        const suite = row.authentication === 'ECDSA' ? 'ECDHE-ECDSA-AES128-GCM-SHA256' : 'ECDHE-RSA-AES128-GCM-SHA256'
        const has = protocols.includes('TLSv1.2') && ciphers.some(({ name }) => name === suite)
        const options = { ...speaking('TLSv1.2'), ciphers: `${suite}:@SECLEVEL=0`, sigalgs: row.name }
        return [{ policy, what: row.name, options, accepted: has && signatures.includes(row) }]
      })
    })
    await check(rows)
  })

  it('every group of key exchange, the post-quantum ones with TLS 1.3 alone', async () => {
    const others = ['secp521r1', 'X448', 'ffdhe2048', 'SecP384r1MLKEM1024', 'MLKEM768']
    const rows = (['TLSv1', 'TLSv1.2_2021', 'TLSv1.3_2025'] as const).flatMap((policy) =>
      [...GROUPS.map(({ name }) => name), ...others].flatMap((name): Row[] => {
        const accepted = !others.includes(name)
        const exchange = {
          policy,
          what: `TLSv1.3 ${name}`,
          options: { ...speaking('TLSv1.3'), ecdhCurve: name },
          accepted,
        }
        if (policy === 'TLSv1.3_2025' || /MLKEM|ffdhe/.test(name)) return [exchange]
        // The certificate's own curve belongs to what a viewer of TLS 1.2 offers: RSA leaves the group alone to decide.
        const old = { ...speaking('TLSv1.2'), ciphers: 'ECDHE-RSA-AES128-GCM-SHA256', ecdhCurve: name }
        return [exchange, { policy, what: `TLSv1.2 ${name}`, options: old, accepted }]
      }),
    )
    await check(rows)
  })

  it('in the order of the server, whatever the order of the viewer', async () => {
    const reversed = [...CIPHERS].reverse().map(({ name }) => name)
    for (const [protocol, cipher] of [
      ['TLSv1.3', 'TLS_AES_128_GCM_SHA256'],
      ['TLSv1.2', 'ECDHE-ECDSA-AES128-GCM-SHA256'],
      ['TLSv1', 'ECDHE-ECDSA-AES128-SHA'],
    ] as const) {
      const fitting = reversed.filter((name) => name.startsWith('TLS_') === (protocol === 'TLSv1.3'))
      const options = { ...speaking(protocol), ciphers: ciphersOf(fitting.join(':'), protocol) }
      assert.equal(await negotiate('TLSv1', options), `${protocol} ${cipher}`)
    }
  })
})
