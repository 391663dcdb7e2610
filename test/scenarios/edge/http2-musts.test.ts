//! HTTP/2 as the RFCs have it: one case for each sentence with MUST that a server can keep or break, over raw frames
//! (RFC 9113 sections 3-10, RFC 7541). The rows are in http2-musts/, what a server sends is watched in all of them.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { RULES, type Rule } from '../../support/http2-observer.ts'
import { type OurServer, startHttp2Server } from '../../support/http2-server.ts'
import { COMPRESSION } from './http2-musts/compression.ts'
import { CONNECTION_RULES } from './http2-musts/connections.ts'
import { FLOW_CONTROL } from './http2-musts/flow-control.ts'
import { FRAME_DEFINITIONS } from './http2-musts/frame-definitions.ts'
import { judge } from './http2-musts/judge.ts'
import { MESSAGES } from './http2-musts/messages.ts'
import type { AnyRow } from './http2-musts/row.ts'
import { STARTING_AND_FRAMES } from './http2-musts/starting-and-frames.ts'
import { STATE_TABLE } from './http2-musts/states.ts'
import { STREAMS } from './http2-musts/streams.ts'

const HTTP2: readonly AnyRow[] = [
  ...STARTING_AND_FRAMES,
  ...STREAMS,
  ...STATE_TABLE,
  ...FRAME_DEFINITIONS,
  ...FLOW_CONTROL,
  ...MESSAGES,
  ...CONNECTION_RULES,
]

/** Every section with a requirement; those that only introduce others are left out. */
const SECTIONS: Readonly<Record<string, readonly [rows: readonly AnyRow[], sections: string]>> = {
  'RFC 9113': [
    HTTP2,
    `3.1 3.2 3.3 3.4 4.1 4.2 4.3 4.3.1 5.1 5.1.1 5.1.2 5.2.1 5.2.2 5.2.3 5.3.1 5.3.2 5.4.1 5.4.2 5.4.3 5.5 6.1 6.2 6.3 6.4
    6.5 6.5.1 6.5.2 6.5.3 6.6 6.7 6.8 6.9 6.9.1 6.9.2 6.9.3 6.10 7 8.1 8.1.1 8.2 8.2.1 8.2.2 8.2.3 8.3 8.3.1 8.3.2 8.4 8.4.1
    8.4.2 8.5 8.6 8.7 8.8 9.1 9.1.1 9.2 9.2.1 9.2.2 9.2.3 10.1 10.2 10.3 10.4 10.5 10.5.1 10.5.2 10.6 10.7 10.8 10.9`,
  ],
  'RFC 7541': [
    COMPRESSION,
    '2.2 2.3.1 2.3.2 2.3.3 3.1 3.2 4.1 4.2 4.3 4.4 5.1 5.2 6.1 6.2 6.2.1 6.2.2 6.2.3 6.3 7.1.1 7.1.2 7.1.3 7.2 7.3 7.4',
  ],
}

let server: OurServer
before(async () => {
  server = await startHttp2Server()
})
after(() => server.close())

/** How often each rule of the observer was looked at. */
const looked = new Map<Rule, number>()

for (const [rfc, [rows, sections]] of Object.entries(SECTIONS)) {
  test(`${rfc}: every section has its rows, and every row a section`, () => {
    const has = new Set(rows.map(({ section }) => section))
    const wanted = sections.split(/\s+/)
    assert.deepEqual(
      wanted.filter((section) => !has.has(section)),
      [],
    )
    assert.deepEqual(
      [...has].filter((section) => !wanted.includes(section)),
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
  const watched = [...HTTP2, ...COMPRESSION].flatMap((row) => ('watched' in row ? [row.watched] : []))
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
