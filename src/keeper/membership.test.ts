//! The version of a memcached cluster's list rises when the list changes and when a node is another process.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nextMembership } from './membership.ts'

const [A, B] = ['127.16.0.9', '127.16.0.10']
const record = { members: [A, B], membershipVersion: 3, memberProcesses: { [A]: 100, [B]: 200 } }
const at = (address: string, pid: number | null) => ({ address, pid })

test('nothing changes; a node that is down for a moment stays as it is', () => {
  assert.equal(nextMembership(record, [at(A, 100), at(B, 200)]), null)
  assert.equal(nextMembership(record, [at(B, 200), at(A, null)]), null)
})

test('another process, a new node and a removed one raise it; the order is by number', () => {
  assert.equal(nextMembership(record, [at(A, 101), at(B, 200)])?.membershipVersion, 4)
  const grown = nextMembership(record, [at('127.16.0.11', null), at(B, 200), at(A, 100)])
  assert.deepEqual(grown?.members, [A, B, '127.16.0.11'])
  assert.equal(grown?.membershipVersion, 4)
  assert.deepEqual(nextMembership(record, [at(A, 100)])?.memberProcesses, { [A]: 100 })
})

test('a record of an earlier version is completed without a new version', () => {
  const { memberProcesses: _, ...old } = record
  assert.deepEqual(nextMembership(old, [at(A, 100), at(B, 200)]), record)
})
