//! The task that makes ACM's certificates so: has the requested ones issued, renews those in use well before their end, sets
//! EXPIRED, and announces what is about to expire, once a day, as ACM does to EventBridge. It is run often and does little.
import { setTimeout as sleep } from 'node:timers/promises'
import { type CertificateRecord, DAYS_BEFORE_EXPIRY, isCovered, type RequestedKey } from '../../domain/certificates.ts'
import { checkMaterial } from '../../lib/ca/certificate-material.ts'
import type { Clock } from '../../lib/clock.ts'
import { materialOf } from '../../services/acm/import-certificate.ts'
import { putMaterial, usage } from '../../services/acm/lookup.ts'
import type { Kind } from '../../state/kinds.ts'
import type { State, Transaction } from '../../state/state.ts'
import type { PokedTask } from '../control.ts'
import type { Issuer, IssueStep } from '../issuers/issuer.ts'
import {
  afterFailure,
  afterIssue,
  afterRefusal,
  afterTime,
  afterWait,
  dayOf,
  expiryToAnnounce,
  isStepDue,
} from '../plan/acm-certificates.ts'
import type { Task } from '../reconciler.ts'

/** Kinds whose commits poke this task: `distribution`, for only certificates in use are renewed. */
const KINDS: readonly Kind[] = ['certificate', 'certificate-account', 'distribution']

const PERIOD_MS = 1_000
/** An order that goes on this soon is waited for: an authority answers within a second. Milliseconds. */
const SOON_MS = 600
/** Steps of one run; what comes meanwhile waits for the next. */
const TURNS_MAX = 20
/** Orders that are worked on at a time. */
const AT_ONCE = 4

export interface AcmCertificatesOptions {
  readonly state: State
  readonly clock: Clock
  readonly issuer: Issuer
  /** One line for the operator: a sentence, or an event as JSON. */
  readonly log: (line: string) => void
}

export const acmCertificatesTask = (options: AcmCertificatesOptions): PokedTask => ({
  task: taskOf(options),
  kinds: KINDS,
})

function taskOf(options: AcmCertificatesOptions): Task {
  return {
    name: 'acm-certificates',
    periodMs: PERIOD_MS,
    async run() {
      const done = await age(options)
      for (let turn = 0; turn < TURNS_MAX; turn++) {
        done.push(...(await advanceDue(options)))
        const soonMs = await nextStepMs(options)
        if (soonMs === null || soonMs > SOON_MS) break
        await sleep(soonMs)
      }
      return done
    },
  }
}

async function advanceDue(options: AcmCertificatesOptions): Promise<string[]> {
  const now = options.clock.now()
  const due = (await options.state.list('certificate')).map(({ doc }) => doc).filter((doc) => isStepDue(doc, now))
  const done: string[] = []
  for (let at = 0; at < due.length; at += AT_ONCE) {
    const batch = due.slice(at, at + AT_ONCE).map((record) => advance(record, options))
    done.push(...(await Promise.all(batch)).flat())
  }
  return done
}

/** Milliseconds until the next step of any order; null when there is none. */
async function nextStepMs({ state, clock }: AcmCertificatesOptions): Promise<number | null> {
  const next = (await state.list('certificate')).flatMap(({ doc }) => doc.issuance?.nextAt ?? [])
  return next.length === 0 ? null : Math.max(0, Math.min(...next.map(Date.parse)) - clock.now())
}

/** What time has brought, in one commit; none when it has brought nothing. */
async function age(options: AcmCertificatesOptions): Promise<string[]> {
  const { state } = options
  if ((await changesOf(options, state)).length === 0) return []
  const changes = await state.transact(async (tx) => {
    const found = await changesOf(options, tx)
    for (const { after } of found) await tx.put('certificate', after.arn, after)
    return found
  })
  for (const { event } of changes) if (event !== null) options.log(JSON.stringify(event))
  return changes.flatMap(({ said }) => said)
}

