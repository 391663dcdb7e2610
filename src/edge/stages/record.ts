//! The end of every request: what it held is let go, and it is counted, logged and, when asked for, explained.
import { leaveFlight } from '../leaving.ts'
import { stage, to } from '../stage.ts'

export const record = stage({
  name: to.record,
  next: [to.done],
  run(x, edge) {
    x.stale?.release()
    x.part?.release()
    if (x.heldBody !== null) edge.fieldBodies.release(x.heldBody)
    if (x.flight !== null) {
      if (x.leads) x.flight.decide('failed')
      leaveFlight(x)
    }
    edge.record(x)
    return to.done
  },
})
