import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AccessStringError, accessRules, accessText, parseAccess } from './access-string.ts'

/** Access string, its one form, the lowest engine version. */
const FORMS: readonly [string, string, string][] = [
  ['on ~* +@all', 'on ~* +@all', '6.0'],
  ['on ~app::* +@read', 'on ~app::* -@all +@read', '6.0'],
  ['ON allkeys allcommands', 'on ~* +@all', '6.0'],
  ['~a ~b ~a', 'off ~a ~b -@all', '6.0'],
  ['on off ~* +get -@all +set', 'off ~* -@all +set', '6.0'],
  ['on ~x +@read -get +GET +@read', 'on ~x -@all +get +@read', '6.0'],
  ['on ~* &news.* +subscribe', 'on ~* resetchannels &news.* -@all +subscribe', '6.2'],
  ['on ~* &* +@all', 'on ~* &* +@all', '6.2'],
  ['on %R~a %W~a %rw~b %r~c +@all', 'on ~a ~b %R~c +@all', '7.0'],
  ['on ~* +@all -client|kill', 'on ~* +@all -client|kill', '7.0'],
  ['on +select|0 ~*', 'on ~* -@all +select|0', '7.0'],
  ['on +get ~a (~b +set) (%R~c +@read)', 'on ~a -@all +get (~b -@all +set) (%R~c -@all +@read)', '7.0'],
  ['on (~b +set) clearselectors +@all', 'on +@all', '7.0'],
  ['on ~* +waitaof', 'on ~* -@all +waitaof', '7.2'],
  ['', 'off -@all', '6.0'],
]
for (const [text, form, version] of FORMS) {
  test(`the form of "${text}"`, () => {
    const access = parseAccess(text)
    assert.equal(accessText(access), form)
    assert.equal(access.minimumVersion, version)
    assert.equal(accessText(parseAccess(form)), form, 'the form is its own form')
  })
}

const REFUSED: readonly [string, RegExp][] = [
  ['on nopass', /nopass/],
  ['reset on', /reset/],
  ['on resetpass', /resetpass/],
  ['on >secret-of-mine', /begins with >/],
  ['on <secret-of-mine', /begins with </],
  ['on #0123', /begins with #/],
  ['on skip-sanitize-payload', /skip-sanitize-payload/],
  ['on +nosuch', /no command/],
  ['on +client|nosuch', /no command/],
  ['on +@nosuch', /no category/],
  ['on +config', /restricted/],
  ['on +config|get', /restricted/],
  ['on +acl|setuser', /restricted/],
  ['on ~* ~a', /resetkeys/],
  ['on &* &a', /resetchannels/],
  ['on -select|0', /first argument/],
  ['on (~a +get', /no \) closes/],
  ['on %~a', /key pattern/],
  ['on %X~a', /key pattern/],
  ['on some-word', /not a rule/],
  ['on (on)', /not a rule/],
  ['on ~ä', /printable/],
]
for (const [text, words] of REFUSED) {
  test(`refused: "${text}"`, () => {
    assert.throws(
      () => parseAccess(text),
      (error) => error instanceof AccessStringError && words.test(error.message) && !/secret/.test(error.message),
    )
  })
}

test('denials stand behind the rules, in each selector', () => {
  const rules = accessRules(parseAccess('on ~a +@all (~b +cluster)'), ['-config', '-cluster|setslot'])
  assert.deepEqual(rules, [
    'on',
    '~a',
    '+@all',
    '-config',
    '-cluster|setslot',
    '(~b -@all +cluster -config -cluster|setslot)',
  ])
})
