import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Authority } from './authority.ts'
import { readImported } from './imported.ts'

const NOW = Date.now()
const YEAR_MS = 365 * 86_400_000

describe('an imported certificate', () => {
  let home = ''
  let made = { key: '', certificate: '', authority: '' }
  let other = { key: '', certificate: '', authority: '' }

  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'cachefront-imported-'))
    const issue = async (name: string) => {
      const authority = await Authority.open(join(home, name), () => NOW)
      const issued = await authority.issue([`${name}.test`])
      authority.close()
      return { ...issued, authority: authority.certificate }
    }
    made = await issue('one')
    other = await issue('two')
  })
  after(() => rm(home, { recursive: true, force: true }))

  let count = 0
  const reads = async (files: Readonly<Record<string, string>>, now = NOW) => {
    const directory = join(home, `dir-${count++}`)
    await mkdir(directory)
    for (const [name, text] of Object.entries(files)) await writeFile(join(directory, name), text)
    return readImported(directory, now)
  }

  it('is read with its authority beside it or at the end of the chain', async () => {
    const beside = await reads({ 'tls.crt': made.certificate, 'tls.key': made.key, 'ca.crt': made.authority })
    const behind = await reads({ 'tls.crt': `${made.certificate}\n${made.authority}`, 'tls.key': made.key })
    assert.equal(behind.authority, beside.authority)
    assert.equal(behind.chain, beside.chain)
    assert.match(beside.key, /BEGIN PRIVATE KEY/)
  })

  const files = () => ({ 'tls.crt': made.certificate, 'tls.key': made.key, 'ca.crt': made.authority })
  const broken: readonly [string, () => Record<string, string>, RegExp, number?][] = [
    ['no files', () => ({}), /tls\.crt is missing/],
    ['no key', () => ({ 'tls.crt': made.certificate }), /tls\.key is missing/],
    ["another's key", () => ({ ...files(), 'tls.key': other.key }), /is not the key of the certificate/],
    ['no certificate', () => ({ ...files(), 'tls.crt': 'nothing' }), /holds no certificate/],
    ['a damaged key', () => ({ ...files(), 'tls.key': 'nothing' }), /holds no private key in PEM/],
    ['another authority', () => ({ ...files(), 'ca.crt': other.authority }), /which no authority in .*ca\.crt issued/],
    ['no authority', () => ({ 'tls.crt': made.certificate, 'tls.key': made.key }), /which no authority/],
    ['one that expired', files, /expired on/, NOW + 2 * YEAR_MS],
    ['one of the future', files, /is not valid before/, NOW - YEAR_MS],
  ]
  for (const [what, given, message, now] of broken) {
    it(`says what is wrong: ${what}`, async () => {
      await assert.rejects(reads(given(), now), (error: Error) => {
        assert.match(error.message, message)
        assert.ok(!error.message.includes('PRIVATE KEY-'))
        return true
      })
    })
  }
})
