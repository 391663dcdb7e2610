import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FieldEncryptionDoc, FieldProfileDoc } from '../../domain/field-encryption.ts'
import { chooseFields } from './choose.ts'
import { compileFields, compileProfile, type FieldsPlan } from './plan.ts'

const profile = (id: string, patterns: readonly string[] = ['card']): FieldProfileDoc => ({
  id,
  name: id,
  entities: [{ providerId: 'provider', keyName: 'key', publicKey: '', patterns }],
})

const FORM = 'application/x-www-form-urlencoded'

const plan = (changes: Partial<FieldEncryptionDoc> = {}): FieldsPlan =>
  compileFields({
    id: 'C1',
    contentTypes: [{ contentType: FORM, profile: profile('P1') }],
    forwardsUnknownType: false,
    queryArgs: null,
    ...changes,
  }) as FieldsPlan

const FORWARDS = { forwardsUnknownType: true }
const NO_PROFILE = { contentTypes: [{ contentType: FORM, profile: null }] }
const ARGS = (forwardsUnknown: boolean) => ({
  queryArgs: { forwardsUnknown, profiles: [{ queryArg: 'Other+%2Ba', profile: profile('P2') }] },
})

interface Row {
  readonly what: string
  readonly config?: Partial<FieldEncryptionDoc>
  /** Absent for a form. */
  readonly types?: readonly string[]
  readonly encodings?: readonly string[]
  readonly query?: string
  /** A status, or the id of the profile that encrypts. */
  readonly expected: string
}

const ROWS: readonly Row[] = [
  { what: 'a form', expected: 'P1' },
  {
    what: 'case and parameters do not matter',
    types: [`${FORM.toUpperCase()} ; Charset="UTF-8"; q=1`],
    expected: 'P1',
  },
  { what: 'an encoding like ASCII', types: [`${FORM}; charset=ISO-8859-15`], expected: 'P1' },
  { what: 'UTF-16 hides names', types: [`${FORM}; charset=utf-16`], expected: 'MalformedContentTypeClientError' },
  { what: 'so does EBCDIC', types: [`${FORM};charset=ibm037`], expected: 'MalformedContentTypeClientError' },
  { what: 'in RFC 8187, too', types: [`${FORM}; charset*=utf-16''x`], expected: 'MalformedContentTypeClientError' },
  { what: 'no parameter', types: [`${FORM}; charset`], expected: 'MalformedContentTypeClientError' },
  { what: 'no type', types: [''], expected: 'MalformedContentTypeClientError' },
  { what: 'no subtype', types: ['application'], expected: 'MalformedContentTypeClientError' },
  { what: 'two', types: [FORM, FORM], expected: 'MalformedContentTypeClientError' },
  { what: 'a list', types: [`${FORM}, text/plain`], expected: 'MalformedContentTypeClientError' },
  { what: 'JSON', types: ['application/json'], expected: 'RejectedByContentType' },
  { what: 'JSON, forwarded', config: FORWARDS, types: ['application/json'], expected: 'ForwardedByContentType' },
  { what: 'multipart', types: ['multipart/form-data; boundary="a;b"'], expected: 'RejectedByContentType' },
  { what: 'none', types: [], expected: 'RejectedByContentType' },
  { what: 'none, forwarded', config: FORWARDS, types: [], expected: 'ForwardedByContentType' },
  { what: 'a type without profile', config: NO_PROFILE, expected: 'ForwardedDueToNoProfile' },
  {
    what: 'a listed type that is no form',
    config: { contentTypes: [{ contentType: 'application/json', profile: null }] },
    types: ['application/json'],
    expected: 'ForwardedDueToNoProfile',
  },
  { what: 'gzip hides fields', encodings: ['gzip'], expected: 'MalformedInputClientError' },
  { what: 'identity hides nothing', encodings: ['identity'], expected: 'P1' },
  { what: 'gzip that nobody looks into', config: NO_PROFILE, encodings: ['gzip'], expected: 'ForwardedDueToNoProfile' },
  { what: 'without QueryArgProfileConfig', query: 'fle-profile=x', expected: 'P1' },
  { what: 'the argument wins', config: ARGS(false), query: 'a=1&fle-profile=Other+%2Ba', expected: 'P2' },
  { what: 'encoded otherwise', config: ARGS(true), query: 'fle%2Dprofile=%4Fther%20%2ba', expected: 'P2' },
  {
    what: 'twice the same',
    config: ARGS(true),
    query: 'fle-profile=Other+%2Ba&fle-profile=Other+%2Ba',
    expected: 'P2',
  },
  { what: 'no argument', config: ARGS(false), query: 'Fle-Profile=x&profile=y', expected: 'P1' },
  { what: 'unknown', config: ARGS(false), query: 'fle-profile=x', expected: 'RejectedByQueryArgs' },
  { what: 'unknown, forwarded', config: ARGS(true), query: 'fle-profile=x', expected: 'ForwardedByQueryArgs' },
  {
    what: 'an argument alone makes a form known',
    config: { ...ARGS(true), contentTypes: [] },
    query: 'fle-profile=Other+%2Ba',
    expected: 'P2',
  },
  { what: 'no type is known', config: { contentTypes: [] }, expected: 'RejectedByContentType' },
  {
    what: 'the argument lets nothing by that its type does not',
    config: ARGS(true),
    types: ['application/json'],
    query: 'fle-profile=x',
    expected: 'RejectedByContentType',
  },
  {
    what: 'nor the type what the argument does not',
    config: { ...ARGS(false), ...FORWARDS },
    types: ['application/json'],
    query: 'fle-profile=x',
    expected: 'RejectedByQueryArgs',
  },
  { what: 'empty', config: ARGS(true), query: 'fle-profile=', expected: 'MalformedQueryArgsClientError' },
  { what: 'without =', config: ARGS(true), query: 'fle-profile', expected: 'MalformedQueryArgsClientError' },
  { what: 'bad percent', config: ARGS(true), query: 'fle-profile=%zz', expected: 'MalformedQueryArgsClientError' },
  { what: 'other characters', config: ARGS(true), query: 'fle-profile=a/b', expected: 'MalformedQueryArgsClientError' },
  {
    what: 'over-long',
    config: ARGS(true),
    query: `fle-profile=${'x'.repeat(129)}`,
    expected: 'MalformedQueryArgsClientError',
  },
  {
    what: 'two that differ',
    config: ARGS(true),
    query: 'fle-profile=Other+%2Ba&fle-profile=x',
    expected: 'MalformedQueryArgsClientError',
  },
]

