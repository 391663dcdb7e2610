//! Statements and fields, row by row: a statement, and requests that match it or do not.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type AsksWaf,
  BODY,
  byteMatch,
  header,
  inspected,
  ipSetArn,
  METHOD,
  PATH,
  QUERY,
  regexSetArn,
  rule,
  type StoredField,
  type StoredStatement,
  transformations,
  webAclDoc,
} from '../../../test/support/web-acl.ts'
import { FIELDS, type PRE_PARSE_TRANSFORMATIONS, STATEMENTS } from '../../domain/waf/statements.ts'
import type { WebAclDoc } from '../../domain/waf/web-acl.ts'
import { compileWebAcl } from './compile.ts'
import { type CompileContext, Shared } from './compile-context.ts'
import { compileStatement } from './compile-statement.ts'

const contextOf = (changes: Partial<WebAclDoc> = {}): CompileContext => ({
  doc: webAclDoc([], changes),
  labelPrefix: 'awswaf:123456789012:webacl:acl:',
  rule: 'rule',
  group: null,
  shared: new Shared(),
})

interface Row {
  readonly says: string
  readonly statement: StoredStatement
  readonly yes: readonly AsksWaf[]
  readonly no: readonly AsksWaf[]
  readonly doc?: Partial<WebAclDoc>
}

function hold(rows: readonly Row[]): void {
  for (const { says, statement, yes, no, doc } of rows) {
    const { matches } = compileStatement(statement, contextOf(doc))
    for (const [asks, expected] of [
      ...yes.map((one) => [one, true] as const),
      ...no.map((one) => [one, false] as const),
    ]) {
      const request = inspected(asks)
      assert.equal(matches(request), expected, `${says}: ${JSON.stringify(asks)}`)
      // What is remembered of it says the same.
      assert.equal(matches(request), expected, `${says}, again: ${JSON.stringify(asks)}`)
    }
  }
}

const targets = (...all: string[]): AsksWaf[] => all.map((target) => ({ target }))
const addresses = (...all: string[]): AsksWaf[] => all.map((address) => ({ address }))
const fields = (...all: (readonly string[])[]): AsksWaf[] => all.map((headers) => ({ headers }))
const bodies = (...all: string[]): AsksWaf[] => all.map((body) => ({ body }))
const argument = (Name: string): StoredField => ({ SingleQueryArgument: { Name } })
const ALL_ARGUMENTS: StoredField = { AllQueryArguments: {} }

test('ByteMatchStatement by its positional constraints', () => {
  hold([
    {
      says: 'EXACTLY',
      statement: byteMatch('/a', PATH, 'EXACTLY'),
      yes: targets('/a', '/a?x'),
      no: targets('/ab', '/A', '//a'),
    },
    {
      says: 'STARTS_WITH',
      statement: byteMatch('/a', PATH, 'STARTS_WITH'),
      yes: targets('/a', '/ab'),
      no: targets('/ba'),
    },
    {
      says: 'ENDS_WITH',
      statement: byteMatch('.php', PATH, 'ENDS_WITH'),
      yes: targets('/x.php'),
      no: targets('/x.php/'),
    },
    {
      says: 'CONTAINS',
      statement: byteMatch('é', QUERY),
      yes: targets('/?x=\xc3\xa9'),
      no: targets('/?\xe9', '/\xc3\xa9'),
    },
    {
      says: 'CONTAINS_WORD',
      statement: byteMatch('bad', QUERY, 'CONTAINS_WORD'),
      yes: targets('/?bad', '/?x=bad-', '/?badly-bad'),
      no: targets('/?badly', '/?_bad', '/?9bad', '/'),
    },
    {
      says: 'a method',
      statement: byteMatch('POST', METHOD, 'EXACTLY'),
      yes: [{ method: 'POST' }],
      no: [{ method: 'GET' }],
    },
  ])
})

