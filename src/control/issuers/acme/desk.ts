//! Where challenges are put up: in the state, from which every edge gets them (control/teller.ts), and what all live edges
//! have.
import { type ChallengeDoc, challengeId } from '../../../domain/challenge.ts'
import type { State } from '../../../state/state.ts'

export interface ChallengeDesk {
  /** These and no others are asked for on behalf of the certificate; resolves with the revision from which that holds. */
  set(certificateArn: string, challenges: readonly ChallengeDoc[]): Promise<number>
  /** True when every live edge has the revision, and there is one. */
  isEverywhere(revision: number): boolean
}

/** `acknowledged`: the revision that every live edge has; null while none lives. */
export function challengeDesk(state: State, acknowledged: () => number | null): ChallengeDesk {
  return {
    set: (certificateArn, challenges) =>
      state.transact(async (tx) => {
        const wanted = new Map(challenges.map((challenge) => [challengeId(challenge), challenge]))
        let revision = 0
        for (const { id, revision: writtenAt, doc } of await tx.list('challenge')) {
          if (doc.certificateArn !== certificateArn) continue
          // Written by an earlier step: edges may have it by now.
          if (wanted.delete(id)) revision = Math.max(revision, writtenAt)
          else await tx.delete('challenge', id)
        }
        for (const [id, challenge] of wanted) await tx.put('challenge', id, { ...challenge, certificateArn })
        return wanted.size > 0 ? tx.revision : revision
      }),
    isEverywhere: (revision) => (acknowledged() ?? -1) >= revision,
  }
}
