//! The certificate authority of one installation: made once, kept with mode 0600 in a directory of the home, used again
//! after restarts. Whoever trusts its certificate (`curl --cacert`) trusts what this home serves, and nobody else.
import { createHash, randomBytes, X509Certificate } from 'node:crypto'
import { link, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { dirname, join } from 'node:path'
import { makePrivateDirectory } from '../private-directory.ts'
import { Issuing } from './issuing.ts'
import type { CertificateWish, MadeCertificate } from './wishes.ts'

/** A kept certificate with less than this left is made anew. Milliseconds. */
export const RENEW_BEFORE_MS = 30 * 86_400_000

/** Rounds of those who make the same certificate at the same time; two are enough unless somebody changes the file. */
const ROUNDS_MAX = 10

type ServerKey = Pick<Extract<CertificateWish, { kind: 'server' }>, 'key' | 'lifeFrom'>

/** Files of the directory. */
export const authorityFiles = (directory: string) =>
  ({
    /** What viewers are to trust. */
    certificate: join(directory, 'ca', 'ca.pem'),
    key: join(directory, 'ca', 'ca.key'),
  }) as const

export class Authority {
  readonly #directory: string
  readonly #own: MadeCertificate
  readonly #issuing: Issuing
  readonly #wall: () => number

  private constructor(directory: string, own: MadeCertificate, issuing: Issuing, wall: () => number) {
    this.#directory = directory
    this.#own = own
    this.#issuing = issuing
    this.#wall = wall
  }

  /**
   * Opens the authority below `directory`; the first who does makes it. `wall`: milliseconds of the wall clock, which is
   * what viewers check certificates by.
   * @throws the file system's error, or Error when a file there is damaged
   */
  static async open(directory: string, wall: () => number): Promise<Authority> {
    const issuing = new Issuing()
    try {
      const own = (await read(directory)) ?? (await make(directory, issuing, wall()))
      return new Authority(directory, own, issuing, wall)
    } catch (error) {
      issuing.close()
      throw error
    }
  }

  /** PEM: what viewers are to trust. */
  get certificate(): string {
    return this.#own.certificate
  }

  /** A certificate for servers with these DNS names (a first label `*` among them) and IP addresses. */
  issue(names: readonly string[], how: ServerKey = {}): Promise<MadeCertificate> {
    return this.#issuing.make({ ...how, kind: 'server', names, issuer: this.#own }, this.#wall())
  }

  /**
   * The same, kept under `name` in the directory, and made anew when it is about to expire or lacks a name. Of several
   * processes that make it at the same time all get the one that is kept: the first to name its own the successor of what
   * all of them found decides, and nobody waits for a process that has died meanwhile.
   */
  async kept(name: string, names: readonly string[], how: ServerKey = {}): Promise<MadeCertificate> {
    const file = join(this.#directory, `${name}.pem`)
    let own: MadeCertificate | null = null
    for (let round = 0; round < ROUNDS_MAX; round++) {
      const found = await textOf(file)
      const known = split(found)
      if (known !== null && this.#serves(known, names)) return known
      own ??= await this.issue(names, how)
      const successor = `${file}.after-${createHash('sha256').update(found).digest('hex').slice(0, 16)}`
      await linkNew(successor, `${own.key}\n${own.certificate}\n`)
      const chosen = await textOf(successor)
      const next = split(chosen)
      // Somebody was through already (then the file is another), or left one behind that is of no use any more.
      const isOver = (await textOf(file)) !== found || next === null || !this.#serves(next, names)
      if (!isOver) await writeWhole(file, chosen)
      await rm(successor, { force: true })
      if (!isOver) return next
    }
    throw new Error(`${file} is being changed all the time by others`)
  }

  close(): void {
    this.#issuing.close()
  }

  #serves({ certificate }: MadeCertificate, names: readonly string[]): boolean {
    const x509 = new X509Certificate(certificate)
    const has = new Set((x509.subjectAltName ?? '').split(', ').map((name) => name.replace(/^[^:]*:/, '')))
    const hasAll = names.every((name) => (isIP(name) === 0 ? has.has(name) : x509.checkIP(name) !== undefined))
    const ours = x509.verify(new X509Certificate(this.#own.certificate).publicKey)
    return hasAll && ours && x509.validToDate.getTime() - RENEW_BEFORE_MS > this.#wall()
  }
}

async function read(directory: string): Promise<MadeCertificate | null> {
  const files = authorityFiles(directory)
  try {
    const [key, certificate] = await Promise.all([readFile(files.key, 'utf8'), readFile(files.certificate, 'utf8')])
    return { key, certificate }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}

/** Key and certificate appear together: who finds the directory finds both, and of two who make it one wins. */
async function make(directory: string, issuing: Issuing, now: number): Promise<MadeCertificate> {
  await makePrivateDirectory(directory)
  // Browsers tell authorities by their names: two homes must not share one.
  const commonName = `Cachefront local CA ${randomBytes(4).toString('hex')}`
  const made = await issuing.make({ kind: 'authority', commonName }, now)
  const fresh = await mkdtemp(join(directory, 'ca-'))
  await writeFile(join(fresh, 'ca.key'), `${made.key}\n`, { mode: 0o600 })
  await writeFile(join(fresh, 'ca.pem'), `${made.certificate}\n`, { mode: 0o600 })
  try {
    await rename(fresh, dirname(authorityFiles(directory).key))
    return made
  } catch (error) {
    const others = await read(directory)
    await rm(fresh, { recursive: true, force: true })
    if (others === null) throw error
    return others
  }
}

/** Key and certificate out of one PEM text; null when it has not both. */
function split(text: string): MadeCertificate | null {
  const [key] = /-----BEGIN PRIVATE KEY-----[^-]*-----END PRIVATE KEY-----/.exec(text) ?? []
  const [certificate] = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/.exec(text) ?? []
  return key === undefined || certificate === undefined ? null : { key, certificate }
}

const textOf = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '')

/** Appears with all its text; what is there stays. */
async function linkNew(file: string, text: string): Promise<void> {
  const draft = `${file}.${randomBytes(4).toString('hex')}`
  await writeFile(draft, text, { mode: 0o600 })
  await link(draft, file)
    .catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
    .finally(() => rm(draft, { force: true }))
}

async function writeWhole(file: string, text: string): Promise<void> {
  const next = `${file}.${randomBytes(4).toString('hex')}`
  await writeFile(next, text, { mode: 0o600 })
  await rename(next, file)
}