test('an attack hides in no second copy, no spelling of a name and no encoding of one', () => {
  hold([
    {
      says: 'a header',
      statement: byteMatch('evil', header('X-Thing')),
      yes: fields(['x-thing', 'evil'], ['X-THING', 'fine', 'x-Thing', 'evil']),
      no: fields(['x-other', 'evil'], [], ['x-thing', 'ev']),
    },
    {
      says: 'across two copies',
      statement: byteMatch('select, union', header('x-thing')),
      yes: fields(['x-thing', 'select', 'x-thing', 'union']),
      no: fields(['x-thing', 'select']),
    },
    {
      says: 'an argument',
      statement: byteMatch('evil', argument('Id')),
      yes: targets('/?id=evil', '/?a=1&ID=evil', '/?id=1&id=evil', '/?%69d=evil', '/?id=&&i%44=xevil'),
      no: targets('/?xid=evil', '/?ide=vil', '/?a=id=evil', '/'),
    },
    {
      says: 'all arguments',
      statement: byteMatch('evil', ALL_ARGUMENTS),
      yes: targets('/?id=evil', '/?a=1&b=2&a=evil', '/?evil', '/?a==evil'),
      no: targets('/?evil=1', '/evil', '/?e=vi&l=1'),
    },
    {
      says: 'all headers',
      statement: byteMatch(
        'x-evil',
        { Headers: { MatchPattern: { All: {} }, MatchScope: 'KEY', OversizeHandling: 'CONTINUE' } },
        'EXACTLY',
      ),
      yes: fields(['X-Evil', ''], ['x-evil', '1']),
      no: fields(['a', 'x-evil']),
    },
    {
      says: 'cookies',
      statement: byteMatch('evil', {
        Cookies: { MatchPattern: { IncludedCookies: ['a'] }, MatchScope: 'ALL', OversizeHandling: 'CONTINUE' },
      }),
      yes: fields(['Cookie', 'b=1; a=evil'], ['cookie', 'a=1', 'COOKIE', 'x=1;a =evil'], ['cookie', 'a=1; a=evil']),
      no: fields(['cookie', 'b=evil; A=evil']),
    },
  ])
})

test('headers and cookies by pattern, scope and size', () => {
  const headersOf = (
    pattern: object,
    scope: 'ALL' | 'KEY' | 'VALUE',
    handling: 'CONTINUE' | 'MATCH' | 'NO_MATCH' = 'CONTINUE',
  ) => byteMatch('evil', { Headers: { MatchPattern: pattern, MatchScope: scope, OversizeHandling: handling } })
  const many = Array.from({ length: 201 }, (_, at) => [`h${at}`, 'x']).flat()
  const large = ['big', 'x'.repeat(8_200)]
  const cookiesOf = (handling: 'CONTINUE' | 'MATCH' | 'NO_MATCH') =>
    byteMatch('evil', { Cookies: { MatchPattern: { All: {} }, MatchScope: 'VALUE', OversizeHandling: handling } })
  const manyCookies = `${Array.from({ length: 200 }, (_, at) => `c${at}=x`).join(';')};last=evil`
  hold([
    {
      says: 'included',
      statement: headersOf({ IncludedHeaders: ['X-A'] }, 'VALUE'),
      yes: fields(['x-a', 'evil']),
      no: fields(['x-b', 'evil'], ['x-a-evil', '']),
    },
    {
      says: 'excluded',
      statement: headersOf({ ExcludedHeaders: ['X-A'] }, 'ALL'),
      yes: fields(['x-b', 'evil'], ['x-evil', '']),
      no: fields(['x-a', 'evil']),
    },
    {
      says: 'values',
      statement: headersOf({ All: {} }, 'VALUE'),
      yes: fields(['x-cachefront-other', 'evil'], ['evil', 'evil']),
      no: fields(['evil', ''], ['x-cachefront-explain', 'evil']),
    },
    {
      says: 'no more than 200',
      statement: headersOf({ All: {} }, 'VALUE'),
      yes: fields(['x', 'evil', ...many]),
      no: fields([...many, 'x', 'evil']),
    },
    {
      says: 'no more than 8 KB',
      statement: headersOf({ All: {} }, 'VALUE'),
      yes: fields(['x', 'evil', ...large]),
      no: fields([...large, 'x', 'evil']),
    },
    {
      says: 'oversize matches',
      statement: headersOf({ All: {} }, 'VALUE', 'MATCH'),
      yes: fields(many, large),
      no: fields(many.slice(0, 100)),
    },
    {
      says: 'oversize does not',
      statement: headersOf({ All: {} }, 'VALUE', 'NO_MATCH'),
      yes: fields(['x', 'evil']),
      no: fields(['x', 'evil', ...large]),
    },
    {
      says: 'a single header behind them',
      statement: byteMatch('evil', header('x')),
      yes: fields([...many, 'x', 'evil']),
      no: [],
    },
    {
      says: 'cookies, 200',
      statement: cookiesOf('CONTINUE'),
      yes: fields(['cookie', manyCookies.slice(6)]),
      no: fields(['cookie', manyCookies]),
    },
    {
      says: 'cookies, oversize',
      statement: cookiesOf('MATCH'),
      yes: fields(['cookie', manyCookies], ['cookie', 'x'.repeat(8_193)]),
      no: fields(['cookie', 'a=b']),
    },
    {
      says: 'the order of headers',
      statement: byteMatch('host:x-a:x-b', { HeaderOrder: { OversizeHandling: 'NO_MATCH' } }, 'EXACTLY'),
      yes: fields(['X-A', '1', 'x-b', '2']),
      no: fields(['x-b', '2', 'x-a', '1'], ['x-a', '1', 'x-b', '2', ...large]),
    },
  ])
})

