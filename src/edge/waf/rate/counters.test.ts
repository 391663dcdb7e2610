import assert from 'node:assert/strict'
import { describe, it, type TestContext } from 'node:test'
import type { WorkerIdentity } from '../../feed-protocol.ts'
import type { RateRule, WafAnswer, WafQuestion } from '../peer-question.ts'
import { RateCounters } from './counters.ts'

const RULE: RateRule = { id: 'rule', limit: 10, windowMs: 60_000 }
const START = 1_800_000_000_000

type Counted = Exclude<WafQuestion, { readonly waf: 'claim' }>

/** Workers of one POP in this process; each has a clock that the test moves, and sockets that the test cuts. */
class Pop {
  now = START
  readonly workers: WorkerIdentity[] = []
  readonly counters = new Map<string, RateCounters>()
  readonly away = new Set<string>()
  asked = 0

  constructor(t: TestContext, count: number) {
    for (let at = 0; at < count; at++) this.add(`worker-${at}`)
    t.after(() => {
      for (const counters of this.counters.values()) counters.close()
    })
  }

  add(name: string): RateCounters {
    this.workers.push({ worker: name, pid: 1, version: '', pops: [], peerSocket: name })
    const counters = new RateCounters({
      name,
      now: () => this.now,
      workers: () => this.workers,
      ask: async ({ peerSocket }, question) => this.#deliver(peerSocket, question as Counted),
      flushMs: 1,
    })
    this.counters.set(name, counters)
    return counters
  }

  async #deliver(name: string, question: Counted): Promise<WafAnswer | null> {
    await null
    this.asked++
    if (this.away.has(name)) return null
    return JSON.parse(JSON.stringify(this.of(name).answer(JSON.parse(JSON.stringify(question)))))
  }

  of(name: string): RateCounters {
    return this.counters.get(name) as RateCounters
  }

  owner(key: string): string {
    const over = this.workers.find(({ worker }) =>
      this.of(worker)
        .keysOver(() => true, 10)
        .includes(key),
    )
    return over?.worker ?? ''
  }

  async until(condition: () => boolean): Promise<void> {
    for (let turns = 0; turns < 5_000 && !condition(); turns++) await new Promise((resolve) => setTimeout(resolve, 1))
    assert.ok(condition())
  }
}

