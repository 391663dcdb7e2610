//! The lines of a saved snapshot (disk.ts): a head, the documents in pieces, then what changed later. JSON, so that a
//! person can read it.
import { readFile } from 'node:fs/promises'
import type { ChallengeDoc } from '../../domain/challenge.ts'
import type { DistributionDoc } from '../../domain/distribution.ts'
import type { WebAclDoc } from '../../domain/waf/web-acl.ts'
import { type Packed, packed, unpacked } from '../feed-packing.ts'
import type { WorkerIdentity } from '../feed-protocol.ts'

export interface SavedSnapshot {
  readonly revision: number
  readonly distributions: readonly DistributionDoc[]
  /** The workers that shared the POP: without control they go on as one cache. */
  readonly workers: readonly WorkerIdentity[]
  /** POPs and regional edge caches that an operator has taken down; absent for none. */
  readonly down?: readonly string[] | undefined
  /** What ACME servers may ask for: an edge that comes back hears only of what is newer. Absent for none. */
  readonly challenges?: readonly ChallengeDoc[] | undefined
  readonly webAcls?: readonly WebAclDoc[] | undefined
}

interface Head {
  readonly format: number
  readonly revision: number
  readonly workers: readonly WorkerIdentity[]
  readonly down?: readonly string[] | undefined
  readonly challenges?: readonly ChallengeDoc[] | undefined
  readonly webAcls?: readonly WebAclDoc[] | undefined
  /** Documents of the pieces that follow. */
  readonly documents: number
}

export interface SavedChange {
  readonly revision: number
  /** Absent when they are the same as before. */
  readonly workers?: readonly WorkerIdentity[] | undefined
  readonly down?: readonly string[] | undefined
  readonly challenges?: readonly ChallengeDoc[] | undefined
  readonly webAcls?: readonly WebAclDoc[] | undefined
  readonly changed: readonly DistributionDoc[]
  /** Ids. */
  readonly gone: readonly string[]
}

/** A file of another format is as good as none, but for the one that was a single document. */
const FORMAT = 3
const FORMAT_OF_ONE_DOCUMENT = 2
/** Distributions of one line: some 200 KB where each has 25 behaviors. */
const PIECE_DOCUMENTS = 32

const lineOf = (document: unknown): string => `${JSON.stringify(document)}\n`

export function headLine({ revision, workers, down, challenges, webAcls, distributions }: SavedSnapshot): string {
  const documents = distributions.length
  return lineOf({ format: FORMAT, revision, workers, down, challenges, webAcls, documents } satisfies Head)
}

export function* pieceLines(documents: readonly DistributionDoc[]): Generator<string> {
  for (let from = 0; from < documents.length; from += PIECE_DOCUMENTS) {
    yield lineOf(packed(documents.slice(from, from + PIECE_DOCUMENTS)))
  }
}

export function changeLine({ changed, ...rest }: SavedChange): string {
  const { shared, distributions } = packed(changed)
  return lineOf({ ...rest, shared, changed: distributions })
}

/** Null when there is none, or none that can be read: the feed will bring a new one. */
export async function loadSnapshot(file: string): Promise<SavedSnapshot | null> {
  try {
    return readLines((await readFile(file, 'utf8')).split('\n'))
  } catch {
    return null
  }
}

/** @throws Error when a line that must be whole is not */
function readLines(lines: readonly string[]): SavedSnapshot | null {
  const head = JSON.parse(lines[0] ?? '') as Head & Partial<SavedSnapshot>
  if (!Number.isInteger(head.revision)) return null
  if (head.format === FORMAT_OF_ONE_DOCUMENT) return ofOneDocument(head)
  if (head.format !== FORMAT) return null
  const documents = new Map<string, DistributionDoc>()
  let at = 1
  while (documents.size < head.documents) {
    const { shared, distributions } = JSON.parse(lines[at++] ?? '') as Packed
    for (const document of distributions) documents.set(document.id, unpacked(document, shared))
  }
  let { revision, workers, down, challenges, webAcls } = head
  // What is behind the last line break was cut off.
  for (; at < lines.length - 1; at++) {
    const change = JSON.parse(lines[at] ?? '') as SavedChange & Pick<Packed, 'shared'>
    for (const id of change.gone) documents.delete(id)
    for (const document of change.changed) documents.set(document.id, unpacked(document, change.shared))
    revision = change.revision
    workers = change.workers ?? workers
    down = change.down ?? down
    challenges = change.challenges ?? challenges
    webAcls = change.webAcls ?? webAcls
  }
  const given = {
    ...(down === undefined ? {} : { down }),
    ...(challenges === undefined ? {} : { challenges }),
    ...(webAcls === undefined ? {} : { webAcls }),
  }
  return { revision, distributions: [...documents.values()], workers, ...given }
}

function ofOneDocument({ revision, workers, distributions }: Head & Partial<SavedSnapshot>): SavedSnapshot | null {
  return Array.isArray(distributions) ? { revision, distributions, workers } : null
}
