//! The origin has taken up the viewer's WebSocket (spec/cloudfront.md 13.4): from here on bytes pass both ways, until one
//! side ends. The log line is written then.
import type { BreakOff } from '../../domain/result-types.ts'
import type { Flight } from '../cache/flight.ts'
import { tunnelHead } from '../delivery/tunnel-head.ts'
import type { TunnelEnd } from '../listen/tunnel.ts'
import { stage, to } from '../stage.ts'

const BREAK_OFF: Readonly<Record<TunnelEnd, BreakOff | null>> = {
  viewer: null,
  origin: null,
  idle: null,
  drain: null,
  'viewer-broke': 'ClientCommError',
  'origin-broke': 'OriginCommError',
}

export const tunnel = stage({
  name: to.tunnel,
  next: [to.record],
  async run(x, edge) {
    const { upgraded, headers } = x.flight as Flight
    x.status = 101
    x.result = x.detailed = 'Miss'
    x.firstByteAt = edge.clock.monotonic()
    // Asked for only where there is a connection to hand over; the fetch has brought the other one.
    if (upgraded === null || x.reply.tunnel === undefined) throw new Error('there is nothing to connect')
    const { end, received } = await x.reply.tunnel(tunnelHead(x, edge, headers), upgraded)
    x.tunnelBytes = received
    x.brokeOff = BREAK_OFF[end]
    x.watcher?.note('ended by', end)
    return to.record
  },
})
