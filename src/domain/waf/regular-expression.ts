//! Regular expressions of rules, on an engine whose time is linear in what it looks at. What it does not know (back-references,
//! look-around) AWS does not take either.
import { RE2JS } from 're2js'

/** @throws Error when the engine cannot compile it; the message says why */
export const compilePattern = (pattern: string): RE2JS => RE2JS.compile(pattern)

/** Why it cannot be compiled, for a person; null when it can. */
export function patternProblem(pattern: string): string | null {
  try {
    compilePattern(pattern)
    return null
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, 200) : 'it cannot be compiled'
  }
}
