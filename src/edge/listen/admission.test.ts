import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { handClock } from '../../../test/support/hand-clock.ts'
import { Admission, type Admitted, sourceKey } from './admission.ts'
import { DropReport, REPORT_EVERY_MS } from './drop-report.ts'

const BOUNDS = {
  ...{ connections: 10, handshakes: 6, connectionsPerAddress: 4, handshakesPerAddress: 2 },
  ...{ connectionsPerLoopbackAddress: 9, handshakesPerLoopbackAddress: 5 },
  relievedAfterMs: 1_000,
}

const taken = (place: Admitted | string): Admitted => {
  assert.ok(typeof place === 'object', String(place))
  return place
}

test('one address has a share of the handshakes and connections, and leaves the rest to others', () => {
  const admission = new Admission(BOUNDS)
  const first = taken(admission.admit('192.0.2.1', true))
  taken(admission.admit('192.0.2.1', true))
  assert.equal(admission.admit('192.0.2.1', true), 'address-handshakes')
  taken(admission.admit('192.0.2.2', true))
  first.settled()
  taken(admission.admit('192.0.2.1', true))
  taken(admission.admit('192.0.2.1', false))
  assert.equal(admission.admit('192.0.2.1', false), 'address-connections')
  first.left()
  taken(admission.admit('192.0.2.1', false))
  // One /64 is one address.
  taken(admission.admit('2001:db8::1', true))
  taken(admission.admit('2001:db8:0:0:1::2', true))
  assert.equal(admission.admit('2001:db8::3', true), 'address-handshakes')
  taken(admission.admit('2001:db8:0:1::3', true))
  assert.equal(admission.admit('198.51.100.1', true), 'handshakes')
  taken(admission.admit('198.51.100.1', false))
  taken(admission.admit('198.51.100.1', false))
  assert.equal(admission.admit('198.51.100.1', false), 'connections')
})

test('this host has a larger share, trusted proxies have no bounds, and a proxy names whose share it is', () => {
  const admission = new Admission(
    { ...BOUNDS, connections: 30, handshakes: 30 },
    { isExempt: (address) => address === '10.0.0.1' },
  )
  for (let n = 0; n < 5; n++) taken(admission.admit('127.0.0.1', true))
  assert.equal(admission.admit('127.0.0.1', true), 'address-handshakes')
  for (let n = 0; n < 8; n++) taken(admission.admit('10.0.0.1', true))
  const places = Array.from({ length: 3 }, () => taken(admission.admit(null, true)))
  assert.deepEqual(
    places.map((place) => place.of('203.0.113.1')),
    [null, null, 'address-handshakes'],
  )
  for (const place of places) place.left()
  assert.equal(taken(admission.admit(null, true)).of('203.0.113.1'), null)
})

test('whatever comes and goes, nothing is left when all have gone', () => {
  const steps = fc.array(fc.tuple(fc.nat(3), fc.nat(4), fc.boolean()), { maxLength: 60 })
  fc.assert(
    fc.property(steps, (all) => {
      const admission = new Admission(BOUNDS)
      const open: Admitted[] = []
      for (const [what, which, opening] of all) {
        const place = open[which % Math.max(open.length, 1)]
        if (what === 0) place?.settled()
        else if (what === 1 && place !== undefined) open.splice(open.indexOf(place), 1)[0]?.left()
        else {
          const next = admission.admit(which === 4 ? null : `192.0.2.${which}`, opening)
          if (typeof next === 'object') open.push(next)
        }
        assert.ok(open.length <= BOUNDS.connections)
      }
      for (const place of open) place.left()
      for (let n = 0; n < BOUNDS.handshakes; n++) taken(admission.admit(`198.51.100.${n}`, true))
      assert.equal(admission.admit('198.51.100.99', true), 'handshakes')
    }),
  )
})

test('an address of IPv6 is known by its /64', () => {
  assert.equal(sourceKey('192.0.2.1'), '192.0.2.1')
  assert.equal(sourceKey('2001:db8:1:2:3:4:5:6'), sourceKey('2001:db8:1:2::9'))
  assert.notEqual(sourceKey('2001:db8:1:2::9'), sourceKey('2001:db8:1:3::9'))
})

test('the operator hears of the first refused connection at once, of all others once a minute', () => {
  const clock = handClock()
  const lines: string[] = []
  const report = new DropReport(clock, (line) => lines.push(line))
  report.dropped('address-handshakes', '192.0.2.1')
  assert.equal(lines.length, 1)
  for (let n = 0; n < 1_000; n++) report.dropped(n % 2 === 0 ? 'connections' : 'proxy-header', '192.0.2.2')
  assert.equal(lines.length, 1)
  clock.forward(REPORT_EVERY_MS)
  report.flush()
  report.flush()
  assert.equal(lines.length, 2)
  assert.match(
    lines[1] as string,
    /500 over the connections that a worker takes \(192\.0\.2\.2\), 500 without the PROXY/,
  )
})
