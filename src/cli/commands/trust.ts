//! `cachefront trust`: the certificate that clients of this installation trust, how each kind of client is told to, and
//! until when what it vouches for is valid. It changes the system's own store only when asked.
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { Command } from 'commander'
import { Authority, authorityFiles } from '../../lib/ca/authority.ts'
import { systemClock } from '../../lib/clock.ts'
import { CliError, type CliHost } from '../host.ts'
import type { ClientOptions } from '../installation-file.ts'
import { drawTable } from '../table.ts'
import { installAuthority, SYSTEM_STORES } from '../trust-store.ts'
import { type CertificateFacts, factsOf, issuedCertificates } from '../trusted.ts'

interface TrustOptions extends ClientOptions {
  readonly export?: string
  readonly install?: boolean
}

export function trustCommand(host: CliHost, done: (code: number) => void): Command {
  return new Command('trust')
    .option('--export <FILE>', 'write the certificate to this file, readable for all')
    .option('--install', "add it to the system's own store, where this user may")
    .description('the certificate that clients over TLS trust, for the edge and for caches, and how to tell them')
    .addHelpText(
      'after',
      `
Examples:
  cachefront trust
  cachefront trust --export /tmp/cachefront.pem
  redis-cli --tls --cacert "$(cachefront trust --json | jq -r .certificate)" -h 127.16.0.1 ping`,
    )
    .action(async (options: TrustOptions) => {
      const home = host.home(options.home)
      const { tls, keeper } = host.files(home)
      const file = await ensureAuthority(home, tls)
      const pem = await readFile(file, 'utf8')
      const exported = options.export === undefined ? null : await exportTo(options.export, pem)
      const installed = options.install === true ? await installAuthority(pem, SYSTEM_STORES) : null
      const report = {
        certificate: file,
        ...factsOf(pem),
        issued: await issuedCertificates(tls, keeper),
        ...(exported === null ? {} : { exported }),
        ...(installed === null ? {} : { installed }),
      }
      host.out.print(options.json ? JSON.stringify(report, null, 2) : draw(report))
      done(0)
    })
}

type Report = CertificateFacts & {
  readonly certificate: string
  readonly issued: readonly (CertificateFacts & { readonly of: string })[]
  readonly exported?: string
  readonly installed?: string
}

/** A home that never ran has its authority made here: a CI job can hand it out before the first start. */
async function ensureAuthority(home: string, tls: string): Promise<string> {
  try {
    const authority = await Authority.open(tls, () => systemClock.wall())
    authority.close()
    return authorityFiles(tls).certificate
  } catch (error) {
    throw new CliError(`The certificates in ${tls} of ${home} cannot be used: ${(error as Error).message}.`)
  }
}

/** Never over a file that is something else: `--export` with a wrong name would destroy it. */
async function exportTo(file: string, pem: string): Promise<string> {
  if (existsSync(file) && !(await readFile(file, 'utf8').catch(() => '')).startsWith('-----BEGIN CERTIFICATE-----')) {
    throw new CliError(`${file} is there and is no certificate: it was not overwritten. Choose another file.`)
  }
  try {
    await writeFile(file, `${pem.trim()}\n`, { mode: 0o644 })
  } catch (error) {
    throw new CliError(`${file} cannot be written: ${(error as Error).message}.`)
  }
  return file
}

const day = (iso: string): string => iso.slice(0, 10)

function draw(report: Report): string {
  const file = report.exported ?? report.certificate
  const rows = report.issued.map((one) => [one.of, day(one.notBefore), day(one.notAfter), one.names.join(' ')])
  return [
    `${report.certificate}`,
    `${report.subject}, valid until ${day(report.notAfter)}`,
    `SHA-256 ${report.fingerprint256}`,
    ...(report.exported === undefined ? [] : ['', `Exported to ${report.exported}.`]),
    ...(report.installed === undefined ? [] : ['', `Installed as ${report.installed}.`]),
    '',
    'Clients that trust it:',
    drawTable([
      ['redis-cli', `redis-cli --tls --cacert ${file} -h ADDRESS`],
      ['ioredis', `new Redis({ host, port, tls: { ca: readFileSync('${file}') } })`],
      ['node-redis', `createClient({ socket: { host, port, tls: true, ca: readFileSync('${file}') } })`],
      ['Node', `NODE_EXTRA_CA_CERTS=${file} node app.js`],
      ['redis-py', `redis.Redis(host=..., ssl=True, ssl_ca_certs='${file}')`],
      ['pymemcache', `ssl.create_default_context(cafile='${file}')`],
      ['curl', `curl --cacert ${file} https://...`],
      ['this system', 'cachefront trust --install'],
    ]),
    ...(rows.length === 0 ? [] : ['', drawTable([['CERTIFICATE OF', 'FROM', 'UNTIL', 'NAMES'], ...rows])]),
  ].join('\n')
}
