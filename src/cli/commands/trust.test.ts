import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { Authority } from '../../lib/ca/authority.ts'
import { systemClock } from '../../lib/clock.ts'
import type { CliHost } from '../host.ts'
import { runCli } from '../program.ts'
import { installAuthority } from '../trust-store.ts'

describe('cachefront trust', () => {
  let home = ''
  before(async () => {
    home = await mkdtemp(join(tmpdir(), 'cachefront-trust-'))
  })
  after(() => rm(home, { recursive: true, force: true }))

  async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    let [out, err] = ['', '']
    const host = {
      version: '1',
      upOptions: [],
      home: () => home,
      files: () => ({ tls: join(home, 'tls'), keeper: join(home, 'keeper') }),
      out: {
        print: (text: string) => {
          out += `${text}\n`
        },
        complain: (text: string) => {
          err += `${text}\n`
        },
        interactive: false,
      },
    } as unknown as CliHost
    const code = await runCli(host, ['trust', ...args])
    return { code, out, err }
  }

  it('makes the authority of a home that never ran, and names it with what it vouches for', async () => {
    const made = JSON.parse((await run('--json')).out) as { certificate: string; fingerprint256: string; issued: [] }
    assert.equal(made.certificate, join(home, 'tls', 'ca', 'ca.pem'))
    assert.deepEqual(made.issued, [])
    const authority = await Authority.open(join(home, 'tls'), () => systemClock.wall())
    assert.equal(new X509Certificate(authority.certificate).fingerprint256, made.fingerprint256)
    await authority.kept('edge', ['localhost', '127.0.0.1'])
    const group = join(home, 'keeper', 'tls', 'shop')
    await mkdir(group, { recursive: true })
    for (const number of [9, 10]) {
      const { key, certificate } = await authority.issue([`n${number}.test`])
      await writeFile(join(group, `${number}.pem`), `${key}\n${certificate}\n`)
    }
    authority.close()
    const { issued } = JSON.parse((await run('--json')).out) as { issued: { of: string; names: string[] }[] }
    assert.deepEqual(
      issued.map(({ of, names }) => [of, ...names]),
      [
        ['edge', 'localhost', '127.0.0.1'],
        ['cache shop', 'n10.test'],
      ],
    )
    const { out, code } = await run()
    assert.equal(code, 0)
    assert.match(out, /^redis-cli {2,}redis-cli --tls --cacert \S+\/tls\/ca\/ca\.pem/m)
    assert.match(out, /NODE_EXTRA_CA_CERTS=/)
    assert.match(out, /^cache shop .* n10\.test$/m)
    assert.ok(!out.includes('PRIVATE KEY'))
  })

  it('exports the certificate for all to read, and overwrites nothing that is none', async () => {
    const file = join(home, 'out.pem')
    for (let times = 0; times < 2; times++) assert.equal((await run('--export', file)).code, 0)
    assert.equal((await stat(file)).mode & 0o777, 0o644)
    assert.equal(new X509Certificate(await readFile(file)).ca, true)
    await writeFile(file, 'notes of mine')
    const refused = await run('--export', file)
    assert.equal(refused.code, 1)
    assert.match(refused.err, /is no certificate: it was not overwritten/)
    assert.equal(await readFile(file, 'utf8'), 'notes of mine')
    assert.match((await run('--export', join(home, 'none', 'out.pem'))).err, /cannot be written/)
  })

  it('installs into the store that this system has, and takes it back when the system refuses', async () => {
    const store = (command: readonly [string, ...string[]]) => ({ directory: home, file: 'own.crt', command })
    const elsewhere = { ...store(['true']), directory: join(home, 'not-here') }
    const taken = await installAuthority('PEM', [elsewhere, store(['true'])])
    assert.equal(await readFile(taken, 'utf8'), 'PEM\n')
    await assert.rejects(installAuthority('PEM', [store(['sh', '-c', 'echo no room >&2; exit 3'])]), /no room/)
    await assert.rejects(readFile(taken), /ENOENT/)
    await assert.rejects(installAuthority('PEM', [elsewhere]), /no store that is known here/)
  })

  it('says why it may not install', async () => {
    // Nobody makes files there, root neither.
    const refused = installAuthority('PEM', [{ directory: '/sys', file: 'own.crt', command: ['true'] }])
    await assert.rejects(refused, /is root's: .* Run it as root/)
  })
})