describe('counters of rate-based rules', () => {
  it('of one worker let through the limit in the window, and not one more', (t) => {
    const pop = new Pop(t, 1)
    const counters = pop.of('worker-0')
    const results = Array.from({ length: 15 }, () => counters.hit(RULE, 'a'))
    assert.deepEqual(results, [...Array(10).fill(false), ...Array(5).fill(true)])
    assert.equal(counters.hit(RULE, 'b'), false)
    assert.equal(counters.hit({ ...RULE, id: 'other' }, 'a'), false)
    assert.deepEqual(
      counters.keysOver((id) => id === 'rule', 10),
      ['a'],
    )
    pop.now += 2 * RULE.windowMs
    assert.deepEqual(
      counters.keysOver(() => true, 10),
      [],
    )
    assert.equal(counters.hit(RULE, 'a'), false)
    assert.equal(pop.asked, 0)
  })

  it('of several workers add up: whatever worker a viewer comes to, the limit is of all of them', async (t) => {
    const pop = new Pop(t, 3)
    const names = pop.workers.map(({ worker }) => worker)
    for (const key of ['a', 'b', 'c', 'd', 'e']) {
      // 4 of 10 at each: none of them sees more than the limit by itself.
      for (const name of names) for (let at = 0; at < 4; at++) assert.equal(pop.of(name).hit(RULE, key), false)
      await pop.until(() => pop.owner(key) !== '')
    }
    // Asking does count; a viewer who goes on stays over.
    for (const name of names) await pop.until(() => pop.of(name).hit(RULE, 'a'))
    pop.now += 2 * RULE.windowMs
    for (const name of names) assert.equal(pop.of(name).hit(RULE, 'a'), false)
  })

  it('tell a worker that has seen nothing of a key that it is over', async (t) => {
    const pop = new Pop(t, 3)
    for (let at = 0; at < 11; at++) pop.of('worker-0').hit(RULE, 'a')
    await pop.until(() => pop.owner('a') !== '')
    const owner = pop.owner('a')
    const idle = pop.workers.map(({ worker }) => worker).find((name) => name !== owner && name !== 'worker-0') as string
    // The first look would count: nobody but the owner may have to say it.
    await pop.until(() => pop.of(idle).hit(RULE, 'a'))
    assert.deepEqual(
      pop.of(owner).keysOver(() => true, 10),
      ['a'],
    )
  })

  it('go on when the owner is away: by what each has seen, then with the next owner, told everything once', async (t) => {
    const pop = new Pop(t, 3)
    for (let at = 0; at < 11; at++) pop.of('worker-0').hit(RULE, 'probe')
    await pop.until(() => pop.owner('probe') !== '')
    const gone = pop.owner('probe')
    const [one, other] = pop.workers.map(({ worker }) => worker).filter((name) => name !== gone) as [string, string]
    pop.away.add(gone)
    // Each by itself.
    const passed = Array.from({ length: 20 }, () => pop.of(one).hit({ ...RULE, id: 'second' }, 'probe'))
    assert.equal(passed.filter((isOver) => !isOver).length <= 10, true)
    for (let at = 0; at < 6; at++) pop.of(one).hit({ ...RULE, id: 'third' }, 'probe')
    for (let at = 0; at < 6; at++) pop.of(other).hit({ ...RULE, id: 'third' }, 'probe')
    // Control tells that it is gone: somebody else owns its keys, and adds up what the two have seen.
    pop.workers.splice(
      pop.workers.findIndex(({ worker }) => worker === gone),
      1,
    )
    await pop.until(() => pop.of(one).hit({ ...RULE, id: 'third' }, 'other-key') === false && overOf(pop, one, other))
    const total = (name: string) => pop.of(name).keysOver((id) => id === 'third', 10)
    assert.deepEqual([...total(one), ...total(other)], ['probe'])
  })

  it('a worker that asks anew is not counted twice', async (t) => {
    const pop = new Pop(t, 1)
    const counters = pop.of('worker-0')
    const slice = Math.floor(START / (RULE.windowMs / 30))
    const question: Counted = {
      waf: 'counts',
      from: 'worker-9/1',
      reset: true,
      rules: [RULE],
      counts: [[0, 'a', slice, 9]],
    }
    for (let at = 0; at < 3; at++) assert.deepEqual(counters.answer(question), { over: [] })
    assert.equal(counters.hit(RULE, 'a'), false)
    assert.equal(counters.hit(RULE, 'a'), true)
  })

  it('a flood of keys stays within the memory that there is', (t) => {
    const pop = new Pop(t, 1)
    const counters = new RateCounters({
      name: 'worker-0',
      now: () => pop.now,
      workers: () => [],
      ask: async () => null,
      keysMax: 1_000,
    })
    for (let at = 0; at < 10; at++) counters.hit(RULE, 'heavy')
    for (let at = 0; at < 50_000; at++) counters.hit(RULE, `k${at}`)
    assert.deepEqual(counters.seen, { keys: 1_000, dropped: 49_001 })
    assert.equal(counters.hit(RULE, 'heavy'), true)
    // Rules that nobody uses any more give back what they have.
    pop.now += 10 * RULE.windowMs
    counters.hit({ ...RULE, id: 'new' }, 'a')
    assert.equal(counters.seen.keys, 1)
    counters.close()
  })
})

function overOf(pop: Pop, one: string, other: string): boolean {
  return [one, other].some((name) => pop.of(name).keysOver((id) => id === 'third', 10).length > 0)
}
