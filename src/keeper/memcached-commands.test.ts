import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { CommandReader } from './memcached-commands.ts'

/** What a reader makes of `text` in the given pieces: passed bytes, with `<line>` where a config line stood. */
function read(pieces: readonly Buffer[]): string {
  const reader = new CommandReader()
  return pieces
    .flatMap((piece) => reader.read(piece))
    .map((part) => (part.kind === 'bytes' ? part.bytes.toString('latin1') : `<${part.line}>`))
    .join('')
}

const rows: readonly [string, string, string][] = [
  ['other commands pass', 'get a b\r\nversion\r\n', 'get a b\r\nversion\r\n'],
  ['a config line is taken out', 'get a\r\nconfig get cluster\r\nget b\r\n', 'get a\r\n<config get cluster>get b\r\n'],
  [
    'a data block is no command',
    'set k 0 0 20\r\nconfig get cluster\r\n\r\nget k\r\n',
    'set k 0 0 20\r\nconfig get cluster\r\n\r\nget k\r\n',
  ],
  [
    'after a data block commands are read again',
    'set k 0 0 1\r\nx\r\nconfig get cluster\r\n',
    'set k 0 0 1\r\nx\r\n<config get cluster>',
  ],
  [
    'cas and ms carry data',
    'cas k 0 0 6 1\r\nconfig\r\nms k 6\r\nconfig\r\nconfig x\r\n',
    'cas k 0 0 6 1\r\nconfig\r\nms k 6\r\nconfig\r\n<config x>',
  ],
  ['a key that begins like config', 'get config\r\nconfigure\r\n', 'get config\r\nconfigure\r\n'],
  ['the binary protocol passes', '\x80config get cluster\r\n', '\x80config get cluster\r\n'],
]
for (const [name, text, expected] of rows) {
  test(`commands: ${name}`, () => assert.equal(read([Buffer.from(text, 'latin1')]), expected))
  test(`commands in any pieces: ${name}`, () => {
    fc.assert(
      fc.property(fc.array(fc.nat(text.length), { maxLength: 6 }), (cuts) => {
        const at = [0, ...cuts.sort((x, y) => x - y), text.length]
        const pieces = at.slice(1).map((to, index) => Buffer.from(text.slice(at[index], to), 'latin1'))
        assert.equal(read(pieces), expected)
      }),
    )
  })
}

test('a line without end is given up', () => {
  const reader = new CommandReader()
  reader.read(Buffer.alloc(70_000, 'a'))
  assert.equal(reader.isTooLong, true)
})
