import assert from 'node:assert/strict'
import { test } from 'node:test'
import { handClock } from '../../test/support/hand-clock.ts'
import { Brake } from './brake.ts'

function braked() {
  const clock = handClock()
  const waiting: { ms: number; end: () => void }[] = []
  const events: string[] = []
  const wait = (ms: number) => new Promise<void>((end) => void waiting.push({ ms, end }))
  const brake = new Brake(clock, wait, (address, failures) => void events.push(`${address} ${failures}`))
  /** Fails; does not wait for what is held back. */
  const fail = (address: string, times = 1) => {
    for (let n = 0; n < times; n++) void brake.failed(address)
  }
  return { brake, clock, waiting, events, fail }
}

test('ten are free, then each waits twice as long, up to 3 s; a minute without one forgets all', async () => {
  const { clock, waiting, events, fail } = braked()
  fail('10.0.0.1', 10)
  assert.equal(waiting.length, 0)
  for (let n = 0; n < 9; n++) {
    fail('10.0.0.1')
    waiting.at(-1)!.end()
    await Promise.resolve()
    await Promise.resolve()
  }
  assert.deepEqual(
    waiting.map(({ ms }) => ms),
    [50, 100, 200, 400, 800, 1600, 3000, 3000, 3000],
  )
  assert.deepEqual(events, ['10.0.0.1 11'])
  fail('10.0.0.2')
  assert.equal(waiting.length, 9, 'another address is another matter')
  clock.forward(60_000)
  fail('10.0.0.1')
  assert.equal(waiting.length, 9)
})

test('while eight wait, nothing else of the address is looked at; a /64 is one address', async () => {
  const { brake, waiting, fail } = braked()
  fail('2001:db8:0:1::1', 10)
  for (let host = 1; host <= 8; host++) {
    assert.ok(brake.admits(`2001:db8:0:1:ffff::${host}`))
    fail(`2001:db8:0:1::${host}`)
  }
  assert.ok(!brake.admits('2001:db8:0:1::9'))
  assert.ok(brake.admits('2001:db8:0:2::9'))
  assert.ok(brake.admits('127.0.0.1'))
  fail('2001:db8:0:1::1', 5)
  assert.equal(waiting.length, 8, 'no more are held')
  waiting[0]!.end()
  await Promise.resolve()
  await Promise.resolve()
  assert.ok(brake.admits('2001:db8:0:1::9'))
})

test('while refusals of many addresses wait, none guesses without waiting, and who has guessed nothing comes in', () => {
  const { brake, waiting, clock, fail } = braked()
  fail('10.0.1.1', 9)
  fail('10.0.1.2', 10)
  for (let host = 1; host <= 8; host++) fail(`10.0.0.${host}`, 18)
  assert.equal(waiting.length, 64)
  assert.ok(brake.admits('10.0.1.1'), 'a tenth is free')
  assert.ok(!brake.admits('10.0.1.2'), 'its refusal could not be held')
  assert.ok(brake.admits('10.0.1.3'))
  clock.forward(60_000)
  assert.ok(brake.admits('10.0.1.2'))
})

test('an IPv4 address that comes mapped is the same', () => {
  const { waiting, fail } = braked()
  fail('::ffff:10.0.0.1', 10)
  fail('10.0.0.1')
  assert.equal(waiting.length, 1)
})