test('transformations in order of priority, also before the query is taken apart', () => {
  const both = (first: 'URL_DECODE' | 'LOWERCASE', second: 'URL_DECODE' | 'LOWERCASE') => {
    const statement = byteMatch('<a', QUERY)
    const [one, two] = transformations(first, second)
    return { ByteMatchStatement: { ...statement.ByteMatchStatement!, TextTransformations: [two!, one!] } }
  }
  const preParsed = (field: StoredField, ...types: (keyof typeof PRE_PARSE_TRANSFORMATIONS)[]) => ({
    ByteMatchStatement: {
      ...byteMatch('evil,x', field, 'EXACTLY').ByteMatchStatement!,
      PreParseTextTransformations: types.map((Type, Priority) => ({ Type, Priority })),
    },
  })
  hold([
    {
      says: 'both',
      statement: both('URL_DECODE', 'LOWERCASE'),
      yes: targets('/?%3C%41', '/?%3ca'),
      no: targets('/?%253Ca'),
    },
    {
      says: 'the other way round',
      statement: both('LOWERCASE', 'URL_DECODE'),
      yes: targets('/?%3Ca'),
      no: targets('/?%3C%41'),
    },
    {
      says: 'combined',
      statement: preParsed(argument('a'), 'COMBINE_DUPLICATE_QUERY_ARGS_BY_COMMA'),
      yes: targets('/?a=evil&b=1&a=x'),
      no: targets('/?a=x&a=evil', '/?a=evil&A=x'),
    },
    {
      says: 'decoded, then taken apart at semicolons, then combined',
      statement: preParsed(
        ALL_ARGUMENTS,
        'URL_DECODE',
        'REPLACE_SEMICOLONS_WITH_AMPERSANDS',
        'COMBINE_DUPLICATE_QUERY_ARGS_BY_COMMA',
      ),
      yes: targets('/?a=evil%26b=1%3Ba=x', '/?a=evil;a=x', '/?b%3Devil,x'),
      no: targets('/?a=evil'),
    },
  ])
})

