//! What the reconcilers need of the host's keeper. keeper-link.ts implements it over the keeper's socket; tests hand in
//! their own.
import type { GroupWish, KeeperSeen, WorkerWish } from '../keeper/protocol.ts'

/** A part of the wish that one task owns; the parts not given stay as they are. */
export interface WishPart {
  readonly workers?: readonly WorkerWish[]
  readonly groups?: readonly GroupWish[]
}

export interface KeeperPort {
  /** What the keeper reported last; null before the first report and while no keeper answers. */
  seen(): KeeperSeen | null
  /** Replaces a part of the wish and sends the whole, now or as soon as the keeper answers. */
  wish(part: WishPart): void
  /** Calls after each report, and with null when the connection is lost. Returns what ends it. */
  onSeen(listener: (seen: KeeperSeen | null) => void): () => void
}
