//! What every State must keep, whatever stands behind it: `stateSuite` declares the tests for one implementation.
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { DistributionRecord } from '../../src/domain/records.ts'
import type { Change, Reader, State, Transaction } from '../../src/state/state.ts'

const tagged = (value: string) => ({ tags: { value } })

const distribution = (id: string, etag: string): DistributionRecord => ({
  id,
  arn: id,
  domainName: id,
  etag,
  callerReference: id,
  status: 'InProgress',
  changedRevision: 1,
  createdAt: '',
  lastModifiedTime: '',
  config: { Comment: '', CacheBehaviors: { Items: [{ AllowedMethods: { Items: ['GET'] } }] } },
})

export interface StateSuite {
  readonly name: string
  /** An empty state; `reopen` opens the same one again after a close. */
  open(): Promise<{ state: State; reopen: () => Promise<State>; cleanUp: () => Promise<void> }>
  /** An empty state whose log keeps only this many changes. */
  openShort(changesKept: number): Promise<{ state: State; cleanUp: () => Promise<void> }>
}

export function stateSuite(suite: StateSuite): void {
  const withState = (work: (state: State, reopen: () => Promise<State>) => Promise<void>) => async () => {
    const { state, reopen, cleanUp } = await suite.open()
    try {
      await work(state, reopen)
    } finally {
      await state.close()
      await cleanUp()
    }
  }

  describe(`${suite.name} as a State`, () => {
    it(
      'begins at revision 0, empty',
      withState(async (state) => {
        assert.equal(await state.revision(), 0)
        assert.equal(await state.get('tags', 'a'), undefined)
        assert.deepEqual(await state.list('tags'), [])
        assert.deepEqual(await state.changesSince(0), [])
      }),
    )

    it(
      'gives each commit that writes the next revision, and none to one that does not',
      withState(async (state) => {
        await state.transact(async (tx) => {
          assert.equal(tx.revision, 1)
          await tx.put('tags', 'a', tagged('1'))
          await tx.put('tags', 'b', tagged('1'))
        })
        await state.transact(async (tx) => tx.get('tags', 'a'))
        await state.transact(async (tx) => assert.equal(await tx.delete('tags', 'none'), false))
        assert.equal(await state.revision(), 1)
        await state.transact((tx) => tx.put('tags', 'a', tagged('2')))
        assert.deepEqual(await state.get('tags', 'a'), { id: 'a', revision: 2, doc: tagged('2') })
        assert.deepEqual(await state.get('tags', 'b'), { id: 'b', revision: 1, doc: tagged('1') })
      }),
    )

    it(
      'shows a transaction its own writes and nobody else before the commit',
      withState(async (state) => {
        await state.transact(async (tx) => {
          await tx.put('tags', 'a', tagged('1'))
          assert.deepEqual((await tx.get('tags', 'a'))?.doc, tagged('1'))
          assert.equal((await tx.list('tags')).length, 1)
          assert.equal(await state.get('tags', 'a'), undefined)
          assert.deepEqual(await state.list('tags'), [])
          assert.equal(await state.revision(), 0)
        })
        assert.deepEqual((await state.get('tags', 'a'))?.doc, tagged('1'))
      }),
    )

    it(
      'lists distributions, which it may keep parsed, as they are: written twice, rolled back, changed, deleted',
      withState(async (state) => {
        const listed = async (reader: Reader) =>
          (await reader.list('distribution')).map(({ id, doc }) => `${id} ${doc.etag}`)
        await state.transact(async (tx) => {
          for (const etag of ['1', '2']) {
            await tx.put('distribution', 'E1', distribution('E1', etag))
            assert.deepEqual(await listed(tx), [`E1 ${etag}`])
          }
          await tx.put('distribution', 'E2', distribution('E2', '1'))
        })
        assert.deepEqual(await listed(state), ['E1 2', 'E2 1'])
        const rolledBack = state.transact(async (tx) => {
          await tx.put('distribution', 'E1', distribution('E1', 'lost'))
          await tx.delete('distribution', 'E2')
          assert.deepEqual(await listed(tx), ['E1 lost'])
          assert.deepEqual(await listed(state), ['E1 2', 'E2 1'])
          throw new Error('no')
        })
        await assert.rejects(rolledBack, /^Error: no$/)
        // The revision that was rolled back is given to this one.
        await state.transact((tx) => tx.put('distribution', 'E1', distribution('E1', '3')))
        assert.deepEqual(await listed(state), ['E1 3', 'E2 1'])
        const [first] = await state.list('distribution')
        assert.throws(() => Object.assign(first?.doc.config as object, { Comment: 'changed' }), TypeError)
        await state.transact(async (tx) => {
          await tx.delete('distribution', 'E2')
          assert.deepEqual(await listed(tx), ['E1 3'])
        })
        assert.deepEqual(await listed(state), ['E1 3'])
      }),
    )

    it(
      'rolls all of it back when the work throws',
      withState(async (state) => {
        await state.transact((tx) => tx.put('tags', 'a', tagged('1')))
        const work = async (tx: Transaction) => {
          await tx.put('tags', 'a', tagged('2'))
          await tx.delete('tags', 'a')
          await tx.put('tags', 'b', tagged('2'))
          throw new Error('no')
        }
        await assert.rejects(state.transact(work), /^Error: no$/)
        assert.deepEqual(await state.get('tags', 'a'), { id: 'a', revision: 1, doc: tagged('1') })
        assert.equal(await state.get('tags', 'b'), undefined)
        assert.equal(await state.revision(), 1)
      }),
    )

    it(
      'runs one transaction at a time: concurrent increments all count',
      withState(async (state) => {
        const increment = () =>
          state.transact(async (tx) => {
            const before = Number((await tx.get('tags', 'n'))?.doc.tags.value ?? 0)
            await new Promise((resolve) => setImmediate(resolve))
            await tx.put('tags', 'n', tagged(String(before + 1)))
          })
        await Promise.all(Array.from({ length: 50 }, increment))
        assert.deepEqual((await state.get('tags', 'n'))?.doc, tagged('50'))
        assert.equal(await state.revision(), 50)
      }),
    )

    it(
      'refuses a transaction inside a transaction, and a write after the end of one',
      withState(async (state) => {
        await assert.rejects(
          state.transact(() => state.transact(async () => undefined)),
          /inside a transaction/,
        )
        let kept: Transaction | undefined
        await state.transact(async (tx) => {
          kept = tx
        })
        await assert.rejects(kept!.put('tags', 'late', tagged('1')), /has ended/)
        assert.equal(await state.get('tags', 'late'), undefined)
      }),
    )

    it(
      'lists by id in the order of bytes, after an id, by prefix, up to a limit, kind by kind',
      withState(async (state) => {
        const ids = ['b/2', 'a', 'b/1', 'B', 'b', 'é', 'b/1/x', '10', '9', '🚲', 'z']
        await state.transact(async (tx) => {
          for (const id of ids) await tx.put('tags', id, tagged(id))
        })
        const listed = async (range?: Parameters<State['list']>[1]) =>
          (await state.list('tags', range)).map((one) => one.id)
        const sorted = [...ids].sort((x, y) => Buffer.compare(Buffer.from(x), Buffer.from(y)))
        assert.deepEqual(await listed(), sorted)
        assert.deepEqual(await listed({ prefix: 'b/' }), ['b/1', 'b/1/x', 'b/2'])
        assert.deepEqual(await listed({ prefix: 'b/', after: 'b/1' }), ['b/1/x', 'b/2'])
        assert.deepEqual(await listed({ after: 'a', limit: 2 }), ['b', 'b/1'])
        assert.deepEqual(await listed({ limit: 0 }), [])
        assert.deepEqual(await state.list('cache-policy'), [])
      }),
    )

    it(
      'hands out documents that the caller may change without changing the state',
      withState(async (state) => {
        await state.transact((tx) => tx.put('tags', 'a', tagged('1')))
        const mine = (await state.get('tags', 'a'))!.doc as { tags: Record<string, string> }
        mine.tags.value = 'mine'
        assert.deepEqual((await state.get('tags', 'a'))?.doc, tagged('1'))
      }),
    )

    it(
      'tells watchers after each commit, in order, until they stop',
      withState(async (state) => {
        const heard: Change[][] = []
        const stop = state.watch((changes) => heard.push([...changes]))
        await state.transact(async (tx) => {
          await tx.put('tags', 'a', tagged('1'))
          await tx.put('tags', 'b', tagged('1'))
          await tx.put('tags', 'a', tagged('2'))
        })
        await Promise.all([
          state.transact((tx) => tx.delete('tags', 'a')),
          state.transact(async () => undefined),
          state.transact((tx) => tx.put('tags', 'c', tagged('1'))),
        ])
        stop()
        await state.transact((tx) => tx.put('tags', 'd', tagged('1')))
        const change = (revision: number, id: string, deleted = false) => ({ revision, kind: 'tags', id, deleted })
        assert.deepEqual(heard, [[change(1, 'b'), change(1, 'a')], [change(2, 'a', true)], [change(3, 'c')]])
        assert.deepEqual(await state.changesSince(0), [...heard.flat(), change(4, 'd')])
        assert.deepEqual(await state.changesSince(3), [change(4, 'd')])
        assert.deepEqual(await state.changesSince(4), [])
        assert.equal(await state.changesSince(5), null, 'a revision that this state never had')
      }),
    )

    it('forgets the oldest changes, and says so to whoever is behind them', async () => {
      const { state, cleanUp } = await suite.openShort(3)
      try {
        for (let n = 1; n <= 5; n++) await state.transact((tx) => tx.put('tags', `t${n}`, tagged('')))
        assert.equal(await state.changesSince(1), null)
        assert.deepEqual(
          (await state.changesSince(2))?.map((c) => c.id),
          ['t3', 't4', 't5'],
        )
        // A commit of more changes than the log keeps is forgotten in part: nobody may continue before it.
        await state.transact(async (tx) => {
          for (let n = 1; n <= 4; n++) await tx.put('tags', `u${n}`, tagged(''))
        })
        assert.equal(await state.changesSince(5), null)
        assert.deepEqual(await state.changesSince(6), [])
      } finally {
        await state.close()
        await cleanUp()
      }
    })

    it(
      'is the same after it was closed and opened again',
      withState(async (state, reopen) => {
        await state.transact((tx) => tx.put('tags', 'a', tagged('1')))
        await state.close()
        await assert.rejects(state.get('tags', 'a'), /closed/)
        const again = await reopen()
        try {
          assert.equal(await again.revision(), 1)
          assert.deepEqual(await again.get('tags', 'a'), { id: 'a', revision: 1, doc: tagged('1') })
          assert.equal((await again.changesSince(0))?.length, 1)
        } finally {
          await again.close()
        }
      }),
    )
  })
}
