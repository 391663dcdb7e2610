//! The bond with the keeper, against a socket that speaks its protocol.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, beforeEach, test } from 'node:test'
import type { FromKeeper, GroupWish, KeeperEvent, KeeperWish, ToKeeper } from '../keeper/protocol.ts'
import { systemClock } from '../lib/clock.ts'
import { type JsonLines, jsonLines } from '../lib/json-lines.ts'
import { openSqliteState } from '../state/sqlite.ts'
import type { State } from '../state/state.ts'
import { type KeeperLink, openKeeperLink } from './keeper-link.ts'

/** The other end: greets with `wishSequence`, and keeps what it is told. */
class Peer {
  readonly told: ToKeeper[] = []
  #server: Server | null = null
  #socket: Socket | null = null
  #lines: JsonLines<FromKeeper> | null = null
  #heard: (() => void) | null = null

  async listen(path: string, wishSequence: number, events: readonly KeeperEvent[] = []): Promise<void> {
    this.#server = createServer((socket) => {
      this.#socket = socket
      socket.on('error', () => {})
      this.#lines = jsonLines<ToKeeper, FromKeeper>(socket, (message) => {
        this.told.push(message)
        this.#heard?.()
      })
      this.#lines.send({ type: 'hello', pid: 1, version: 'test', wishSequence })
      if (events.length > 0) this.#lines.send({ type: 'events', events })
    }).listen(path)
    await once(this.#server, 'listening')
  }

  send(message: FromKeeper): void {
    this.#lines!.send(message)
  }

  report(sequence: number): void {
    this.send({
      type: 'seen',
      seen: { sequence, groups: [], snapshots: [], workers: [], nodeNetwork: '127.16.0.0/16', binaries: [] },
    })
  }

  wishes(): KeeperWish[] {
    return this.told.flatMap((message) => (message.type === 'wish' ? [message.wish] : []))
  }

  async until<T>(find: () => T | undefined): Promise<T> {
    for (;;) {
      const found = find()
      if (found !== undefined) return found
      await new Promise<void>((resolve) => {
        this.#heard = resolve
      })
    }
  }

  async close(): Promise<void> {
    this.#socket?.destroy()
    this.#server?.close()
    if (this.#server !== null) await once(this.#server, 'close')
  }
}

const GROUP: GroupWish = {
  id: 'one',
  engine: 'redis',
  engineVersion: '7.0',
  port: 6379,
  nodes: [{ id: 'one', firstPrimary: true }],
  automaticFailover: false,
  configuration: [],
  restarts: {},
}

let dir: string
let socketPath: string
let state: State
let link: KeeperLink | null = null
let peer: Peer

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cachefront-link-'))
})
after(() => rm(dir, { recursive: true }))

let number = 0
beforeEach(async () => {
  number += 1
  socketPath = join(dir, `${number}.sock`)
  state = await openSqliteState(join(dir, `${number}.db`), systemClock)
  peer = new Peer()
})
afterEach(async () => {
  link?.close()
  await link?.idle()
  await peer.close()
  await state.close()
})

const fail = (error: unknown): never => assert.fail(String(error))

async function open(wishSequence: number): Promise<KeeperLink> {
  await peer.listen(socketPath, wishSequence)
  link = await openKeeperLink({ socketPath, version: 'test', state, clock: systemClock, onError: fail })
  return link
}

/** Resolves when the link has told of a report (null: of a lost connection). */
const told = (of: KeeperLink, accepts: (sequence: number | null) => boolean): Promise<void> =>
  new Promise((resolve) => {
    const end = of.onSeen((seen) => {
      if (!accepts(seen?.sequence ?? null)) return
      end()
      resolve()
    })
  })

