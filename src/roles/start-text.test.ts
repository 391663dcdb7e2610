import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readConfig } from '../config.ts'
import type { Health } from '../services/cachefront/installation.ts'
import { describeStart } from './start-text.ts'

const text = (names: readonly string[], dns: { host: string; port: number } | null) => {
  const health: Health = {
    ...{ status: 'ok', version: '1.0.0', revision: 1, regionals: [], parts: [], origins: [] },
    pops: names.map((name) => ({ name, region: 'us-east-1', http: null, https: null })),
  }
  const file = { api: 'http://127.0.0.1:4566', edge: '127.0.0.1:8080', edgeHttps: null }
  return describeStart(readConfig({ home: '/h' }, {}), file, dns, null, health)
}

test('the start names further POPs, and how the name server is asked', () => {
  assert.doesNotMatch(text(['IAD50-C1'], null), /POPs|dig/)
  const told = text(['IAD50-C1', 'FRA50-C1'], { host: '127.0.0.1', port: 5353 })
  assert.match(told, /^ {2}POPs {5}IAD50-C1, FRA50-C1 {3}\(cachefront pops\)$/m)
  assert.match(told, /^ {2}names {4}127\.0\.0\.1:5353 {3}\(dig @127\.0\.0\.1 -p 5353 NAME\.cloudfront\.localhost\)$/m)
})