test('addresses in IP sets, the viewer’s and those that a header names', () => {
  const set = (
    Position?: 'FIRST' | 'LAST' | 'ANY',
    FallbackBehavior: 'MATCH' | 'NO_MATCH' = 'NO_MATCH',
  ): StoredStatement => ({
    IPSetReferenceStatement: {
      ARN: ipSetArn('s'),
      ...(Position === undefined
        ? {}
        : { IPSetForwardedIPConfig: { HeaderName: 'X-Forwarded-For', Position, FallbackBehavior } }),
    },
  })
  const doc = {
    ipSets: { [ipSetArn('s')]: ['192.0.2.0/24', '198.51.100.7/32', '2001:db8:1::/48', '10.0.0.0/8', '10.1.0.0/16'] },
  }
  const forwarded = (...values: string[]) => fields(...values.map((value) => ['x-forwarded-for', value]))
  hold([
    {
      says: 'the viewer',
      statement: set(),
      doc,
      yes: addresses(
        '192.0.2.0',
        '192.0.2.255',
        '198.51.100.7',
        '2001:db8:1:ffff::1',
        '::ffff:192.0.2.9',
        '10.200.0.1',
        '10.1.2.3',
      ),
      no: addresses(
        '192.0.1.255',
        '192.0.3.0',
        '198.51.100.6',
        '2001:db8:2::',
        '2001:db8::1',
        '11.0.0.0',
        '9.255.255.255',
      ),
    },
    {
      says: 'of an empty set',
      statement: set(),
      doc: { ipSets: { [ipSetArn('s')]: [] } },
      yes: [],
      no: addresses('192.0.2.1', '::1'),
    },
    {
      says: 'of everything',
      statement: set(),
      doc: { ipSets: { [ipSetArn('s')]: ['0.0.0.0/1', '128.0.0.0/1', '::/1', '8000::/1'] } },
      yes: addresses('0.0.0.0', '255.255.255.255', '::', 'ffff::1'),
      no: [],
    },
    {
      says: 'the first',
      statement: set('FIRST'),
      doc,
      yes: forwarded('192.0.2.1, 8.8.8.8', ' 192.0.2.1:443', '[2001:db8:1::5]:80,x'),
      no: [...forwarded('8.8.8.8, 192.0.2.1', 'x, 192.0.2.1', '999.0.2.1', ''), { address: '192.0.2.1' }],
    },
    {
      says: 'the last',
      statement: set('LAST'),
      doc,
      yes: forwarded('8.8.8.8,192.0.2.1'),
      no: forwarded('192.0.2.1,8.8.8.8'),
    },
    {
      says: 'the last of two lines',
      statement: set('LAST'),
      doc,
      yes: fields(['x-forwarded-for', '8.8.8.8', 'X-FORWARDED-FOR', '192.0.2.1']),
      no: [],
    },
    {
      says: 'any of the last ten',
      statement: set('ANY'),
      doc,
      yes: forwarded('8.8.8.8,192.0.2.1,x', `192.0.2.1${',1.1.1.1'.repeat(9)}`),
      no: forwarded('8.8.8.8', `192.0.2.1${',1.1.1.1'.repeat(10)}`),
    },
    {
      says: 'the fallback',
      statement: set('FIRST', 'MATCH'),
      doc,
      yes: forwarded('x', '192.0.2.1', 'unknown, 8.8.8.8'),
      no: [{}, ...forwarded('8.8.8.8')],
    },
  ])
})

