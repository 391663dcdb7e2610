import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { normalPath } from './normal-path.ts'

const piece = fc.constantFrom('/', '.', '..', 'a', 'b', '%2e', '%2E', '%2f', '%61', '%', '%25', ';', '\\', '~', '-')
const path = fc.array(piece, { maxLength: 30 }).map((pieces) => `/${pieces.join('')}`)

test('a normalized path is normal: it stays, begins with one slash and has no dot segment', () => {
  fc.assert(
    fc.property(path, (text) => {
      const normal = normalPath(text)
      // One escape can uncover another only where a percent sign was escaped, which is not decoded.
      assert.equal(normalPath(normal), normal)
      assert.match(normal, /^\/(?!\/)/)
      assert.doesNotMatch(normal, /\/\/|\/\.\.?(?:\/|$)/)
    }),
  )
})

test('a path without escapes is what the URL standard makes of it, with slashes merged', () => {
  const plain = fc.array(fc.constantFrom('/', '.', '..', 'a', 'bc', '~'), { maxLength: 30 })
  fc.assert(
    fc.property(
      plain.map((pieces) => `/${pieces.join('')}`.replace(/\/+/g, '/')),
      (text) => assert.equal(normalPath(text), new URL(`http://h${text}`).pathname),
    ),
  )
})
