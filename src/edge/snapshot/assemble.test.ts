import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { DistributionDoc } from '../../domain/distribution.ts'
import { Invalidations } from '../cache/invalidation.ts'
import { changeSnapshot, compileSnapshot } from './assemble.ts'
import { Configuration } from './configuration.ts'
import { distributionOf, EMPTY_SNAPSHOT, type Snapshot } from './snapshot.ts'

const HOSTS = ['a.test', 'b.test', 'x.c.test', 'x.y.c.test', 'd1.cloudfront.localhost', 'd2.cloudfront.net', 'z.test']

const fail = (id: string, error: Error) => assert.fail(`${id}: ${error.message}`)

function documentOf(number: number, aliases: readonly string[]): DistributionDoc {
  return {
    id: `E${number}`,
    domainName: `d${number}.cloudfront.localhost`,
    enabled: true,
    aliases,
    defaultRootObject: '',
    httpVersion: 'http2',
    origins: [],
    behaviors: [],
  }
}

const found = (snapshot: Snapshot): (string | undefined)[] =>
  HOSTS.map((host) => distributionOf(snapshot, host)?.doc.id)

test('a snapshot that was changed step by step is the one that is compiled at once', () => {
  const names = ['a.test', 'b.test', '*.c.test', '*.y.c.test']
  // Which distribution has each name after a step; 0 for none. No two have the same one, as the API sees to.
  const step = fc.tuple(...names.map(() => fc.nat(3)), fc.nat(7)).map((numbers) => {
    const alive = numbers.at(-1) as number
    const documents = new Map<string, DistributionDoc | null>()
    for (let number = 1; number <= 3; number++) {
      const aliases = names.filter((_, at) => numbers[at] === number)
      documents.set(`E${number}`, (alive >> (number - 1)) & 1 ? documentOf(number, aliases) : null)
    }
    return documents
  })
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 6 }), (steps) => {
      let snapshot = EMPTY_SNAPSHOT
      const before: [Snapshot, (string | undefined)[]][] = []
      for (const [revision, changed] of steps.entries()) {
        before.push([snapshot, found(snapshot)])
        snapshot = changeSnapshot(revision, changed, snapshot, fail)
        const documents = [...changed.values()].filter((document) => document !== null)
        assert.deepEqual(found(snapshot), found(compileSnapshot(revision, documents, null, fail)))
        assert.equal(snapshot.distributions.size, documents.length)
      }
      for (const [earlier, then] of before) assert.deepEqual(found(earlier), then, 'who began with it keeps it')
    }),
  )
})

test('a change that cannot be compiled is reported, and the distribution goes on as it was', () => {
  const good = documentOf(1, ['a.test'])
  const first = changeSnapshot(1, new Map([['E1', good]]), EMPTY_SNAPSHOT, fail)
  const broken = { ...good, aliases: ['b.test'], behaviors: [{ originId: 'nowhere' }] } as unknown as DistributionDoc
  const problems: string[] = []
  const second = changeSnapshot(2, new Map([['E1', broken]]), first, (id, error) => problems.push(id, error.message))
  assert.deepEqual(problems, ['E1', 'E1: no origin with the id nowhere'])
  assert.equal(second.revision, 2)
  assert.equal(distributionOf(second, 'a.test')?.doc, good)
  assert.equal(distributionOf(second, 'b.test'), undefined)
})

test('everything anew: what cannot be given as it is stored goes on as it was', () => {
  const configuration = new Configuration(new Invalidations(), assert.fail)
  const [one, two] = [documentOf(1, ['a.test']), documentOf(2, ['b.test'])]
  configuration.replace({ revision: 1, distributions: [one, two] })
  configuration.replace({ revision: 2, distributions: [one], kept: ['E2', 'E3'] })
  assert.deepEqual(
    configuration.documents.map(({ id }) => id),
    ['E1', 'E2'],
  )
  assert.equal(distributionOf(configuration.snapshot, 'b.test')?.id, 'E2')
  configuration.replace({ revision: 3, distributions: [one] })
  assert.equal(distributionOf(configuration.snapshot, 'b.test'), undefined)
})
