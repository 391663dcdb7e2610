import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { describe, it } from 'node:test'
import { runInNewContext } from 'node:vm'
import { inflateSync } from 'node:zlib'
import { soundCaptcha } from './captcha-audio.ts'
import { CHARACTERS, drawCaptcha, IMAGE_HEIGHT, IMAGE_WIDTH } from './captcha-image.ts'
import { CHALLENGE_SCRIPT } from './challenge-script.ts'
import { Claims } from './claims.ts'
import {
  CAPTCHA_MS,
  isCaptchaSolved,
  isWorkDone,
  makeCaptcha,
  makeWork,
  openCaptcha,
  openOnward,
  openWork,
  sealOnward,
  workText,
} from './puzzle.ts'
import { KEY_BYTES } from './sealed.ts'
import { SeededRandom } from './seeded-random.ts'

const NOW = 1_800_000_000_000
const HOST = 'a.example.com'
const keys = { current: randomBytes(KEY_BYTES), previous: null }

describe('puzzles', () => {
  it('are opened by the host that they were made for, while they are new, and say nothing themselves', () => {
    const sealed = makeCaptcha(HOST, NOW, keys)
    const puzzle = openCaptcha(sealed, HOST, NOW, keys)
    assert.match(puzzle?.characters ?? '', /^[A-Z3479]{5}$/)
    assert.match(puzzle?.beeps ?? '', /^[1-5]{5}$/)
    for (const text of [sealed, Buffer.from(sealed, 'base64url').toString('latin1')])
      assert.equal(text.includes(puzzle?.characters ?? '-'), false)
    assert.equal(openCaptcha(sealed, 'b.example.com', NOW, keys), null)
    assert.equal(openCaptcha(sealed, HOST, NOW + CAPTCHA_MS, keys), null)
    assert.equal(openCaptcha(sealed, HOST, NOW - 60_000, keys), null)
    assert.equal(openCaptcha(sealed, HOST, NOW, { current: randomBytes(KEY_BYTES), previous: null }), null)
    assert.equal(openWork(sealed, HOST, NOW, keys), null)
    for (const other of ['', 'x', sealed.slice(1), `${sealed}A`, sealed.toLowerCase(), 'A'.repeat(10_000)])
      assert.equal(openCaptcha(other, HOST, NOW, keys), null)
  })

  it('take the characters or the beeps, whatever the capitals and blanks', () => {
    const puzzle = { kind: 'captcha', host: HOST, id: '', madeAt: 0, characters: 'A7KXP', beeps: '31422' } as const
    for (const answer of ['A7KXP', 'a7kxp', ' a 7kx P', '31422', '3 1 4 2 2', '3,1,4,2,2'])
      assert.equal(isCaptchaSolved(puzzle, answer), true, answer)
    for (const answer of ['', 'A7KX', 'A7KXPP', '3142', 'A7KXP31422'])
      assert.equal(isCaptchaSolved(puzzle, answer), false)
  })

  it('lead on to the page that was asked for, and nowhere else', () => {
    assert.equal(openOnward(sealOnward(HOST, '/a?b=c', keys), HOST, keys), '/a?b=c')
    assert.equal(openOnward(sealOnward('b.example.com', '/a', keys), HOST, keys), '/')
    for (const sealed of ['', 'https://elsewhere.example/', makeCaptcha(HOST, NOW, keys)])
      assert.equal(openOnward(sealed, HOST, keys), '/')
  })

  it('are answered once', () => {
    const claims = new Claims(3)
    assert.equal(claims.claim('a', NOW + 10, NOW), true)
    assert.equal(claims.claim('a', NOW + 10, NOW), false)
    for (const id of ['b', 'c', 'd', 'e']) assert.equal(claims.claim(id, NOW + 10, NOW), true)
    assert.equal(claims.size, 3)
    assert.equal(claims.claim('e', NOW + 10, NOW), false)
    assert.equal(claims.claim('f', NOW + 99, NOW + 11), true)
    assert.equal(claims.size, 1)
  })

  it('the script of the page finds the number that node:crypto agrees with', async () => {
    const sealed = makeWork(HOST, NOW, keys)
    const given = await runScript(sealed)
    assert.equal(given.get('p'), sealed)
    assert.equal(isWorkDone(sealed, given.get('n') ?? ''), true)
    const hash = createHash('sha256')
      .update(`${workText(sealed)}.${given.get('n')}`)
      .digest('hex')
    assert.match(hash, /^0{4}/)
    for (const number of ['', '-1', '1e3', '0x1', 'NaN', '9'.repeat(30)])
      assert.equal(isWorkDone(sealed, number), false)
    assert.equal(openWork(sealed, HOST, NOW + 300_000, keys), null)
  })

  it('are drawn the same for the same seed, and differently for another', () => {
    for (const character of CHARACTERS) assert.ok(inked(drawCaptcha(character, new SeededRandom('a'))) > 300, character)
    const drawn = drawCaptcha('A7KXP', new SeededRandom('a'))
    assert.deepEqual(drawCaptcha('A7KXP', new SeededRandom('a')), drawn)
    assert.notDeepEqual(drawCaptcha('A7KXP', new SeededRandom('b')), drawn)
  })

  it('sound as many beeps as they ask for', () => {
    for (const digits of ['31425', '11111', '55555'])
      assert.equal(beepsOf(soundCaptcha(digits, new SeededRandom(digits))), digits)
  })
})

/** Runs it as a page does, as far as it looks at one. */
function runScript(sealed: string): Promise<URLSearchParams> {
  return new Promise((resolve) => {
    const dataset = { puzzle: sealed, text: workText(sealed), bits: '16', again: 'yes' }
    runInNewContext(CHALLENGE_SCRIPT, {
      document: { body: { dataset }, getElementById: () => ({}) },
      navigator: { cookieEnabled: true },
      sessionStorage: { getItem: () => null, setItem: () => {} },
      location: { reload: () => {} },
      performance,
      URLSearchParams,
      setTimeout,
      fetch: async (_: string, { body }: { body: URLSearchParams }) => {
        resolve(body)
        return { ok: true }
      },
    })
  })
}

/** Pixels that are nearly black. */
function inked(png: Buffer): number {
  const rows = inflateSync(png.subarray(png.indexOf('IDAT') + 4))
  assert.equal(rows.length, (IMAGE_WIDTH + 1) * IMAGE_HEIGHT)
  return rows.filter((shade, at) => at % (IMAGE_WIDTH + 1) !== 0 && shade < 80).length
}

/** As an ear does: loud and silent stretches, and long silences between groups. */
function beepsOf(wav: Buffer): string {
  const samples = wav.subarray(44)
  const groups: number[] = []
  let [loudAt, silentFor] = [false, 10_000]
  for (let at = 0; at + 80 <= samples.length; at += 80) {
    const peak = Math.max(...samples.subarray(at, at + 80)) - 128
    if (peak > 48) {
      if (!loudAt) {
        if (silentFor > 60) groups.push(0)
        groups[groups.length - 1]! += 1
      }
      loudAt = true
      silentFor = 0
    } else {
      silentFor++
      if (silentFor > 3) loudAt = false
    }
  }
  return groups.join('')
}
