//! Rules of the packet filter: what is refused, and sets that nft takes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { disjoint, removalText, tableText } from './source-rules.ts'

test('one rule for each list of networks, after what is the group itself', () => {
  const text = tableText('cachefront_16', [
    {
      group: 'shop',
      ports: [6379, 6380],
      addresses: ['127.16.0.1', '127.16.0.2'],
      sources: [['127.0.0.0/8', '127.1.0.0/16'], []],
    },
  ])
  const to = '{ 127.16.0.1, 127.16.0.2 }'
  const ours = '{ 127.16.0.1, 127.16.0.2, 127.16.255.254 }'
  assert.deepEqual(
    text.split('\n').filter((line) => line.includes('daddr')),
    [
      `    ip daddr ${to} ip saddr != ${ours} tcp dport { 6379, 6380 } ip saddr != { 127.0.0.0/8 } reject with tcp reset`,
      `    ip daddr ${to} ip saddr != ${ours} tcp dport { 6379, 6380 } reject with tcp reset`,
    ],
  )
  assert.ok(text.startsWith(removalText('cachefront_16').trimEnd()))
})

test('networks within others, and the same network in other words, are left out', () => {
  assert.deepEqual(disjoint(['10.0.0.0/8', '10.1.0.0/16', '10.0.0.0/8', '192.168.1.0/24']), [
    '10.0.0.0/8',
    '192.168.1.0/24',
  ])
  assert.deepEqual(disjoint(['10.9.9.9/8', '10.0.0.0/8']), ['10.0.0.0/8'])
  assert.deepEqual(disjoint(['0.0.0.0/0', '10.0.0.1/32']), ['0.0.0.0/0'])
})
