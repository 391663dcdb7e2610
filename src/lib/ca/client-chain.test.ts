//! Chains of viewers' certificates, right and wrong in one way each. OpenSSL's own command judges every one of them, too:
//! nothing is taken that it refuses, and what it alone would take is said in the row.
import 'reflect-metadata'
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { promisify } from 'node:util'
import * as x509 from '@peculiar/x509'
import {
  type AuthorityOptions,
  ClientAuthority,
  type IssueOptions,
  selfSignedClient,
} from '../../../test/support/client-certificates.ts'
import { type ChainProblem, verifyClient } from './client-chain.ts'

/** PEM. */
interface Chain {
  readonly leaf: string
  readonly sent: string
  readonly authorities: string
}

interface Row {
  readonly what: string
  readonly chain: () => Promise<Chain>
  readonly problem: ChainProblem | null
  /** What OpenSSL says, where it says otherwise than we. */
  readonly openssl?: 'takes it'
  readonly ignoreExpiry?: true
}

const certificates = (pem: string): X509Certificate[] =>
  (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map((one) => new X509Certificate(one))

/** A root, `intermediates` below it, and a viewer's certificate; the last of them issues it. */
async function chain(
  leaf: IssueOptions = {},
  intermediates: readonly AuthorityOptions[] = [],
  root: AuthorityOptions = {},
) {
  const top = await ClientAuthority.root(root)
  let issuer = top
  for (const [at, options] of intermediates.entries()) {
    issuer = await issuer.intermediate({ name: `CN=Intermediate ${at}`, ...options })
  }
  const made = await issuer.issue(leaf)
  return { leaf: made.leaf, sent: made.cert.slice(made.leaf.length), authorities: top.pem }
}

const { ExtendedKeyUsage, KeyUsageFlags } = x509
const NAME_CONSTRAINTS = new x509.Extension(
  '2.5.29.30',
  true,
  Buffer.from('3010a00e300c820a7669657765722e636f6d', 'hex'),
)
const STRANGE = new x509.Extension('1.2.3.4.5', true, Buffer.from('0500', 'hex'))
const SERVER_ONLY = [ExtendedKeyUsage.serverAuth]

const ROWS: readonly Row[] = [
  { what: 'issued by the root', chain: () => chain(), problem: null },
  { what: 'below three intermediates', chain: () => chain({}, [{}, {}, {}]), problem: null },
  { what: 'below four intermediates', chain: () => chain({}, [{}, {}, {}, {}]), problem: 'too-deep', openssl: 'takes it' },
  { what: 'RSA all the way', chain: () => chain({ rsa: 2048 }, [{ rsa: 2048 }], { rsa: 2048 }), problem: null },
  { what: 'without key usages', chain: () => chain({ usages: [] }), problem: null },
  { what: 'for servers and clients', chain: () => chain({ usages: [...SERVER_ONLY, ExtendedKeyUsage.clientAuth] }), problem: null },
  { what: 'for servers alone', chain: () => chain({ usages: SERVER_ONLY }), problem: 'not-for-clients' },
  { what: 'for encipherment alone', chain: () => chain({ keyUsage: KeyUsageFlags.keyEncipherment }), problem: 'not-for-clients' },
  { what: 'below an intermediate for servers alone', chain: () => chain({}, [{ extensions: [new x509.ExtendedKeyUsageExtension(SERVER_ONLY)] }]), problem: 'not-for-clients' },
  { what: 'expired', chain: () => chain({ from: -9, to: -1 }), problem: 'expired' },
  { what: 'expired, where that is ignored', chain: () => chain({ from: -9, to: -1 }), problem: null, ignoreExpiry: true },
  { what: 'of tomorrow', chain: () => chain({ from: 1 }), problem: 'not-yet-valid' },
  { what: 'of tomorrow, where expiry is ignored', chain: () => chain({ from: 1 }), problem: 'not-yet-valid', ignoreExpiry: true },
  { what: 'below an expired intermediate', chain: () => chain({}, [{ from: -9, to: -1 }]), problem: 'expired' },
  { what: 'below an expired root', chain: () => chain({}, [], { from: -9, to: -1 }), problem: 'expired' },
  { what: 'below an expired intermediate, where that is ignored', chain: () => chain({}, [{ from: -9, to: -1 }]), problem: null, ignoreExpiry: true },
  { what: 'below one that is no authority', chain: () => chain({}, [{ notCa: true }]), problem: 'not-an-authority' },
  { what: 'below one that may not sign certificates', chain: () => chain({}, [{ keyUsage: KeyUsageFlags.digitalSignature }]), problem: 'not-trusted' },
  { what: 'longer than the root allows', chain: () => chain({}, [{}], { pathLength: 0 }), problem: 'path-too-long' },
  { what: 'as long as the root allows', chain: () => chain({}, [{}], { pathLength: 1 }), problem: null },
  { what: 'with a weak key', chain: () => chain({ rsa: 1024 }), problem: 'weak-key', openssl: 'takes it' },
  { what: 'with a critical extension that nobody knows', chain: () => chain({ extensions: [STRANGE] }), problem: 'unknown-extension' },
  { what: 'below limits on names', chain: () => chain({}, [{ extensions: [NAME_CONSTRAINTS] }]), problem: 'unknown-extension', openssl: 'takes it' },
  { what: 'its own', chain: async () => ({ ...(await chain()), leaf: (await selfSignedClient()).leaf, sent: '' }), problem: 'not-trusted' },
  { what: 'its own and expired, where that is ignored', chain: async () => ({ ...(await chain()), leaf: (await selfSignedClient({ from: -9, to: -1 })).leaf, sent: '' }), problem: 'not-trusted', ignoreExpiry: true },
  { what: 'of another root with the same name', chain: async () => ({ ...(await chain()), authorities: (await chain()).authorities }), problem: 'not-trusted' },
  { what: 'another root sent along', chain: async () => { const own = await chain(); return { ...own, sent: own.authorities, authorities: (await chain()).authorities } }, problem: 'not-trusted' },
  { what: 'its intermediate not sent', chain: async () => ({ ...(await chain({}, [{}])), sent: '' }), problem: 'not-trusted' },
  { what: 'its intermediate among the authorities, the root not', chain: async () => { const own = await chain({}, [{}]); return { ...own, sent: '', authorities: own.sent } }, problem: null },
] // biome-ignore format: a table

describe('a viewer’s certificate', { concurrency: 4 }, () => {
  let directory: string
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cachefront-chains-'))
  })
  after(() => rm(directory, { recursive: true }))

  for (const [at, { what, chain: make, problem, openssl, ignoreExpiry = false }] of ROWS.entries()) {
    test(`${what}: ${problem ?? 'good'}`, async () => {
      const { leaf, sent, authorities } = await make()
      const rules = { authorities: certificates(authorities), ignoreExpiry, depth: 4 }
      const verdict = verifyClient(new X509Certificate(leaf), certificates(sent), rules, Date.now())
      assert.equal(verdict, problem)
      const file = async (name: string, text: string): Promise<string> => {
        const path = join(directory, `${at}-${name}`)
        await writeFile(path, text)
        return path
      }
      const untrusted = sent === '' ? [] : ['-untrusted', await file('sent', sent)]
      const judged = await promisify(execFile)('openssl', [
        ...['verify', '-purpose', 'sslclient', '-partial_chain', ...(ignoreExpiry ? ['-no_check_time'] : [])],
        ...['-CAfile', await file('authorities', authorities), ...untrusted, await file('leaf', leaf)],
      ]).then(
        () => 'takes it',
        () => 'refuses it',
      )
      // It has no way to ignore notAfter alone.
      const expected =
        openssl ?? (problem === null || (ignoreExpiry && problem === 'not-yet-valid') ? 'takes it' : 'refuses it')
      assert.equal(judged, expected)
    })
  }
})

test('would-be issuers without end cost no more than a bounded number of signatures', async (t) => {
  const name = 'CN=Same name'
  const roots = await Promise.all(Array.from({ length: 12 }, () => ClientAuthority.root({ name })))
  const own = await roots[0]?.issue()
  const sent = roots.map(({ pem }) => new X509Certificate(pem))
  const rules = {
    authorities: [new X509Certificate((await ClientAuthority.root({ name })).pem)],
    ignoreExpiry: false,
    depth: 4,
  }
  const leaf = new X509Certificate(own?.leaf ?? '')
  const { mock } = t.mock.method(X509Certificate.prototype, 'verify')
  assert.equal(verifyClient(leaf, sent, rules, Date.now()), 'not-trusted')
  assert.equal(mock.callCount(), 24)
})
