//! SCENARIO: access strings against a real engine: it takes what the parser takes, and the one form allows exactly what
//! the string itself does. The table of commands is the engine's.
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { Redis } from 'ioredis'
import { AccessStringError, accessRules, accessText, parseAccess } from '../../../src/domain/acl/access-string.ts'
import { BASE_CATEGORIES, BASE_COMMANDS } from '../../../src/domain/acl/commands.ts'
import { denials, isRestricted } from '../../../src/domain/acl/restricted.ts'
import { adminAt } from '../../support/keeper-door.ts'
import { KeeperHost, redisGroup } from '../../support/keeper-host.ts'
import { type Random, randomOf } from '../../support/random.ts'

let host: KeeperHost
let engine: Redis

before(async () => {
  host = await KeeperHost.start()
  host.wish([redisGroup('one', 1)])
  engine = await adminAt(host.home, 'one', (await host.settled('one')).endpoint)
})

after(async () => {
  engine.disconnect()
  await host.end()
})

test('the table of commands and categories is that of the engine', async () => {
  const listed = (await engine.call('COMMAND', 'LIST')) as string[]
  assert.deepEqual([...BASE_COMMANDS].sort(), listed.map((name) => name.toLowerCase()).sort())
  const categories = (await engine.acl('CAT')) as string[]
  assert.deepEqual([...BASE_CATEGORIES].sort(), [...categories].sort())
})

/** What the engine makes of the rules; null when it refuses them. */
async function describe(rules: readonly string[]): Promise<string | null> {
  try {
    await engine.call('ACL', 'SETUSER', 'probe', 'reset', 'resetchannels', ...rules)
  } catch {
    return null
  }
  return JSON.stringify(await engine.acl('GETUSER', 'probe'))
}

const WORDS = `
  on off ~* allkeys resetkeys ~a* ~b %R~a* %W~a* %RW~c %R~d &* allchannels resetchannels &ch* &news +@all -@all
  allcommands nocommands +@read +@write -@dangerous -@admin +@pubsub +get -get +set -set +client -client|kill
  +client|list +select|0 +select -select +cluster|info clearselectors ( ) +@nosuch +nosuch +client|nosuch -select|1 %~x
  %Q~x word
`
  .split(/\s+/)
  .filter(Boolean)

function anyString(random: Random): string {
  const words: string[] = []
  for (let left = random.whole(9); left > 0; left--) {
    const word = random.pick(WORDS)
    if (word === ')') continue
    if (word !== '(') words.push(word)
    else words.push(`(${[random.pick(WORDS), random.pick(WORDS)].filter((w) => !/[()]/.test(w)).join(' ')})`)
  }
  return words.join(' ')
}

test('1,000 strings: taken and refused as the engine does, and the form means the same', async () => {
  const random = randomOf(7)
  let taken = 0
  for (let round = 0; round < 1000; round++) {
    const text = anyString(random)
    const words = text.match(/\([^)]*\)|\S+/g) ?? []
    const byItself = await describe(words)
    try {
      const access = parseAccess(text)
      const form = accessText(access)
      assert.notEqual(byItself, null, `the engine refuses "${text}"`)
      assert.equal(await describe(form.match(/\([^)]*\)|\S+/g) ?? []), byItself, `"${text}" became "${form}"`)
      assert.notEqual(await describe(accessRules(access, denials('redis', '7.1'))), null, text)
      taken++
    } catch (error) {
      if (!(error instanceof AccessStringError)) throw error
      assert.equal(byItself, null, `the engine takes "${text}": ${error.message}`)
    }
  }
  assert.ok(taken > 250, `${taken} strings were taken`)
})

test('whatever is granted, no restricted command is allowed', async () => {
  const restricted = [...BASE_COMMANDS].filter(isRestricted)
  for (const text of ['on ~* &* +@all', 'on ~a (~* &* +@all)', 'on ~* +@admin +@dangerous +cluster +acl']) {
    await describe(accessRules(parseAccess(text), denials('redis', '7.1')))
    for (const name of restricted) {
      const answer = await engine.call('ACL', 'DRYRUN', 'probe', ...name.split('|'), 'a', 'b', 'c').catch(String)
      assert.notEqual(answer, 'OK', `${name} by ${text}`)
    }
  }
})
