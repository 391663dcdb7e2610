//! Regular expressions of rules, on an engine whose time is linear in what it looks at. What it does not know (back-references,
//! look-around) AWS does not take either.
import { RE2JS } from 're2js'
import { patternBytes } from './pattern-bytes.ts'

/**
 * Instructions that an expression may become: repetitions multiply, and an edge's time is their number times the length of
 * the text. AWS has a limit of its own, which is written down nowhere.
 */
const INSTRUCTIONS_MAX = 2_000

/** Why an edge cannot compile it, for a person; null when it can. */
export function patternProblem(pattern: string): string | null {
  try {
    const size = RE2JS.compile(patternBytes(pattern)).programSize()
    return size <= INSTRUCTIONS_MAX
      ? null
      : `its repetitions make it ${size} instructions, at most ${INSTRUCTIONS_MAX} may be`
  } catch (error) {
    // It names the part in the bytes that it was given.
    return Buffer.from((error as Error).message, 'latin1')
      .toString('utf8')
      .slice(0, 200)
  }
}