test('countries, regions and autonomous systems', () => {
  const places = {
    '192.0.2.1': { country: 'DE', region: 'BY', asn: '3320' },
    '198.51.100.1': { country: 'US', asn: '16509' },
  }
  const forwarded = { ForwardedIPConfig: { HeaderName: 'X-Forwarded-For', FallbackBehavior: 'MATCH' } } as const
  const us = ['x-forwarded-for', '198.51.100.1, 192.0.2.1']
  hold([
    {
      says: 'GeoMatchStatement',
      statement: { GeoMatchStatement: { CountryCodes: ['DE', 'FR'] } },
      yes: [{ places }],
      no: [
        { places, address: '198.51.100.1' },
        { places, address: '203.0.113.1' },
      ],
    },
    {
      says: 'of a header',
      statement: { GeoMatchStatement: { CountryCodes: ['US'], ...forwarded } },
      yes: [
        { places, headers: us },
        { places, headers: ['x-forwarded-for', 'unknown'] },
      ],
      no: [{ places, address: '198.51.100.1' }],
    },
    {
      says: 'AsnMatchStatement',
      statement: { AsnMatchStatement: { AsnList: [3320, 1] } },
      yes: [{ places }],
      no: [
        { places, address: '198.51.100.1' },
        { places, address: '203.0.113.1' },
      ],
    },
    { says: 'of no known system', statement: { AsnMatchStatement: { AsnList: [0] } }, yes: [{}], no: [{ places }] },
  ])
  const labelled = (statement: StoredStatement, asks: AsksWaf) => {
    const request = inspected(asks)
    compileStatement(statement, contextOf()).matches(request)
    return request.labels
  }
  const prefix = 'awswaf:clientip:geo:'
  assert.deepEqual(labelled({ GeoMatchStatement: { CountryCodes: ['FR'] } }, { places }), [
    `${prefix}country:DE`,
    `${prefix}region:DE-BY`,
  ])
  assert.deepEqual(labelled({ GeoMatchStatement: { CountryCodes: ['FR'] } }, {}), [
    `${prefix}country:XX`,
    `${prefix}region:XX-XX`,
  ])
  assert.deepEqual(labelled({ GeoMatchStatement: { CountryCodes: ['FR'], ...forwarded } }, { places, headers: us }), [
    'awswaf:forwardedip:geo:country:US',
    'awswaf:forwardedip:geo:region:US-XX',
  ])
  const { matches } = compileStatement({ GeoMatchStatement: { CountryCodes: ['FR'] } }, contextOf())
  assert.throws(() => matches(inspected({ noGeoip: true })), /no GeoIP database/)
  const system = compileStatement({ AsnMatchStatement: { AsnList: [3320] } }, contextOf())
  assert.throws(() => system.matches(inspected({ noGeoip: true })), /no database of autonomous systems/)
})

test('regular expressions, alone and in sets', () => {
  const regex = (RegexString: string, field: StoredField = QUERY): StoredStatement => ({
    RegexMatchStatement: { RegexString, FieldToMatch: field, TextTransformations: transformations() },
  })
  hold([
    { says: 'anywhere', statement: regex('b[0-9]+d'), yes: targets('/?ab12d'), no: targets('/?bd', '/b1d') },
    {
      says: 'anchors and case',
      statement: regex('(?i)^SELECT\\b.*from$'),
      yes: targets('/?select%20x from'),
      no: targets('/?selected from', '/?xselect from'),
    },
    { says: 'bytes of UTF-8', statement: regex('^é+$', header('x')), yes: [], no: fields(['x', '\xc3\xa9\xc3']) },
    {
      says: 'a character',
      statement: regex('^é$', header('x')),
      yes: fields(['x', '\xc3\xa9']),
      no: fields(['x', '\xe9']),
    },
    {
      says: 'a set',
      statement: {
        RegexPatternSetReferenceStatement: {
          ARN: regexSetArn('s'),
          FieldToMatch: PATH,
          TextTransformations: transformations('LOWERCASE'),
        },
      },
      doc: { regexSets: { [regexSetArn('s')]: ['\\.bak$', '^/\\.git/'] } },
      yes: targets('/X.BAK', '/.git/config'),
      no: targets('/x.bak/', '/a/.git/'),
    },
    // Exponential in a backtracking engine.
    {
      says: 'catastrophic',
      statement: regex('^(a+)+$|(x|x?)*$q'),
      yes: targets(`/?${'a'.repeat(2_000)}`),
      no: targets(`/?${'a'.repeat(2_000)}!`),
    },
  ])
  assert.throws(() => compileStatement(regex('(a)\\1'), contextOf()), /cannot be used/)
  assert.throws(() => compileStatement(regex('(?=a)'), contextOf()), /cannot be used/)
})

