//! The task of trust stores: reads the bundle of each one that waits for it, and says whether it is good. A new bundle is a
//! change of the distributions that verify with it: they are `InProgress` until every edge does.
import { QUOTAS } from '../../domain/quotas.ts'
import type { TrustStoreRecord } from '../../domain/records.ts'
import { type Bundle, readBundle } from '../../lib/ca/authority-bundle.ts'
import type { Clock } from '../../lib/clock.ts'
import { distributionsWithTrustStore } from '../../services/cloudfront/viewer-mtls.ts'
import type { Kind } from '../../state/kinds.ts'
import type { State, Transaction } from '../../state/state.ts'
import type { Task } from '../reconciler.ts'
import type { Stores } from '../stores/stores.ts'

/** Kinds whose commits are to poke this task. */
const TRUST_STORE_KINDS: readonly Kind[] = ['trust-store']

const PERIOD_MS = 30_000
/** Longest wait for a bundle. Milliseconds. */
const READ_MS = 15_000

export interface TrustStoresOptions {
  readonly state: State
  readonly stores: Stores
  readonly clock: Clock
  /** Ends a reading that is under way. */
  readonly signal: AbortSignal
}

export function trustStoresTask(options: TrustStoresOptions): { readonly task: Task; readonly kinds: readonly Kind[] } {
  const task: Task = {
    name: 'trust-stores',
    periodMs: PERIOD_MS,
    async run() {
      const waiting = (await options.state.list('trust-store')).filter(({ doc }) => doc.status === 'pending')
      const settled = await Promise.all(waiting.map(({ doc }) => settle(doc, options)))
      return settled.flatMap((line) => line ?? [])
    },
  }
  return { task, kinds: TRUST_STORE_KINDS }
}

async function settle(record: TrustStoreRecord, options: TrustStoresOptions): Promise<string | null> {
  const bundle = await read(record, options)
  // What ends with control is read again by the next one.
  if (options.signal.aborted) return null
  return options.state.transact(async (tx) => {
    const current = (await tx.get('trust-store', record.id))?.doc
    if (current?.status !== 'pending' || current.changedRevision !== record.changedRevision) return null
    if ('problem' in bundle) {
      const { bucket, key } = current.source
      const reason = `The CA bundle ${key} in the bucket ${bucket} cannot be used: ${bundle.problem}.`
      await tx.put('trust-store', record.id, { ...current, status: 'failed', reason })
      return `trust store ${record.id} has failed: ${bundle.problem}`
    }
    const { certificates } = bundle
    await tx.put('trust-store', record.id, { ...current, status: 'active', certificates })
    if (certificates.join() !== current.certificates.join()) await redeploy(tx, record.id)
    return `trust store ${record.id} is active with ${certificates.length} certificates`
  })
}

async function redeploy(tx: Transaction, id: string): Promise<void> {
  const distributions = (await tx.list('distribution')).map(({ doc }) => doc)
  for (const user of distributionsWithTrustStore(distributions, id)) {
    await tx.put('distribution', user.id, { ...user, status: 'InProgress', changedRevision: tx.revision })
  }
}

/** Never throws. */
async function read({ source }: TrustStoreRecord, { stores, clock, signal }: TrustStoresOptions): Promise<Bundle> {
  const limits = { bytes: QUOTAS.trustStoreBundleBytes, certificates: QUOTAS.trustStoreCertificates }
  const store = stores.of(source.bucket, source.region)
  if (store === null) return { problem: `no folder is named ${source.bucket}: start with --folder NAME=DIR` }
  try {
    const limited = AbortSignal.any([signal, AbortSignal.timeout(READ_MS)])
    const pieces: Buffer[] = []
    let bytes = 0
    for await (const piece of await store.read(source.key, limited, source.version)) {
      bytes += piece.length
      pieces.push(piece)
      // The rest is not read; what was read is too much already.
      if (bytes > limits.bytes) break
    }
    return readBundle(Buffer.concat(pieces), clock.wall(), limits)
  } catch (error) {
    const { name, message } = error as Error
    if (name === 'TimeoutError') return { problem: `it was not there within ${READ_MS / 1000} s` }
    // S3's errors have names that say more than their words.
    return { problem: name === 'Error' ? message : `${name}: ${message}` }
  }
}
