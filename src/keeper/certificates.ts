//! The certificate that a group's engines serve TLS with: made by the installation's authority or imported, renewed, and
//! kept in files (0600) that the engines read. Each new one has a number and files of its own, so that an engine that
//! reads them never finds half of two; the one before stays for engines that have not taken up the new one yet.
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { Authority } from '../lib/ca/authority.ts'
import { readImported } from '../lib/ca/imported.ts'
import { makePrivateDirectory } from '../lib/private-directory.ts'
import { authorityOf, certificateFile, certificateNumbers } from './certificate-files.ts'
import type { TransitWish } from './protocol.ts'
import type { CertificateOrigin, ServedCertificate } from './transit.ts'

/** A certificate of ours is renewed after this share of its life, so that a renewal that fails has a third to succeed. */
const RENEW_AFTER = 2 / 3
/** How often an imported one is read again. Milliseconds. */
const IMPORT_AGAIN_MS = 2000
/** After an attempt that failed. Milliseconds. */
const FAILED_AGAIN_MS = 5000
/** Numbers that are kept: an engine that was busy during a renewal still reads the one before. */
const NUMBERS_KEPT = 3

export interface CertificatesOptions {
  /** Of this group alone. */
  readonly directory: string
  /** Directory of the installation's authority. */
  readonly authority: string
  /** Milliseconds of the wall clock, which clients check certificates by. */
  readonly wall: () => number
  /** Milliseconds that only grow. */
  readonly monotonic: () => number
}

export class GroupCertificates {
  readonly #options: CertificatesOptions
  #newest: ServedCertificate | null
  /** Read once each: their files never change. */
  readonly #read = new Map<number, ServedCertificate>()
  #lookedAt = Number.NEGATIVE_INFINITY
  #lookedFor = ''
  /** Why the newest certificate is not the one that is wished, for a person; null when it is. */
  problem: string | null = null

  constructor(options: CertificatesOptions) {
    this.#options = options
    this.#newest = this.#kept()[0] ?? null
  }

  get newest(): ServedCertificate | null {
    return this.#newest
  }

  /** Fingerprints of all certificates that an engine of the group may serve now. */
  pins(): readonly string[] {
    return this.#kept().map((certificate) => certificate.fingerprint256)
  }

  /**
   * Makes the newest certificate one that fulfils `wish` for these addresses; returns the origin of a new one, null when
   * the newest will do. While there is an older one, what goes wrong is noted in `problem` and tried again later.
   * @throws when there is none at all
   */
  async provide(
    wish: TransitWish,
    addresses: readonly string[],
    origin: CertificateOrigin | null,
  ): Promise<CertificateOrigin | null> {
    const key = JSON.stringify([wish.names, wish.renewal, wish.imported, addresses, origin])
    const since = this.#options.monotonic() - this.#lookedAt
    const pause = this.problem === null ? IMPORT_AGAIN_MS : FAILED_AGAIN_MS
    if (key === this.#lookedFor && since < pause) return null
    try {
      const made =
        wish.imported === null
          ? await this.#own([...addresses, ...wish.names], wish, origin)
          : await this.#import(wish.imported, wish, origin)
      this.problem = null
      return made
    } catch (error) {
      this.problem = `its certificate: ${(error as Error).message}`
      if (this.#newest === null) throw new Error(this.problem)
      return null
    } finally {
      this.#lookedAt = this.#options.monotonic()
      this.#lookedFor = key
    }
  }

  async #own(
    names: readonly string[],
    wish: TransitWish,
    origin: CertificateOrigin | null,
  ): Promise<CertificateOrigin | null> {
    const { authority: directory, wall } = this.#options
    const serves =
      this.#newest !== null &&
      origin?.imported === null &&
      origin.renewal >= wish.renewal &&
      names.every((name) => this.#newest?.names.has(name)) &&
      !isDue(this.#newest, wall())
    if (serves) return null
    const authority = await Authority.open(directory, wall)
    try {
      const { key, certificate } = await authority.issue(names)
      return await this.#keep(`${key}\n${certificate}\n`, authority.certificate, wish)
    } finally {
      authority.close()
    }
  }

  async #import(
    directory: string,
    wish: TransitWish,
    origin: CertificateOrigin | null,
  ): Promise<CertificateOrigin | null> {
    const { key, chain, authority } = await readImported(directory, this.#options.wall())
    const pem = `${key}${chain}`
    const same =
      this.#newest !== null && origin?.imported === directory && readFileSync(this.#newest.file, 'utf8') === pem
    return same ? null : this.#keep(pem, authority, wish)
  }

  async #keep(pem: string, authority: string, wish: TransitWish): Promise<CertificateOrigin> {
    const { directory } = this.#options
    await makePrivateDirectory(directory)
    const before = this.#newest
    const number = (certificateNumbers(directory)[0] ?? 0) + 1
    const file = certificateFile(directory, number)
    // Engines that serve the one before are still to be accepted, and the other way round.
    const older = before === null ? '' : firstCertificates(readFileSync(before.authorityFile, 'utf8'), authority)
    await writeFile(authorityOf(file), `${authority.trim()}\n${older}`, { mode: 0o600 })
    await writeFile(`${file}.new`, pem, { mode: 0o600 })
    await rename(`${file}.new`, file)
    this.#newest = this.#kept()[0] ?? null
    for (const old of certificateNumbers(directory).slice(NUMBERS_KEPT)) {
      await rm(certificateFile(directory, old), { force: true })
      await rm(authorityOf(certificateFile(directory, old)), { force: true })
    }
    return { number, renewal: wish.renewal, imported: wish.imported, told: before === null }
  }

  /** Those that are there, the newest first; a damaged one is none. */
  #kept(): readonly ServedCertificate[] {
    return certificateNumbers(this.#options.directory).flatMap((number) => {
      const certificate = this.#read.get(number) ?? readCertificate(this.#options.directory, number)
      if (certificate === null) return []
      this.#read.set(number, certificate)
      return [certificate]
    })
  }

  /** Nobody needs its keys any more: the group is gone, or has no encryption in transit now. */
  async remove(): Promise<void> {
    this.#newest = null
    this.#read.clear()
    this.#lookedFor = ''
    await rm(this.#options.directory, { recursive: true, force: true })
  }
}

function readCertificate(directory: string, number: number): ServedCertificate | null {
  const file = certificateFile(directory, number)
  try {
    const x509 = new X509Certificate(certificateIn(readFileSync(file, 'utf8')))
    const names = (x509.subjectAltName ?? '').split(', ').map((name) => name.replace(/^[^:]*:/, ''))
    const { fingerprint256, validFromDate: notBefore, validToDate: notAfter } = x509
    return {
      ...{ number, file, authorityFile: authorityOf(file), fingerprint256 },
      ...{ names: new Set(names), notBefore, notAfter },
    }
  } catch {
    return null
  }
}

/** When it is to be renewed. Milliseconds, wall clock. */
const dueAt = ({ notBefore, notAfter }: ServedCertificate): number =>
  notBefore.getTime() + (notAfter.getTime() - notBefore.getTime()) * RENEW_AFTER

const isDue = (certificate: ServedCertificate, now: number): boolean => now >= dueAt(certificate)

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/

/** Behind the key: a key and a certificate are one file. */
const certificateIn = (pem: string): string => CERTIFICATE.exec(pem)?.[0] ?? ''

/** The first certificate in `pem`, unless `other` has it. */
function firstCertificates(pem: string, other: string): string {
  const first = certificateIn(pem)
  return first === '' || other.includes(first) ? '' : `${first}\n`
}
