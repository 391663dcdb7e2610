//! The task that keeps OCSP responses for the certificates that viewers are shown: asks their responders, believes what is
//! signed by who may sign it, and leaves it in files for the workers (lib/ca/staple-file.ts), anew at half its life.
//! Only `good` is kept. A certificate that is revoked gets no staple (nginx does likewise): viewers that look for themselves
//! find out, the others are not cut off by us, and the operator is told, loudly, until the certificate is another one.
import { X509Certificate } from 'node:crypto'
import type { DistributionConfig } from '@aws-sdk/client-cloudfront'
import type { CertificateMaterial, CertificateRecord, StaplingRecord } from '../../domain/certificates.ts'
import type { AddressGuard } from '../../edge/origin/guard.ts'
import { issuerOf, mustBeStapled, type OcspSubject, responderOf } from '../../lib/ca/ocsp-subject.ts'
import {
  type KeptStaple,
  readStaple,
  removeOtherStaples,
  removeStaple,
  stapleName,
  writeStaple,
} from '../../lib/ca/staple-file.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Kind } from '../../state/kinds.ts'
import type { State } from '../../state/state.ts'
import type { PokedTask } from '../control.ts'
import { newsOf, refreshAt, retryMs, shownToViewers, withStapling } from '../plan/ocsp.ts'

const KINDS: readonly Kind[] = ['certificate', 'distribution', 'tags']
const PERIOD_MS = 5_000
/** Responders that are asked at a time. */
const AT_ONCE = 8

export interface OcspOptions {
  readonly state: State
  readonly clock: Pick<Clock, 'wall'>
  /** Of the files. */
  readonly directory: string
  /** Which addresses may be asked. */
  readonly guard: AddressGuard
  /** Ends questions that are under way. */
  readonly signal: AbortSignal
  /** One line for the operator. */
  readonly problem: (message: string) => void
}

/** A certificate that viewers are shown and that names a responder. */
interface Stapled {
  readonly arn: string
  readonly domainName: string
  readonly serial: string
  /** Of its file. */
  readonly name: string
  readonly isRequired: boolean
  /** Null when nobody can be asked. */
  readonly subject: OcspSubject | null
  kept: KeptStaple | null
  isRevoked: boolean
  problem: string | undefined
  failures: number
  /** Milliseconds of the wall clock. */
  askAt: number
}

export const ocspTask = (options: OcspOptions): PokedTask => {
  const stapling = new Stapling(options)
  return { task: { name: 'ocsp', periodMs: PERIOD_MS, run: () => stapling.run() }, kinds: KINDS }
}

class Stapling {
  readonly #options: OcspOptions
  /** Null for one that names no responder. By what is served, so that a renewed certificate is another one. */
  #known = new Map<string, Stapled | null>()

  constructor(options: OcspOptions) {
    this.#options = options
  }

