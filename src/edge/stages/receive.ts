//! The request gets its name.
import { stage, to } from '../stage.ts'

export const receive = stage({
  name: to.receive,
  next: [to.acmeChallenge, to.matchDistribution],
  run(x, edge) {
    // A peer's question comes with the name that the viewer's request has.
    if (x.peer === null) x.requestId = edge.ids.next()
    return x.snapshot.challenges.size > 0 && x.peer === null ? to.acmeChallenge : to.matchDistribution
  },
})
