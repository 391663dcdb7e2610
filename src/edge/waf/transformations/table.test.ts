import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { TextTransformationType } from '@aws-sdk/client-wafv2'
import fc from 'fast-check'
import { anyCharacter } from '../../../../test/support/any-character.ts'
import { TRANSFORMATIONS } from '../../../domain/waf/statements.ts'
import { TRANSFORM } from './table.ts'

const utf8 = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
const digest = (name: string, text: string): string => createHash(name).update(text).digest('latin1')

/** What each makes of what. */
const ROWS: Readonly<Partial<Record<TextTransformationType, readonly (readonly [text: string, expected: string])[]>>> =
  {
    BASE64_DECODE: [
      ['PHNjcmlwdD4=', '<script>'],
      ['PHNjcmlwdD4', '<script>'],
      ['PHNj cmlwdD4=', '<sc'],
      ['_-8', '\xff\xef'],
      ['', ''],
    ],
    BASE64_DECODE_EXT: [
      ['P*HNj\ncm lwdD4=', '<script>'],
      ['!!!', ''],
    ],
    CMD_LINE: [
      ['C^md.EXE /c "Dir;Whoami"', 'cmd.exe/c dir whoami'],
      ['cat   ,/etc/pass\\wd', 'cat/etc/passwd'],
      ["l's' (x)", 'ls(x)'],
    ],
    COMPRESS_WHITE_SPACE: [
      ['a\t\n\v\f\r  b', 'a b'],
      ['a\xa0b', 'a b'],
      [utf8('a\u00a0 b'), 'a b'],
      [utf8('à la'), utf8('à la')],
    ],
    CSS_DECODE: [
      ['ja\\vascript', 'javascript'],
      ['\\6a\\61vascript', 'javascript'],
      ['\\00006a avascript', 'javascript'],
      ['\\ff41 b', 'ab'],
      ['a\\\nb', 'ab'],
      ['a\\', 'a'],
    ],
    ESCAPE_SEQ_DECODE: [
      ['\\a\\b\\f\\n\\r\\t\\v', '\x07\b\f\n\r\t\v'],
      ['\\\\\\?\\\'\\"', '\\?\'"'],
      ['\\x3cscript\\076', '<script>'],
      ['\\0101', 'A'],
      ['\\xzz\\q', '\\xzz\\q'],
    ],
    HEX_DECODE: [
      ['3c7363726970743e', '<script>'],
      ['3c7', '<'],
      ['hello', ''],
    ],
    HTML_ENTITY_DECODE: [
      ['&quot;&lt;&gt;&nbsp;&amp;', '"<>\xa0&'],
      ['&lt&LT;', '<<'],
      ['&#60;&#x3C;&#0000060;&#x003c&#60', '<<<<<'],
      ['java&Tab;script&colon;alert&lpar;1&rpar;', 'java\tscript:alert(1)'],
      ['&#8364;', utf8('€')],
      ['&#9999999;&unknown;&', '&#9999999;&unknown;&'],
    ],
    JS_DECODE: [
      ['\\u003cscript\\x3e', '<script>'],
      ['\\uff1c', '<'],
      ['\\u{3c}\\74', '<<'],
      ['ja\\vascript\\d', 'ja\vascriptd'],
      ['a\\\nb\\', 'ab'],
      ['\\u12', 'u12'],
    ],
    LOWERCASE: [['SELECT É', 'select É']],
    MD5: [['abc', digest('md5', 'abc')]],
    NONE: [['As It Is', 'As It Is']],
    NORMALIZE_PATH: [
      ['/a//b/./c/../d', '/a/b/d'],
      ['/../../etc/passwd', '/etc/passwd'],
      ['../a/../..', '../..'],
      ['/a/b/..', '/a/'],
      ['/a/./', '/a/'],
      ['//', '/'],
      ['', ''],
      ['a.b', 'a.b'],
    ],
    NORMALIZE_PATH_WIN: [['\\a\\..\\b\\\\c', '/b/c']],
    REMOVE_COMMENTS_CHAR: [['se/**/lect<!--1-->2--#', 'select12']],
    REMOVE_NULLS: [['a\0b\0', 'ab']],
    REMOVE_WHITESPACE: [[' a \t b\n', 'ab']],
    REPLACE_COMMENTS: [
      ['un/*x*/ion/**/select', 'un ion select'],
      ['a/*never ends', 'a '],
      ['a*/b/', 'a*/b/'],
      ['/*/a', ' '],
    ],
    REPLACE_NULLS: [['a\0b', 'a b']],
    SHA256: [['abc', digest('sha256', 'abc')]],
    SQL_HEX_DECODE: [
      ['(0x414243)', '(ABC)'],
      ['0X41 0xzz', 'A 0xzz'],
    ],
    TRIM: [[' \ta b\n ', 'a b']],
    TRIM_LEFT: [[' \ta ', 'a ']],
    TRIM_RIGHT: [[' a \t', ' a']],
    UPPERCASE: [['select é', 'SELECT é']],
    URL_DECODE: [
      ['%3Cscript%3e+a', '<script> a'],
      ['%zz%4', '%zz%4'],
      ['%253C', '%3C'],
      ['%C3%A9', utf8('é')],
      ['%u0041', '%u0041'],
    ],
    URL_DECODE_UNI: [
      ['%u0041%uFF1Cb%3c+', 'A<b< '],
      ['%u004', '%u004'],
      ['%u20ac', '\xac'],
    ],
    UTF8_TO_UNICODE: [
      [utf8('aé€😀'), 'a%u00e9%u20ac%u1f600'],
      ['\xc0\xaf\xff', '\xc0\xaf\xff'],
    ],
  }

