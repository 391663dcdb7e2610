import assert from 'node:assert/strict'
import { test } from 'node:test'
import { WireError } from './wire-error.ts'
import { readXml } from './xml-reader.ts'

const read = (text: string) => readXml(Buffer.from(text))

test('elements, text and namespace', () => {
  assert.deepEqual(read('<a xmlns="urn:x"><b>1</b><b/><c d:e="x" /> t </a>'.replace('d:e', 'xmlns:e')), {
    name: 'a',
    namespace: 'urn:x',
    text: ' t ',
    children: [
      { name: 'b', text: '1', children: [] },
      { name: 'b', text: '', children: [] },
      { name: 'c', text: '', children: [] },
    ],
  })
})

test('text keeps its spaces; line ends are one newline; references are resolved once', () => {
  assert.equal(read('<a>  x\r\ny\rz </a>').text, '  x\ny\nz ')
  assert.equal(read('<a>&amp;lt;&#x1F600;&#10;</a>').text, '&lt;😀\n')
  assert.equal(read('<a>1<!-- no -->2<![CDATA[<&]]>3</a>').text, '12<&3')
})

test('a declaration may come first, in UTF-8 only', () => {
  for (const declaration of ['<?xml version="1.0"?>', "<?xml version='1.0' encoding='utf-8' standalone='yes' ?>"]) {
    assert.equal(read(`${declaration}\n<a/>`).name, 'a')
  }
  assert.throws(() => read('<?xml version="1.0" encoding="latin1"?><a/>'), WireError)
  assert.throws(() => read(' <?xml version="1.0"?><a/>'), WireError)
})

test('what is not accepted is malformed', () => {
  for (const text of [
    '',
    'text',
    '<a>',
    '</a>',
    '<a></b>',
    '<a/><b/>',
    '<a/>text',
    '<a b=c/>',
    '<a xmlns="1" xmlns="2"/>',
    '<a xmlns="<"/>',
    '<1/>',
    '< a/>',
    '<a>&</a>',
    '<a>&unknown;</a>',
    '<a>&constructor;</a>',
    '<a>&#xFFFFFFFF;</a>',
    '<a>&#0;</a>',
    '<a><![CDATA[</a>',
    '<a><!-- </a>',
    '<!DOCTYPE a><a/>',
    '<!doctype a><a/>',
    '<a><!ENTITY b "c"></a>',
    '<a>\u0000</a>',
  ]) {
    assert.throws(
      () => read(text),
      (error) => error instanceof WireError && error.problem === 'malformed',
      text,
    )
  }
  assert.throws(
    () => read('<a b="c"/>'),
    (error) => error instanceof WireError && error.problem === 'unknown',
  )
})

test('depth is bounded, breadth is not', () => {
  const nested = (depth: number) => `${'<a>'.repeat(depth)}${'</a>'.repeat(depth)}`
  assert.equal(read(nested(40)).name, 'a')
  assert.throws(() => read(nested(41)), WireError)
  assert.equal(read(`<a>${'<b/>'.repeat(50_000)}</a>`).children.length, 50_000)
})

test('a message repeats only the beginning of a long name', () => {
  const name = 'a'.repeat(100_000)
  for (const body of [`<b></${name}>`, `<b ${name}="1"/>`]) {
    assert.throws(
      () => readXml(Buffer.from(body)),
      (error) => error instanceof WireError && error.message.length < 1_100,
    )
  }
})