for (const { what, config, types = [FORM], encodings = [], query = null, expected } of ROWS) {
  test(`what is done with a body: ${what}`, () => {
    const choice = chooseFields(plan(config), { contentTypes: types, encodings, query })
    assert.equal(choice.kind === 'encrypt' ? choice.profile.doc.id : choice.status, expected)
    assert.equal(choice.kind === 'forward', expected.startsWith('Forwarded'))
  })
}

test('blanks in a Content-Type and a Content-Encoding cost no more than they are long', () => {
  const blanks = ' '.repeat(20_000)
  const asked = { contentTypes: [FORM], encodings: [], query: null }
  const before = process.cpuUsage()
  const statuses = [
    { ...asked, contentTypes: [`${FORM};${blanks}!`] },
    { ...asked, contentTypes: [`${FORM};a=1${blanks};${blanks}`] },
    { ...asked, encodings: [`${blanks}x`] },
  ].map((one) => chooseFields(plan(), one))
  const { user, system } = process.cpuUsage(before)
  assert.deepEqual(
    statuses.map((choice) => (choice.kind === 'encrypt' ? choice.kind : choice.status)),
    ['MalformedContentTypeClientError', 'encrypt', 'MalformedInputClientError'],
  )
  assert.ok(user + system < 300_000, 'it was 1.3 seconds')
})

test('a name is encrypted by the entity whose pattern it has', () => {
  const { entityOf } = compileProfile({
    ...profile('P1', ['card', 'x*']),
    entities: [
      ...profile('P1', ['card', 'x*']).entities,
      { ...profile('P1', ['y[0]']).entities[0]!, keyName: 'second' },
    ],
  })
  const keys = ['card', 'card1', 'x', 'xyz', 'y[0]', 'y[1]', '*', ''].map((name) => entityOf(name)?.keyName ?? null)
  assert.deepEqual(keys, ['key', null, 'key', 'key', 'second', null, null, null])
})
