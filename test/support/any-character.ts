//! For texts of any characters in property tests: `fc.string({ unit: anyCharacter })`.
import fc from 'fast-check'

const SURROGATES = { first: 0xd800, count: 0x800 }
const CODE_POINTS = 0x11_0000

/** Any Unicode scalar value, as fast-check's unit `binary` is, for which it makes tables in over a second of processor time. */
export const anyCharacter: fc.Arbitrary<string> = fc
  .integer({ min: 0, max: CODE_POINTS - SURROGATES.count - 1 })
  .map((number) => String.fromCodePoint(number < SURROGATES.first ? number : number + SURROGATES.count))
