import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzzHttp2 } from './http2.ts'
import { fuzzBodies } from './http2-bodies.ts'

test('80 connections of random frames: what is right is served as by Node, what Node refuses we refuse, cuts never matter', async () => {
  const { differences, served, refused } = await fuzzHttp2(20_261_130, 80)
  assert.deepEqual(differences, [])
  assert.ok(served > 60, `${served} requests served alike`)
  assert.ok(refused > 15, `${refused} connections ended by both`)
})

test('15 connections of random bodies through small windows: every byte arrives, no window is overdrawn', async () => {
  assert.deepEqual(await fuzzBodies(20_261_130, 15), [])
})
