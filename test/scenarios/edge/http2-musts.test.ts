//! HTTP/2 as the RFCs have it: one case for each sentence with MUST that a server can keep or break, over raw frames
//! (RFC 9113 sections 3-10, RFC 7541). The rows are in http2-musts/, what a server sends is watched in all of them.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { RULES, type Rule } from '../../support/http2-observer.ts'
import { type OurServer, startHttp2Server } from '../../support/http2-server.ts'
import { RFCS } from './http2-musts/all.ts'
import { judge } from './http2-musts/judge.ts'

let server: OurServer
before(async () => {
  server = await startHttp2Server()
})
after(() => server.close())

/** How often each rule of the observer was looked at. */
const looked = new Map<Rule, number>()

for (const [rfc, { rows, sections }] of Object.entries(RFCS)) {
  test(`${rfc}: every section has its rows, and every row a section`, () => {
    const has = new Set(rows.map(({ section }) => section))
    assert.deepEqual(
      sections.filter((section) => !has.has(section)),
      [],
    )
    assert.deepEqual(
      [...has].filter((section) => !sections.includes(section)),
      [],
    )
  })
  describe(rfc, () => {
    for (const row of rows) {
      const name = `${row.section} ${row.must}`
      if ('run' in row) test(name, { timeout: 30_000 }, () => row.run(server))
      else if ('send' in row) {
        test(name, { timeout: 30_000 }, async () => {
          const wire = await judge(row, server)
          for (const [rule, count] of wire.observer.looked) looked.set(rule, (looked.get(rule) ?? 0) + count)
        })
      }
    }
  })
}

test('every rule for what a server sends was looked at', () => {
  const watched = Object.values(RFCS).flatMap(({ rows }) =>
    rows.flatMap((row) => ('watched' in row ? [row.watched] : [])),
  )
  const rules = Object.keys(RULES) as Rule[]
  assert.deepEqual(
    rules.filter((rule) => !watched.includes(rule)),
    [],
    'a rule without a row',
  )
  assert.deepEqual(
    rules.filter((rule) => !looked.has(rule) && rule !== 'zero-padding'),
    [],
    'a rule that was never looked at',
  )
})