test('half a wish is not sent; a wish that does not differ is not sent again, and stands for the newer revision', async () => {
  const opened = await open(0)
  opened.wishGroups([GROUP], 5)
  opened.wish({ workers: [] })
  const wish = await peer.until(() => peer.wishes()[0])
  assert.deepEqual(wish, { sequence: 1, workers: [], groups: [GROUP], snapshots: [], snapshotDeletions: [] })
  assert.equal(opened.seenRevision(), 0)
  const seen = told(opened, (sequence) => sequence === 1)
  peer.report(1)
  await seen
  assert.equal(opened.seenRevision(), 5)
  opened.wishGroups([GROUP], 7)
  assert.equal(opened.seenRevision(), 7)
  opened.wishGroups([], 9)
  assert.equal(opened.seenRevision(), 7, 'the keeper has not yet reported the new wish')
  await peer.until(() => peer.wishes()[1])
  assert.equal(peer.wishes().length, 2)
})

test('after a control before us, wishes go on above what the keeper has had', async () => {
  const opened = await open(41)
  opened.wish({ workers: [] })
  opened.wishGroups([GROUP], 3)
  assert.equal((await peer.until(() => peer.wishes()[0])).sequence, 42)
  const seen = told(opened, (sequence) => sequence === 41)
  peer.report(41)
  await seen
  assert.equal(opened.seenRevision(), 0, 'that report is of the wish before ours')
})

const event = (sequence: number): KeeperEvent => ({
  sequence,
  at: new Date(systemClock.wall()).toISOString(),
  groupId: 'one',
  event: { kind: 'recovering', node: 'one' },
})
const stored = async () => (await state.list('cache-event')).map(({ doc }) => doc.message)
const acknowledged = (sequence: number) => () =>
  peer.told.find((message) => message.type === 'acknowledge-events' && message.sequence === sequence)

test('events are stored once, then acknowledged, however often they come', async () => {
  await open(1)
  peer.send({ type: 'events', events: [event(1), event(2)] })
  await peer.until(acknowledged(2))
  assert.equal((await stored()).length, 2)
  peer.send({ type: 'events', events: [event(1), event(2), event(3)] })
  await peer.until(acknowledged(3))
  assert.equal((await stored()).length, 3)
  assert.deepEqual(new Set(await stored()), new Set(['Recovering cache nodes 0001']))
})

test('an event that could not be stored is not passed over by those after it', async () => {
  const failures: unknown[] = []
  let full = true
  const refusing: State = {
    get: (kind, id) => state.get(kind, id),
    list: (kind, range) => state.list(kind, range),
    revision: () => state.revision(),
    changesSince: (revision) => state.changesSince(revision),
    watch: (listener) => state.watch(listener),
    close: () => state.close(),
    transact: (work) => (full ? Promise.reject(new Error('disk full')) : state.transact(work)),
  }
  await peer.listen(socketPath, 1)
  const failed = new Promise<void>((resolve) => {
    const onError = (error: unknown) => {
      failures.push(error)
      resolve()
    }
    const options = { socketPath, version: 'test', state: refusing, clock: systemClock, onError }
    void openKeeperLink(options).then((opened) => {
      link = opened
      peer.send({ type: 'events', events: [event(1)] })
    })
  })
  await failed
  full = false
  peer.send({ type: 'events', events: [event(2)] })
  await peer.until(acknowledged(2))
  assert.equal((await stored()).length, 2)
  assert.equal(failures.length, 1)
})

test('a keeper with a new ledger counts from 1 again, and is believed', async () => {
  await state.transact((tx) => tx.put('keeper-cursor', 'local', { eventSequence: 9 }))
  // It sends them with its greeting.
  await peer.listen(socketPath, 0, [event(1)])
  link = await openKeeperLink({ socketPath, version: 'test', state, clock: systemClock, onError: fail })
  await peer.until(acknowledged(1))
  assert.equal((await stored()).length, 1)
})

test('a lost connection is told, and the wish is repeated on the next', async () => {
  const opened = await open(0)
  opened.wish({ workers: [], groups: [GROUP] })
  await peer.until(() => peer.wishes()[0])
  const lost = told(opened, (sequence) => sequence === null)
  await peer.close()
  await lost
  assert.equal(opened.seen(), null)
  peer = new Peer()
  await peer.listen(socketPath, 1)
  assert.deepEqual((await peer.until(() => peer.wishes()[0])).groups, [GROUP])
})