test('sizes', () => {
  const size = (
    ComparisonOperator: 'EQ' | 'NE' | 'LE' | 'LT' | 'GE' | 'GT',
    Size: number,
    field: StoredField = QUERY,
  ): StoredStatement => ({
    SizeConstraintStatement: {
      FieldToMatch: field,
      ComparisonOperator,
      Size,
      TextTransformations: transformations('URL_DECODE'),
    },
  })
  const bodySize = (OversizeHandling?: 'CONTINUE' | 'MATCH' | 'NO_MATCH'): StoredStatement => ({
    SizeConstraintStatement: {
      FieldToMatch: { Body: OversizeHandling === undefined ? {} : { OversizeHandling } },
      ComparisonOperator: 'GT',
      Size: 20_000,
      TextTransformations: transformations(),
    },
  })
  const large = { body: { texts: ['x'.repeat(16_384)], oversize: true, bytes: 30_000 } }
  const short = { body: { texts: ['x'.repeat(16_384)], oversize: true, bytes: 16_385 } }
  hold([
    { says: 'EQ', statement: size('EQ', 3), yes: targets('/?abc', '/?a%42c'), no: targets('/?ab', '/') },
    { says: 'NE', statement: size('NE', 3), yes: targets('/'), no: targets('/?abc') },
    { says: 'LE', statement: size('LE', 3), yes: targets('/?abc', '/'), no: targets('/?abcd') },
    { says: 'LT', statement: size('LT', 3), yes: targets('/?ab'), no: targets('/?abc') },
    { says: 'GE', statement: size('GE', 3), yes: targets('/?abc'), no: targets('/?ab') },
    { says: 'GT', statement: size('GT', 3), yes: targets('/?abcd'), no: targets('/?abc') },
    {
      says: 'a header that is not there has none',
      statement: size('LT', 100, header('x')),
      yes: fields(['x', '']),
      no: [{}],
    },
    { says: 'a body larger than is looked at', statement: bodySize(), yes: [large], no: [short, ...bodies('', 'x')] },
    { says: 'oversize matches', statement: bodySize('MATCH'), yes: [large, short], no: bodies('x') },
    { says: 'oversize does not', statement: bodySize('NO_MATCH'), yes: [], no: [large, short] },
  ])
})

test('bodies', () => {
  const over = (OversizeHandling: 'CONTINUE' | 'MATCH' | 'NO_MATCH') =>
    byteMatch('evil', { Body: { OversizeHandling } })
  const cut = (text: string) => ({ body: { texts: [text], oversize: true } })
  hold([
    { says: 'text', statement: byteMatch('evil', BODY), yes: bodies('an evil one'), no: bodies('', 'fine') },
    { says: 'none is empty', statement: byteMatch('', BODY, 'EXACTLY'), yes: bodies(''), no: bodies('x') },
    { says: 'packed', statement: byteMatch('evil', BODY), yes: [{ body: { texts: ['\x1f\x8b', 'evil'] } }], no: [] },
    { says: 'CONTINUE', statement: over('CONTINUE'), yes: [cut('evil')], no: [cut('x')] },
    { says: 'MATCH', statement: over('MATCH'), yes: [cut('x')], no: bodies('x') },
    { says: 'NO_MATCH', statement: over('NO_MATCH'), yes: bodies('evil'), no: [cut('evil')] },
  ])
})

