//! The request's name and, when it may be asked for, the viewer's address from the explain headers.
import { stage, to } from '../stage.ts'

export const receive = stage({
  name: to.receive,
  next: [to.matchDistribution],
  run(x, edge) {
    if (x.peer !== null) return to.matchDistribution
    x.requestId = edge.ids.next()
    if (x.request.connection.loopback) x.viewerAddress = x.facts.viewerAddress ?? x.viewerAddress
    return to.matchDistribution
  },
})
