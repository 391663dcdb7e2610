//! The puzzle for those who do not see the picture: groups of beeps over noise; how many are in each group is the answer.
import type { SeededRandom } from './seeded-random.ts'

/** Samples a second. */
const RATE = 8_000
export const GROUPS = 5
/** Beeps that a group may have. */
export const GROUP_DIGITS = '12345'
const BEEP_SECONDS = 0.14
const GAP_SECONDS = 0.2
const PAUSE_SECONDS = 1.1
const FADE_SECONDS = 0.012

/** WAV (PCM, 8 bits, one channel) of `digits`, a group for each. */
export function soundCaptcha(digits: string, random: SeededRandom): Buffer {
  const between = (low: number, high: number): number => low + random.next() * (high - low)
  const beeps: { readonly from: number; readonly seconds: number; readonly pitch: number }[] = []
  let at = 0.6
  for (const digit of digits) {
    for (let beep = 0; beep < Number(digit); beep++) {
      const seconds = BEEP_SECONDS * between(0.85, 1.25)
      beeps.push({ from: at, seconds, pitch: between(420, 900) })
      at += seconds + GAP_SECONDS * between(0.85, 1.2)
    }
    at += PAUSE_SECONDS * between(0.9, 1.15)
  }
  const samples = Buffer.alloc(Math.ceil(at * RATE))
  // Noise whose next sample remembers the last one is softer to the ear.
  let hum = 0
  for (let sample = 0; sample < samples.length; sample++) {
    if (sample % 2 === 0) hum = hum * 0.6 + between(-9, 9)
    samples[sample] = 128 + hum
  }
  for (const { from, seconds, pitch } of beeps) {
    const first = Math.floor(from * RATE)
    const count = Math.floor(seconds * RATE)
    for (let i = 0; i < count; i++) {
      const edge = Math.min(1, i / (FADE_SECONDS * RATE), (count - i) / (FADE_SECONDS * RATE))
      const value = (samples[first + i] as number) + 62 * edge * Math.sin((2 * Math.PI * pitch * i) / RATE)
      samples[first + i] = Math.max(0, Math.min(255, value))
    }
  }
  return Buffer.concat([wavHead(samples.length), samples])
}

function wavHead(bytes: number): Buffer {
  const head = Buffer.alloc(44)
  head.write('RIFF', 0, 'latin1')
  head.writeUInt32LE(36 + bytes, 4)
  head.write('WAVEfmt ', 8, 'latin1')
  head.writeUInt32LE(16, 16)
  head.writeUInt16LE(1, 20)
  head.writeUInt16LE(1, 22)
  head.writeUInt32LE(RATE, 24)
  head.writeUInt32LE(RATE, 28)
  head.writeUInt16LE(1, 32)
  head.writeUInt16LE(8, 34)
  head.write('data', 36, 'latin1')
  head.writeUInt32LE(bytes, 40)
  return head
}
