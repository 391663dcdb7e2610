//! testssl.sh against an edge under each security policy, with an ECDSA and an RSA certificate side by side: it must find
//! the protocols and ciphers of the table (domain/security-policies.ts), exactly, and from TLSv1.2_2021 up nothing that it
//! rates above LOW. Prints a table in Markdown; exits 1 when anything differs.
//!   npm run conformance:tls [-- POLICY ...]   (TESTSSL_KEEP=DIR keeps what testssl.sh told, as JSON)
import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CIPHERS,
  fits,
  SECURITY_POLICY_NAMES,
  type SecurityPolicy,
  type SecurityPolicyName,
  type SpokenProtocol,
  securityPolicy,
} from '../../src/domain/security-policies.ts'
import { TestAuthority } from '../support/certificates.ts'
import { startOrigin } from '../support/edge-origin.ts'
import { distributionDoc, EdgeScenario } from '../support/edge-scenario.ts'

interface Finding {
  readonly id: string
  readonly severity: string
  readonly finding: string
}

/** testssl's words for the protocols. */
const PROTOCOLS: Readonly<Record<string, string>> = {
  SSLv2: 'SSLv2',
  SSLv3: 'SSLv3',
  TLS1: 'TLSv1',
  TLS1_1: 'TLSv1.1',
  TLS1_2: 'TLSv1.2',
  TLS1_3: 'TLSv1.3',
}
const CIPHER_PROTOCOLS: Readonly<Record<string, string>> = {
  ssl2: 'SSLv2',
  ssl3: 'SSLv3',
  tls1: 'TLSv1',
  tls1_1: 'TLSv1.1',
  tls1_2: 'TLSv1.2',
  tls1_3: 'TLSv1.3',
}
const GRAVE: ReadonlySet<string> = new Set(['MEDIUM', 'HIGH', 'CRITICAL'])
const CLEAN_FROM: SecurityPolicyName = 'TLSv1.2_2021'

const AT_ONCE = 5

const wanted = process.argv.slice(2)
const policies = SECURITY_POLICY_NAMES.filter((name) => wanted.length === 0 || wanted.includes(name))
const cleanups: (() => unknown)[] = []
const directory = await mkdtemp(join(tmpdir(), 'cachefront-testssl-'))
try {
  const port = await startEdge()
  console.log('| policy | protocols | ciphers | findings above LOW |\n|---|---|---|---|')
  // It waits more than it works.
  const left = [...policies]
  const told = new Map<string, readonly Finding[]>()
  const work = async (): Promise<void> => {
    for (let name = left.shift(); name !== undefined; name = left.shift()) told.set(name, await testssl(name, port))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  for (const name of policies) report(securityPolicy(name)!, told.get(name) ?? [])
} finally {
  for (const clean of cleanups.reverse()) await clean()
  await rm(directory, { recursive: true })
}

function nameOf(policy: string): string {
  return `${policy.toLowerCase().replaceAll(/[._]/g, '-')}.tls.test`
}

async function startEdge(): Promise<number> {
  const origin = await startOrigin((_asked, response) => response.end('x'))
  cleanups.push(() => origin.close())
  const authority = await TestAuthority.make()
  await writeFile(join(directory, 'ca.pem'), authority.pem)
  const names = ['*.tls.test']
  const shape = { names, to: 300, subject: 'tls.test', ocsp: 'http://ocsp.tls.test/' }
  const pairs = await Promise.all([authority.issue(shape), authority.issue({ ...shape, rsa: true })])
  const documents = policies.map((policy, at) =>
    distributionDoc(origin.port, {
      id: `E${at}TESTDISTRIB0`,
      domainName: `d${at}00000abcdef8.cloudfront.localhost`,
      aliases: [nameOf(policy)],
      viewerCertificate: {
        certificates: pairs.map(({ key, cert }, kind) => ({ arn: `arn:${kind}`, chain: cert, privateKey: key })),
        sslSupportMethod: 'sni-only',
        securityPolicy: policy,
      },
    }),
  )
  const edge = await EdgeScenario.start({ after: (clean) => void cleanups.push(clean as () => unknown) }, documents)
  return edge.httpsPort()
}

/** Its exit status counts findings: what it says is in the file. */
async function testssl(policy: string, port: number): Promise<readonly Finding[]> {
  const file = join(directory, `${policy}.json`)
  const args = ['--quiet', '--color', '0', '--warnings', 'off', '--nodns', 'none', '--ip', '127.0.0.1']
  args.push('--add-ca', join(directory, 'ca.pem'), '--jsonfile', file)
  args.push('-p', '-E', '-P', '-f', '-S', '-U', `${nameOf(policy)}:${port}`)
  const child = spawn('testssl', args, { stdio: ['ignore', 'pipe', 'inherit'], cwd: directory })
  let out = ''
  child.stdout.on('data', (text: Buffer) => {
    out += text
  })
  await new Promise((resolve, reject) => child.on('error', reject).on('close', resolve))
  try {
    const text = await readFile(file, 'utf8')
    if (process.env.TESTSSL_KEEP) await writeFile(join(process.env.TESTSSL_KEEP, `${policy}.json`), text)
    return JSON.parse(text) as readonly Finding[]
  } catch (error) {
    throw new Error(`testssl.sh told nothing of ${policy}: ${(error as Error).message}\n${out}`)
  }
}

function report(policy: SecurityPolicy, findings: readonly Finding[]): void {
  const offered = findings.filter(({ id, finding }) => id in PROTOCOLS && /^offered/.test(finding))
  const protocols = compare(
    policy.protocols,
    offered.map(({ id }) => PROTOCOLS[id]!),
  )
  const seen = findings.flatMap(({ id, finding }) => {
    const [, protocol] = /^cipher-(ssl2|ssl3|tls1|tls1_1|tls1_2|tls1_3)_x/.exec(id) ?? []
    return protocol === undefined ? [] : [`${CIPHER_PROTOCOLS[protocol]} ${cipherIn(finding)}`]
  })
  const expected = policy.protocols.flatMap((protocol) => pairsOf(policy, protocol))
  const ciphers = compare(expected, seen)
  const grave = findings.filter(({ severity }) => GRAVE.has(severity))
  const isClean = SECURITY_POLICY_NAMES.indexOf(policy.name) >= SECURITY_POLICY_NAMES.indexOf(CLEAN_FROM)
  const told = grave.map(({ id, severity, finding }) => `${id} (${severity}): ${finding}`).join('; ') || 'none'
  console.log(`| \`${policy.name}\` | ${protocols} | ${ciphers} | ${told.replaceAll('|', '/')} |`)
  if (protocols.includes('!') || ciphers.includes('!') || (isClean && grave.length > 0)) process.exitCode = 1
}

function pairsOf(policy: SecurityPolicy, protocol: SpokenProtocol): readonly string[] {
  return policy.ciphers.filter((cipher) => fits(cipher, protocol)).map(({ name }) => `${protocol} ${name}`)
}

/** The OpenSSL name in a line of testssl's list; the line itself when it has none that the table knows. */
function cipherIn(line: string): string {
  const words = new Set(line.split(/\s+/))
  return CIPHERS.find(({ name }) => words.has(name))?.name ?? line.replaceAll(/\s+/g, ' ')
}

function compare(expected: readonly string[], seen: readonly string[]): string {
  const missing = expected.filter((one) => !seen.includes(one))
  const more = seen.filter((one) => !expected.includes(one))
  if (missing.length === 0 && more.length === 0) return `the ${expected.length} of the table`
  return [...missing.map((one) => `! ${one} not found`), ...more.map((one) => `! ${one} too`)].join(', ')
}
