//! Which store a directory holds: the one that is there when its journal can be believed, else a new one in its place.
//! The segment files stay: the new store writes over them, for their records say that they belong to another one.
import type { Invalidations } from '../invalidation.ts'
import { hasSegments, setAside, type Unusable } from './directory.ts'
import { Journal, readJournal } from './journal.ts'
import { type JournalContent, newStoreHead, type StoreHead } from './journal-lines.ts'
import { type Shares, sharesOf } from './layout.ts'

export interface OpenedJournal {
  readonly journal: Journal
  readonly head: StoreHead
  readonly shares: Shares
  /** Nothing was kept from before. */
  readonly isNew: boolean
  /** Why what was there was not used; null when it was, or when there was nothing. */
  readonly setAside: Unusable | null
}

export interface OpeningParts {
  readonly directory: string
  readonly limitBytes: number
  /** Revision of the snapshot that the worker has, -1 for none: invalidations up to it will not be told again. */
  readonly savedRevision: number
  readonly invalidations: Invalidations
  readonly onTrouble: (error: Error | null) => void
}

/** Enters the invalidations of the store that is there. @throws the system's error */
export async function openJournal(parts: OpeningParts): Promise<OpenedJournal> {
  const { directory, limitBytes, savedRevision, invalidations, onTrouble } = parts
  const content = await readJournal(directory)
  const shares = sharesOf(limitBytes, content.kind === 'read' ? content.head.segmentBytes : null)
  const options = { bytesMax: shares.journalBytes, onTrouble }
  const why = await whyNot(content, shares, savedRevision, directory)
  if (content.kind === 'read' && why === null) {
    for (const entry of content.entries) invalidations.enter(entry)
    const journal = await Journal.continue(directory, content, options)
    return { journal, head: content.head, shares, isNew: false, setAside: null }
  }
  if (why !== null) await setAside(directory, why)
  const head = newStoreHead(shares.segmentBytes)
  return { journal: await Journal.begin(directory, head, options), head, shares, isNew: true, setAside: why }
}

async function whyNot(
  content: JournalContent,
  shares: Shares,
  savedRevision: number,
  directory: string,
): Promise<Unusable | null> {
  if (content.kind === 'none') return (await hasSegments(directory)) ? 'missing' : null
  if (content.kind === 'unusable') return content.trouble
  if (content.head.segmentBytes !== shares.segmentBytes) return 'other-size'
  return content.reached < savedRevision ? 'incomplete' : null
}
