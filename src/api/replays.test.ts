import assert from 'node:assert/strict'
import { test } from 'node:test'
import { handClock } from '../../test/support/hand-clock.ts'
import { Replays } from './replays.ts'

const answer = (status: number, body = 'x') => ({ status, headers: {}, body })

async function again(replays: Replays, digest: string, until = 100) {
  const beginning = replays.begin(digest, until)
  return beginning.kind === 'again' ? ((await beginning.outcome)?.body ?? null) : beginning.kind
}

test('the first answer is given again until its signature ends; failures and secrets are not', async () => {
  const clock = handClock()
  const replays = new Replays(clock)
  assert.equal(await again(replays, 'a'), 'first')
  const waiting = again(replays, 'a')
  replays.end('a', answer(200, 'made'), true)
  assert.deepEqual([await waiting, await again(replays, 'a')], ['made', 'made'])

  assert.equal(await again(replays, 'failed'), 'first')
  const told = again(replays, 'failed')
  replays.end('failed', answer(400, 'no'), true)
  assert.deepEqual([await told, await again(replays, 'failed')], ['no', 'first'])

  assert.equal(await again(replays, 'secret'), 'first')
  replays.end('secret', answer(201, 'the secret'), false)
  assert.equal(await again(replays, 'secret'), null)

  assert.equal(await again(replays, 'large'), 'first')
  replays.end('large', answer(200, 'x'.repeat(300 * 1024)), true)
  assert.equal(await again(replays, 'large'), null, 'known, and too large to keep')

  clock.forward(101)
  assert.equal(await again(replays, 'a', 200), 'first')
})

test('what is remembered is bounded: none is forgotten before its time, new ones wait', async () => {
  const clock = handClock()
  const replays = new Replays(clock, 2)
  assert.equal(await again(replays, 'a', 10), 'first')
  assert.equal(await again(replays, 'b', 20), 'first')
  assert.equal(await again(replays, 'c', 30), 'full')
  clock.forward(11)
  assert.equal(await again(replays, 'c', 30), 'first')
  assert.equal(await again(replays, 'd', 30), 'full')
})