test('JSON bodies by pattern, scope and fallback', () => {
  const json = (pattern: object, MatchScope: 'ALL' | 'KEY' | 'VALUE' = 'ALL', more: object = {}) =>
    byteMatch('evil', { JsonBody: { MatchPattern: pattern, MatchScope, ...more } }, 'EXACTLY')
  const paths = (...IncludedPaths: string[]) => ({ IncludedPaths })
  const all = { All: {} }
  const deep = `${'['.repeat(8_000)}"evil"${']'.repeat(8_000)}`
  const nested = `${'['.repeat(3_000)}${']'.repeat(3_000)}`
  const lied = (raw: string, unpacked: string) => ({ body: { texts: [raw, unpacked], oversize: true } })
  const packed = (text: string) => ({ body: { texts: ['\x1f\x8b', text] } })
  hold([
    {
      says: 'everything',
      statement: json(all),
      yes: bodies(
        '"evil"',
        '{"evil":1}',
        '[[{"a":["evil"]}]]',
        '{"a":"\\u0065vil"}',
        ' {"a" : 1 , "b" : "evil" } ',
        '{"a":1,"a":"evil"}',
        '\xef\xbb\xbf["evil"]',
      ),
      no: bodies('', '{}', '[]', '{"a":"not evil"}', 'null', '12'),
    },
    { says: 'keys', statement: json(all, 'KEY'), yes: bodies('{"a":[{"evil":0}]}'), no: bodies('{"a":"evil"}') },
    { says: 'values', statement: json(all, 'VALUE'), yes: bodies('{"a":"evil"}'), no: bodies('{"evil":1}') },
    {
      says: 'paths',
      statement: json(paths('/a/b', '/c/1')),
      yes: bodies(
        '{"a":{"b":"evil"}}',
        '{"a":{"b":{"x":["evil"]}}}',
        '{"c":[0,"evil"]}',
        '{"a":{"b":{"evil":1}}}',
        '{"a":1,"a":{"b":"evil"}}',
      ),
      no: bodies('{"a":"evil"}', '{"b":"evil"}', '{"c":["evil"]}', '{"a":{"bb":"evil","evil":1}}', '["evil"]'),
    },
    {
      says: 'a path with escapes',
      statement: json(paths('/a~1b/~0')),
      yes: bodies('{"a/b":{"~":"evil"}}'),
      no: bodies('{"a":{"b":"evil"}}'),
    },
    {
      says: 'the key that a path ends with',
      statement: json(paths('/evil'), 'KEY'),
      yes: bodies('{"evil":1}'),
      no: bodies('{"a":{"evil":1}}'),
    },
    {
      says: 'broken: what comes before, without a fallback',
      statement: json(all),
      yes: bodies('["evil",', '["evil"}', '{"a":"evil" x'),
      no: bodies('evil', '[x,"evil"]', '{a:"evil"}', '[01,"evil"]'),
    },
    { says: 'a string that is cut off', statement: json(all), yes: bodies('["evil'), no: [] },
    {
      says: 'behind and within any number of brackets',
      statement: json(all, 'ALL', { InvalidFallbackBehavior: 'NO_MATCH' }),
      yes: bodies(deep, `[${nested},"evil"]`),
      no: bodies(nested),
    },
    {
      says: 'a Content-Encoding that is a lie hides nothing, packed bytes are no invalid JSON',
      statement: json(all, 'ALL', { InvalidFallbackBehavior: 'NO_MATCH' }),
      yes: [lied('["evil"]', ''), lied('["evil"]', '["fine"]'), packed('["evil"]')],
      no: [lied('["fine"]', ''), packed('["fine"]')],
    },
    {
      says: 'neither is JSON',
      statement: json(all, 'ALL', { InvalidFallbackBehavior: 'MATCH' }),
      yes: [lied('x', ''), packed('x')],
      no: [packed('[]'), lied('[]', 'x')],
    },
    {
      says: 'fallback MATCH',
      statement: json(all, 'ALL', { InvalidFallbackBehavior: 'MATCH' }),
      yes: bodies('{', 'x', '{} {}'),
      no: bodies('{}', ''),
    },
    {
      says: 'fallback NO_MATCH',
      statement: json(all, 'ALL', { InvalidFallbackBehavior: 'NO_MATCH' }),
      yes: bodies('["evil"]'),
      no: bodies('["evil",'),
    },
    {
      says: 'cut off by the limit, it is not the fallback’s',
      statement: json(all, 'ALL', { InvalidFallbackBehavior: 'NO_MATCH' }),
      yes: [{ body: { texts: ['["evil","xxx'], oversize: true } }],
      no: [{ body: { texts: ['["x","xxx'], oversize: true } }],
    },
    {
      says: 'fallback to text',
      statement: json(all, 'KEY', { InvalidFallbackBehavior: 'EVALUATE_AS_STRING' }),
      yes: bodies('evil'),
      no: bodies('"evil"'),
    },
    {
      says: 'oversize',
      statement: json(all, 'ALL', { OversizeHandling: 'MATCH' }),
      yes: [{ body: { texts: ['[]'], oversize: true } }],
      no: bodies('[]'),
    },
    {
      says: 'what a packed one has in it',
      statement: json(all),
      yes: [{ body: { texts: ['\x1f\x8b', '["evil"]'] } }],
      no: [],
    },
  ])
})

