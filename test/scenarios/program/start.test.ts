//! Starting: ports, health, two on one machine, and every refusal in one line.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { rm, stat, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import {
  cachefront,
  endAll,
  FREE_PORTS,
  healthOf,
  type Installation,
  newHome,
  processesOf,
  up,
} from '../../support/program-installation.ts'

const TIMEOUT = { timeout: 90_000 }

describe('cachefront up', TIMEOUT, () => {
  let one: Installation

  before(async () => {
    one = await up(await newHome())
  })
  after(async () => {
    assert.deepEqual(await endAll(one.home), [])
  })

  it('is healthy at the addresses it tells when it says ready', async () => {
    const answer = await fetch(`${one.api}/_cachefront/health`)
    assert.equal(answer.status, 200)
    const health = (await answer.json()) as Awaited<ReturnType<typeof healthOf>>
    assert.equal(health.status, 'ok')
    assert.deepEqual(
      health.pops.map((pop) => pop.http),
      [one.edge],
    )
    assert.doesNotMatch(one.edge, /:0$/)
    assert.ok(one.printed.includes(one.api) && one.printed.includes(one.edge), one.printed)
    assert.match(one.printed, /\nready\n$/)
  })

  it('answers viewers: a name that no distribution has is refused by the edge itself', async () => {
    const answer = await new Promise<{ status: number | undefined; cache: unknown }>((resolve, reject) => {
      const call = request(`http://${one.edge}/`, { headers: { host: 'nobody.cloudfront.localhost' } }, (response) => {
        response.resume().on('end', () => resolve({ status: response.statusCode, cache: response.headers['x-cache'] }))
      })
      call.on('error', reject).end()
    })
    assert.deepEqual(answer, { status: 403, cache: 'Error from cloudfront' })
  })

  it('keeps its home to its user', async () => {
    for (const [file, mode] of [
      ['.', 0o700],
      ['state.db', 0o600],
      ['installation.json', 0o600],
    ] as const) {
      assert.equal((await stat(join(one.home, file))).mode & 0o777, mode, file)
    }
  })

  it('tells the client commands where it is', async () => {
    const status = await cachefront(one.home, 'status', '--json')
    assert.equal(status.code, 0, status.err)
    assert.equal(JSON.parse(status.out).health.status, 'ok')
    const caches = await cachefront(one.home, 'cache', 'list')
    assert.deepEqual([caches.code, caches.out], [0, 'No caches.\n'])
    const clock = await cachefront(one.home, 'clock', 'advance', '1h')
    assert.equal(clock.code, 1)
    assert.match(
      clock.err,
      /^cachefront: The clock cannot be moved: start with `cachefront up --movable-clock`[^\n]*\n$/,
    )
  })

  it('runs beside another one', async () => {
    const home = await newHome()
    try {
      const two = await up(home)
      assert.notEqual(two.api, one.api)
      assert.notEqual(two.edge, one.edge)
      assert.deepEqual([(await healthOf(one.api)).status, (await healthOf(two.api)).status], ['ok', 'ok'])
    } finally {
      assert.deepEqual(await endAll(home), [])
    }
  })

  it('refuses a second one on the same home, and names the first', async () => {
    const { code, err } = await cachefront(one.home, 'up', '--bare', ...FREE_PORTS)
    assert.equal(code, 1)
    assert.match(
      err,
      new RegExp(`^cachefront: Cachefront runs on ${one.home} already \\(process \\d+, API ${one.api}\\)[^\\n]*\\n$`),
    )
    assert.equal((await healthOf(one.api)).status, 'ok')
  })

  it('names a port that is in use, its holder, and how to choose another', async () => {
    const holder = createServer().listen(0, '127.0.0.1')
    await once(holder, 'listening')
    const { port } = holder.address() as { port: number }
    const home = await newHome()
    const taken = `127.0.0.1:${port}`
    try {
      for (const [who, flag] of [
        ['The API', '--api-listen'],
        ['The edge', '--http-listen'],
        ['The edge over HTTPS', '--https-listen'],
      ] as const) {
        const { code, err } = await cachefront(home, 'up', '--bare', ...FREE_PORTS, flag, taken)
        assert.equal(code, 1)
        const variable = `CACHEFRONT_${flag.slice(2).toUpperCase().replace('-', '_')}`
        assert.match(
          err,
          new RegExp(`^cachefront: ${who} cannot listen on ${taken}: process ${process.pid} [^\\n]*\\n$`),
        )
        assert.ok(err.includes(flag) && err.includes(variable), err)
      }
      assert.deepEqual(processesOf(home), [])
    } finally {
      holder.close()
      await rm(home, { recursive: true })
    }
  })

  it('refuses what it cannot do, in one line, and leaves nothing running', async () => {
    const home = await newHome()
    const file = join(home, 'file')
    await writeFile(file, '')
    const wrong: readonly (readonly [code: number, home: string, flags: readonly string[], says: RegExp])[] = [
      [2, home, ['--api-listen', '0.0.0.0:0'], /every caller must sign with a real key/],
      [2, home, ['--pops', '33'], /--pops is "33": it must be a whole number from 1 to 32/],
      [2, home, ['--config', '/nowhere.json'], /config file \/nowhere\.json cannot be read/],
      [1, join(file, 'home'), [], /home .* cannot be made: a part of the path is a file/],
      [1, '/proc/nowhere', [], /home \/proc\/nowhere cannot be made/],
      [1, home, ['--http-listen', '192.0.2.1:0'], /The edge cannot listen on 192\.0\.2\.1:0: no interface/],
    ]
    for (const [code, at, flags, says] of wrong) {
      const finished = await cachefront(at, 'up', '--bare', ...FREE_PORTS, ...flags)
      assert.equal(finished.code, code, finished.err)
      assert.match(finished.err, says)
      assert.match(finished.err, /^cachefront: [^\n]+\n$/)
    }
    // A damaged state, too: nobody starts on half of what was acknowledged.
    await writeFile(join(home, 'state.db'), 'not a database, but long enough to be one '.repeat(100))
    const damaged = await cachefront(home, 'up', '--bare', ...FREE_PORTS)
    assert.equal(damaged.code, 1)
    assert.match(damaged.err, /^cachefront: The state [^\n]* is not a database of Cachefront[^\n]*\n$/)
    assert.deepEqual(processesOf(home), [])
    await rm(home, { recursive: true })
  })
})