  async run(): Promise<readonly string[]> {
    const { state, clock, signal } = this.#options
    const records = (await state.list('certificate')).map(({ doc }) => doc)
    await this.#follow(await shown(records, state))
    const all = [...this.#known.values()].filter((one) => one !== null)
    const due = all.filter(({ askAt }) => askAt <= clock.wall())
    for (let at = 0; at < due.length && !signal.aborted; at += AT_ONCE) {
      await Promise.all(due.slice(at, at + AT_ONCE).map((one) => this.#ask(one)))
    }
    return signal.aborted ? [] : this.#note(all, records)
  }

  /** Brings the map to these records, and the files to the map. */
  async #follow(records: readonly CertificateRecord[]): Promise<void> {
    const known = new Map<string, Stapled | null>()
    for (const record of records) {
      const { material } = record
      if (material === undefined) continue
      const key = `${record.arn} ${material.serial} ${material.notBefore}`
      known.set(key, this.#known.get(key) ?? (await this.#stapledOf(record, material)))
    }
    this.#known = known
    await removeOtherStaples(this.#options.directory, new Set([...known.values()].flatMap((one) => one?.name ?? [])))
  }

  async #stapledOf(record: CertificateRecord, material: CertificateMaterial): Promise<Stapled | null> {
    const leaf = new X509Certificate(material.certificate)
    const url = responderOf(leaf)
    const isRequired = mustBeStapled(leaf)
    if (url === null && !isRequired) return null
    const issuer = issuerOf(leaf, certificatesOf(material.chain))
    const name = stapleName(leaf)
    const kept = await readStaple(this.#options.directory, name)
    const subject = url === null || issuer === undefined ? null : { leaf, issuer, url }
    return {
      ...{ arn: record.arn, domainName: record.domainName, serial: material.serial, name, isRequired, subject, kept },
      isRevoked: false,
      problem:
        subject !== null
          ? undefined
          : url === null
            ? 'it names no OCSP responder'
            : 'its chain does not have its issuer',
      failures: 0,
      askAt: subject === null ? Number.POSITIVE_INFINITY : kept === null ? 0 : refreshAt(kept),
    }
  }

  /** Never throws: what is wrong is the certificate's problem. */
  async #ask(one: Stapled): Promise<void> {
    const { clock, directory, guard, signal } = this.#options
    if (one.subject === null) return
    const [{ askResponder }, { ocspRequest, readOcspResponse }] = await loadAsking()
    try {
      const response = Buffer.from(await askResponder(one.subject.url, ocspRequest(one.subject), { guard, signal }))
      const fetchedAt = clock.wall()
      const { status, ...times } = readOcspResponse(response, one.subject, fetchedAt)
      if (status === 'unknown') throw new Error('it does not know the certificate')
      const kept = { response, ...times, fetchedAt }
      await (status === 'good' ? writeStaple(directory, one.name, kept) : removeStaple(directory, one.name)).catch(
        ({ message }: Error) => {
          throw new Error(`what it answers cannot be kept: ${message}`)
        },
      )
      one.kept = status === 'good' ? kept : null
      one.isRevoked = status === 'revoked'
      one.problem = one.isRevoked ? 'it is REVOKED, says its OCSP responder: replace it' : undefined
      one.failures = 0
      one.askAt = refreshAt(kept)
    } catch (error) {
      if (signal.aborted) return
      one.failures++
      one.askAt = clock.wall() + retryMs(one.failures)
      // What was said last of a revoked one still stands.
      if (!one.isRevoked) one.problem = `its OCSP responder ${one.subject.url}: ${(error as Error).message}`
    }
  }

  /** Writes down what is new, in one commit, and tells the operator. */
  async #note(all: readonly Stapled[], records: readonly CertificateRecord[]): Promise<readonly string[]> {
    const { state, clock, problem } = this.#options
    const now = clock.wall()
    const said = new Map(all.map((one) => [one.arn, stapling(one, now)]))
    const changesIn = (list: readonly CertificateRecord[]) =>
      list.flatMap((before) => {
        const after = withStapling(before, said.get(before.arn))
        return after === before ? [] : [{ before, after }]
      })
    if (changesIn(records).length === 0) return []
    const changes = await state.transact(async (tx) => {
      const current = await Promise.all(records.map(({ arn }) => tx.get('certificate', arn)))
      const found = changesIn(current.flatMap((stored) => stored?.doc ?? []))
      for (const { after } of found) await tx.put('certificate', after.arn, after)
      return found
    })
    return changes.map(({ before, after }) => {
      const news = newsOf(before.stapling, after.stapling)
      if (news !== null) problem(`certificate of ${after.domainName}: ${news}`)
      return `OCSP of ${after.domainName}: ${after.stapling?.goodUntil ?? after.stapling?.problem ?? 'none'}`
    })
  }
}

/** Takes some 100 ms of CPU: not at the start of an installation that has nobody to ask. */
const loadAsking = () => Promise.all([import('../responder.ts'), import('../../lib/ca/ocsp.ts')])

/** Certificates that some distribution shows to its viewers. */
async function shown(records: readonly CertificateRecord[], state: State): Promise<readonly CertificateRecord[]> {
  if (records.length === 0) return []
  const [distributions, tags] = await Promise.all([state.list('distribution'), state.list('tags')])
  const tagsOf = new Map(tags.map(({ id, doc }) => [id, doc.tags]))
  const arns = new Set(
    distributions.flatMap(({ doc }) => shownToViewers(doc.config as DistributionConfig, tagsOf.get(doc.arn) ?? {})),
  )
  return records.filter(({ arn }) => arns.has(arn))
}

function stapling({ serial, kept, isRevoked, problem, isRequired }: Stapled, now: number): StaplingRecord {
  const isGood = kept !== null && kept.nextUpdate > now
  return {
    ...{ serial, isRequired, status: isGood ? 'good' : isRevoked ? 'revoked' : 'none' },
    ...(isGood ? { goodUntil: new Date(kept.nextUpdate).toISOString() } : {}),
    ...(problem === undefined ? {} : { problem }),
  }
}

const certificatesOf = (pem: string): X509Certificate[] =>
  (pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map((one) => new X509Certificate(one))
