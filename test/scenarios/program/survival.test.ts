//! Who outlives whom: control, keeper and workers are killed in turn; what a new control finds, and what an end leaves.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { after, before, describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  cachefront,
  endAll,
  healthOf,
  type Installation,
  killed,
  newHome,
  pidOf,
  processesOf,
  up,
} from '../../support/program-installation.ts'

const TIMEOUT = { timeout: 120_000 }

/** Waits until `look` finds something; fails after a while. */
async function eventually<T>(what: string, look: () => Promise<T | null>): Promise<T> {
  for (let waited = 0; waited < 20_000; waited += 20) {
    const found = await look().catch(() => null)
    if (found !== null) return found
    await sleep(20)
  }
  throw new Error(`not seen: ${what}`)
}

const edgeStatus = async (edge: string): Promise<number> => (await fetch(`http://${edge}/`)).status

describe('an installation that loses a part', TIMEOUT, () => {
  let running: Installation

  before(async () => {
    running = await up(await newHome(), '--movable-clock', '--workers', '2')
  })
  after(async () => {
    assert.deepEqual(await endAll(running.home), [])
  })

  it('serves on without control, and a new control adopts keeper and workers as they are', async () => {
    const parts = ['keeper', 'worker-0', 'worker-1'] as const
    const before_ = await Promise.all(parts.map((part) => pidOf(running, part)))
    const advanced = await cachefront(running.home, 'clock', 'advance', '24h', '--json')
    assert.equal(JSON.parse(advanced.out).offsetMs, 86_400_000, advanced.err)
    await killed(running.control)
    assert.equal(await edgeStatus(running.edge), 403)

    const status = await cachefront(running.home, 'status')
    assert.equal(status.code, 1)
    assert.match(status.err, /does not answer/)

    const { api, edge } = running
    running = await up(running.home, '--movable-clock', '--workers', '2')
    assert.deepEqual([running.api, running.edge], [api, edge], 'free ports are kept')
    assert.deepEqual(await Promise.all(parts.map((part) => pidOf(running, part))), before_)
    // Time did not go back meanwhile.
    const again = await cachefront(running.home, 'clock', 'advance', '1h', '--json')
    assert.equal(JSON.parse(again.out).offsetMs, 90_000_000, again.err)
  })

  it('starts a killed worker again, at its address', async () => {
    const pid = await pidOf(running, 'worker-1')
    process.kill(pid, 'SIGKILL')
    const next = await eventually('another worker-1', async () => {
      const found = await pidOf(running, 'worker-1')
      const { status } = await healthOf(running.api)
      return status === 'ok' && found > 0 && found !== pid ? found : null
    })
    assert.notEqual(next, pid)
    assert.equal(await edgeStatus(running.edge), 403)
  })

  it('survives the death of control and keeper at once', async () => {
    const workers = await Promise.all(['worker-0', 'worker-1'].map((part) => pidOf(running, part)))
    const keeper = await pidOf(running, 'keeper')
    process.kill(keeper, 'SIGKILL')
    await killed(running.control)
    assert.equal(await edgeStatus(running.edge), 403)
    running = await up(running.home, '--movable-clock', '--workers', '2')
    assert.deepEqual(await Promise.all(['worker-0', 'worker-1'].map((part) => pidOf(running, part))), workers)
    assert.notEqual(await pidOf(running, 'keeper'), keeper)
  })

  it('gets a new keeper while control lives', async () => {
    const keeper = await pidOf(running, 'keeper')
    process.kill(keeper, 'SIGKILL')
    const next = await eventually('another keeper', async () => {
      const found = await pidOf(running, 'keeper')
      const { status } = await healthOf(running.api)
      return status === 'ok' && found > 0 && found !== keeper ? found : null
    })
    assert.notEqual(next, keeper)
    assert.equal(await edgeStatus(running.edge), 403)
  })
})

describe('the end of an installation', TIMEOUT, () => {
  it('SIGTERM drains, exits with 0 and leaves nothing where there are no caches', async () => {
    const home = await newHome()
    try {
      const { control } = await up(home)
      control.kill('SIGTERM')
      const [code] = await once(control, 'close')
      assert.equal(code, 0)
      assert.deepEqual(processesOf(home), [])
    } finally {
      await endAll(home)
    }
  })

  it('one Ctrl-C is one, though npm passes it on as well: drains, and says what it did', async () => {
    const home = await newHome()
    try {
      const { control } = await up(home)
      let said = ''
      let passedOn = false
      control.stdout?.on('data', (text: Buffer) => {
        said += text
        // Once: after "Stopped." nobody catches signals any more.
        if (said.startsWith('Stopping') && !passedOn) passedOn = control.kill('SIGINT')
      })
      control.kill('SIGINT')
      const [code] = await once(control, 'close')
      assert.deepEqual([code, said], [0, 'Stopping ... (again to end at once)\nStopped.\n'])
      assert.deepEqual(processesOf(home), [])
    } finally {
      await endAll(home)
    }
  })

  it('cachefront down ends all of it, also without control', async () => {
    const home = await newHome()
    try {
      const { control } = await up(home)
      const closed = once(control, 'close')
      const first = await cachefront(home, 'down')
      assert.deepEqual([first.code, first.out], [0, 'Stopped.\n'], first.err)
      assert.deepEqual((await closed)[0], 0)
      assert.deepEqual(processesOf(home), [])

      await killed((await up(home)).control)
      assert.ok(processesOf(home).length >= 2, 'keeper and worker live on')
      const second = await cachefront(home, 'down')
      assert.deepEqual([second.code, second.out], [0, 'Stopped.\n'], second.err)
      assert.deepEqual(processesOf(home), [])
    } finally {
      await endAll(home)
    }
  })

  it('the API can end it', async () => {
    const home = await newHome()
    try {
      const { control, api } = await up(home)
      const closed = once(control, 'close')
      const answer = await fetch(`${api}/_cachefront/stop`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: '{"engines":true}',
      })
      assert.equal(answer.status, 202)
      assert.equal((await closed)[0], 0)
      assert.deepEqual(processesOf(home), [])
    } finally {
      await endAll(home)
    }
  })
})