test('each text transformation makes of its rows what AWS says', () => {
  for (const [type, rows] of Object.entries(ROWS)) {
    const transform = TRANSFORM[type as TextTransformationType]
    for (const [text, expected] of rows) assert.equal(transform?.(text), expected, `${type} of ${JSON.stringify(text)}`)
  }
})

test('what the API takes is there, with rows here, and nothing else is', () => {
  const built = Object.entries(TRANSFORMATIONS).filter(([, row]) => row.built)
  assert.deepEqual(Object.keys(TRANSFORM).sort(), built.map(([type]) => type).sort())
  assert.deepEqual(Object.keys(ROWS).sort(), Object.keys(TRANSFORM).sort())
})

/** Pieces that transformations look for. */
const PIECES = [
  '%',
  '%u',
  '\\',
  '\\u',
  '\\x',
  '&#',
  '&#x',
  '&lt',
  ';',
  '/*',
  '*/',
  '..',
  '/',
  '0x',
  '+',
  ' ',
  '\0',
  'a',
  '7',
  'f',
]
const text = fc
  .oneof(
    fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ unit: anyCharacter, maxLength: 2 })), { maxLength: 60 }),
    fc.array(fc.constantFrom(...PIECES), { maxLength: 400 }),
  )
  .map((pieces) => utf8(pieces.join('')))

test('no transformation throws, leaves bytes behind, or makes much of little', () => {
  fc.assert(
    fc.property(fc.constantFrom(...Object.values(TRANSFORM)), text, (transform, input) => {
      const output = transform(input)
      assert.match(output, /^[\0-\xff]*$/)
      assert.ok(output.length <= 32 + input.length * 3)
    }),
    { numRuns: 1_000 },
  )
})

test('a long text of what they look for takes them no longer by the byte than a short one', () => {
  for (const [type, transform] of Object.entries(TRANSFORM)) {
    for (const piece of ['/*', ' ', '\\', '&#0', '%u', '../', 'A', '\t\n', '<!-', '0x4']) {
      const text = piece.repeat(Math.floor(65_536 / piece.length))
      const before = process.cpuUsage()
      transform(text)
      const { user } = process.cpuUsage(before)
      // In quadratic time it would be many seconds of processor time.
      assert.ok(user < 2_000_000, `${type} of ${piece}: ${user} µs`)
    }
  }
})
