//! Regular expressions of rules, on an engine whose time is linear in what it looks at. What it does not know (back-references,
//! look-around) AWS does not take either.
import { RE2JS } from 're2js'
import { patternBytes } from './pattern-bytes.ts'

/** Why an edge cannot compile it, for a person; null when it can. */
export function patternProblem(pattern: string): string | null {
  try {
    RE2JS.compile(patternBytes(pattern))
    return null
  } catch (error) {
    // It names the part in the bytes that it was given.
    return Buffer.from((error as Error).message, 'latin1')
      .toString('utf8')
      .slice(0, 200)
  }
}