async function changesOf({ clock }: AcmCertificatesOptions, reader: Pick<State, 'list' | 'get'>) {
  const records = await reader.list('certificate')
  if (records.length === 0) return []
  const users = await usage(reader)
  const daysBefore = (await reader.get('certificate-account', 'local'))?.doc.daysBeforeExpiry ?? DAYS_BEFORE_EXPIRY
  const now = clock.now()
  return records.flatMap(({ doc }) => {
    const isInUse = users.has(doc.arn)
    const aged = afterTime(doc, isInUse, now)
    const left = expiryToAnnounce(aged, daysBefore, now)
    const after: CertificateRecord = left === null ? aged : { ...aged, expiryEventOn: dayOf(now) }
    if (after === doc) return []
    const isOver = after.status === 'EXPIRED' && doc.status !== 'EXPIRED'
    const event = isOver
      ? eventOf('ACM Certificate Expired', after, isInUse, now, {})
      : left === null
        ? null
        : eventOf('ACM Certificate Approaching Expiration', after, isInUse, now, { DaysToExpiry: left })
    return [{ after, event, said: saidOf(doc, after) }]
  })
}

/** The shape that ACM gives to EventBridge. */
function eventOf(type: string, record: CertificateRecord, isInUse: boolean, now: number, detail: object) {
  const [, , , region, account] = record.arn.split(':')
  return {
    time: new Date(now).toISOString(),
    event: 'acm',
    'detail-type': type,
    source: 'aws.acm',
    account,
    region,
    resources: [record.arn],
    detail: {
      ...detail,
      CommonName: record.domainName,
      CertificateType: record.type,
      InUse: isInUse,
      Exported: record.exportedAt !== undefined,
    },
  }
}

function saidOf(before: CertificateRecord, after: CertificateRecord): string[] {
  if (after.status !== before.status) return [`certificate of ${after.domainName}: ${after.status}`]
  if (after.issuance !== before.issuance) return [`certificate of ${after.domainName}: its renewal begins`]
  return []
}

/** One step of an order, and what came of it written down, unless the certificate was deleted or changed meanwhile. */
async function advance(record: CertificateRecord, options: AcmCertificatesOptions): Promise<string[]> {
  const { state, clock, log } = options
  const outcome = await stepOf(record, options)
  return state.transact(async (tx) => {
    const current = (await tx.get('certificate', record.arn))?.doc
    const issuance = current?.issuance
    if (current === undefined || issuance === undefined || issuance.startedAt !== record.issuance?.startedAt) return []
    const now = clock.now()
    const of = `certificate of ${record.domainName}`
    if (outcome instanceof Error) {
      await tx.put('certificate', record.arn, afterFailure(current, issuance, outcome.message, now, Math.random()))
      // An authority that stays down is told once, not at each attempt.
      if (issuance.problem !== outcome.message) log(`${of}: ${outcome.message}; it is tried again`)
      return [`${of}: failed, ${outcome.message}`]
    }
    return write(tx, current, outcome, options, now)
  })
}

async function write(
  tx: Transaction,
  current: CertificateRecord,
  outcome: IssueStep,
  { clock, log }: AcmCertificatesOptions,
  now: number,
): Promise<string[]> {
  const { issuance } = current
  const of = `certificate of ${current.domainName}`
  if (issuance === undefined) return []
  switch (outcome.kind) {
    case 'issued': {
      const checked = checkMaterial(outcome, { now, wall: clock.wall() })
      await putMaterial(tx, afterIssue(current, materialOf(checked), now))
      return [`${of}: issued, valid until ${checked.facts.notAfter.toISOString()}`]
    }
    case 'waiting':
      await tx.put('certificate', current.arn, afterWait(current, issuance, outcome, now))
      return [`${of}: ${outcome.why}`]
    case 'failed':
      await tx.put('certificate', current.arn, afterRefusal(current, outcome.reason, now))
      log(`${of}: ${issuance.purpose === 'renewal' ? 'its renewal' : 'its request'} failed: ${outcome.why}`)
      return [`${of}: refused, ${outcome.why}`]
  }
}

/** What the issuer says, or what went wrong with it, or with what it issued. */
async function stepOf(
  record: CertificateRecord,
  { issuer, clock }: AcmCertificatesOptions,
): Promise<IssueStep | Error> {
  try {
    const step = await issuer.step({
      arn: record.arn,
      names: record.names,
      keyAlgorithm: record.keyAlgorithm as RequestedKey,
      validationMethod: record.request?.validationMethod ?? 'DNS',
      purpose: record.issuance?.purpose ?? 'first',
      memory: record.issuance?.memory,
    })
    if (step.kind !== 'issued') return step
    const { facts } = checkMaterial(step, { now: clock.now(), wall: clock.wall() })
    const missing = record.names.find((name) => !isCovered(name, facts.names))
    return missing === undefined ? step : new Error(`the issuer left out ${missing}`)
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