test('labels, whole, in part and by namespace', () => {
  const match = (Scope: 'LABEL' | 'NAMESPACE', Key: string): StoredStatement => ({
    LabelMatchStatement: { Scope, Key },
  })
  const labelled = (...labels: string[]): AsksWaf[] => labels.map((label) => ({ labels: ['awswaf:x', label] }))
  const own = 'awswaf:123456789012:webacl:acl:'
  const managed = 'awswaf:managed:aws:core-rule-set:'
  hold([
    {
      says: 'a label of the same web ACL',
      statement: match('LABEL', 'header:encoding:utf8'),
      yes: labelled(`${own}header:encoding:utf8`, `${own}ns:header:encoding:utf8`),
      no: labelled(
        `${own}header:encoding2:utf8`,
        `${own}xheader:encoding:utf8`,
        `${own}header:encoding:utf8:x`,
        `${managed}header:encoding:utf8`,
      ),
    },
    {
      says: 'the whole name',
      statement: match('LABEL', `${managed}a:B`),
      yes: labelled(`${managed}a:B`),
      no: labelled(`${managed}a:b`, `${managed}x:a:B`, `${own}a:B`),
    },
    {
      says: 'a namespace of the same web ACL',
      statement: match('NAMESPACE', 'header:encoding:'),
      yes: labelled(`${own}header:encoding:utf8`, `${own}ns:header:encoding:x:y`),
      no: labelled(
        `${own}header:encoding`,
        `${managed}header:encoding:utf8`,
        'awswaf:999999999999:webacl:acl:header:encoding:utf8',
      ),
    },
    {
      says: 'one with its prefix',
      statement: match('NAMESPACE', managed),
      yes: labelled(`${managed}a:b`),
      no: labelled('awswaf:managed:aws:core-rule-set2:a'),
    },
  ])
})

test('AND, OR and NOT, in each other', () => {
  const path = (text: string) => byteMatch(text, PATH)
  hold([
    {
      says: 'AND',
      statement: { AndStatement: { Statements: [path('a'), path('b')] } },
      yes: targets('/ab'),
      no: targets('/a', '/b'),
    },
    {
      says: 'OR',
      statement: { OrStatement: { Statements: [path('a'), path('b')] } },
      yes: targets('/a', '/b'),
      no: targets('/c'),
    },
    { says: 'NOT', statement: { NotStatement: { Statement: path('a') } }, yes: targets('/b'), no: targets('/a') },
  ])
  const bounded = Array.from({ length: 20 }).reduce<StoredStatement>(
    (Statement) => ({ NotStatement: { Statement } }),
    path('a'),
  )
  hold([{ says: '20 deep', statement: bounded, yes: targets('/a'), no: targets('/b') }])
})

test('what the API takes compiles, and nothing else does', () => {
  const text = (field: StoredField) => byteMatch('x', field)
  const samples: Partial<Record<keyof typeof FIELDS, StoredField>> = {
    Body: BODY,
    Cookies: { Cookies: { MatchPattern: { All: {} }, MatchScope: 'ALL', OversizeHandling: 'MATCH' } },
    HeaderOrder: { HeaderOrder: { OversizeHandling: 'MATCH' } },
    Headers: { Headers: { MatchPattern: { All: {} }, MatchScope: 'ALL', OversizeHandling: 'MATCH' } },
    JA3Fingerprint: { JA3Fingerprint: { FallbackBehavior: 'MATCH' } },
    JA4Fingerprint: { JA4Fingerprint: { FallbackBehavior: 'MATCH' } },
    JsonBody: { JsonBody: { MatchPattern: { All: {} }, MatchScope: 'ALL' } },
    SingleHeader: header('x'),
    SingleQueryArgument: argument('x'),
  }
  for (const [name, { built }] of Object.entries(FIELDS)) {
    const field = samples[name as keyof typeof FIELDS] ?? ({ [name]: {} } as StoredField)
    const compile = () => compileStatement(text(field), contextOf())
    if (built) assert.ok(compile(), name)
    else assert.throws(compile, /is not built/, name)
  }
  for (const [name, { built }] of Object.entries(STATEMENTS)) {
    const statement = { [name]: {} } as StoredStatement
    const { broken } = compileWebAcl(webAclDoc([rule('r', statement)]))
    if (!built) assert.match(broken ?? '', new RegExp(`^${name} .*is not built$`))
  }
})
