//! The task that makes ACM's certificates so: has the requested ones issued, renews those in use well before their end, sets
//! EXPIRED, and announces what is about to expire, once a day, as ACM does to EventBridge. It is run often and does little.
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type CertificateRecord,
  DAYS_BEFORE_EXPIRY,
  daysLeft,
  type Issuance,
  isCovered,
  type RequestedKey,
} from '../../domain/certificates.ts'
import { checkMaterial } from '../../lib/ca/certificate-material.ts'
import type { Clock } from '../../lib/clock.ts'
import { materialOf } from '../../services/acm/import-certificate.ts'
import { putMaterial, removeChallenges, usage, usersOf } from '../../services/acm/lookup.ts'
import type { Kind } from '../../state/kinds.ts'
import type { State } from '../../state/state.ts'
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
    for (const { after } of found) {
      await tx.put('certificate', after.arn, after)
      if (after.issuance === undefined) await removeChallenges(tx, after.arn)
    }
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
  const now = clock.now()
  const written = await state.transact(async (tx) => {
    const before = (await tx.get('certificate', record.arn))?.doc
    const issuance = before?.issuance
    if (before === undefined || issuance === undefined || issuance.startedAt !== record.issuance?.startedAt) return null
    const after = afterStep(before, issuance, outcome, clock)
    if (after.material === before.material) await tx.put('certificate', record.arn, after)
    else await putMaterial(tx, after)
    return { before, after, isInUse: (await usersOf(tx, record.arn)).length > 0 }
  })
  if (written === null) return []
  const { before, after, isInUse } = written
  const event = eventOfStep(before, after, isInUse, now)
  if (event !== null) log(JSON.stringify(event))
  // An authority that stays down is told once, not at each attempt.
  if (after.problem !== undefined && after.problem !== before.problem) {
    const what = before.issuance?.purpose === 'renewal' ? 'its renewal' : 'its request'
    log(`certificate of ${record.domainName}: ${what} failed: ${after.problem}`)
  }
  return [`certificate of ${record.domainName}: ${outcome instanceof Error ? outcome.message : saidOfStep(outcome)}`]
}

function afterStep(
  record: CertificateRecord,
  issuance: Issuance,
  outcome: IssueStep | Error,
  clock: Clock,
): CertificateRecord {
  const now = clock.now()
  if (outcome instanceof Error) return afterFailure(record, issuance, outcome.message, now, Math.random())
  switch (outcome.kind) {
    case 'issued':
      return afterIssue(record, materialOf(checkMaterial(outcome, { now, wall: clock.wall() })), now)
    case 'waiting':
      return afterWait(record, issuance, outcome, now)
    case 'failed':
      return afterRefusal(record, outcome.reason, outcome.why, now)
  }
}

/** What ACM tells EventBridge of issues, and of renewals that somebody must look after; the latter once for a problem. */
function eventOfStep(before: CertificateRecord, after: CertificateRecord, isInUse: boolean, now: number) {
  const isRenewal = before.issuance?.purpose === 'renewal'
  if (after.material !== before.material) {
    const Action = isRenewal ? 'RENEWAL' : 'ISSUANCE'
    return eventOf('ACM Certificate Available', after, isInUse, now, { Action, ...daysOf(after, now) })
  }
  if (!isRenewal || after.problem === undefined || after.problem === before.problem) return null
  const reason = { RenewalStatusReason: after.renewal?.reason ?? 'OTHER', Problem: after.problem }
  return eventOf('ACM Certificate Renewal Action Required', after, isInUse, now, { ...reason, ...daysOf(after, now) })
}

const daysOf = ({ material }: CertificateRecord, now: number) =>
  material === undefined ? {} : { DaysToExpiry: daysLeft(material.notAfter, now) }

const saidOfStep = (step: IssueStep): string => (step.kind === 'issued' ? 'issued' : step.why)

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
