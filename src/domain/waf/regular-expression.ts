//! Regular expressions of rules, on an engine whose time is linear in what it looks at (re2js). What it does not know
//! (back-references, look-around) AWS does not take either. They look at bytes: a character that is not ASCII is its UTF-8
//! bytes, in the text and in the expression. The API and the edges compile them here, so that one does not take what the
//! other cannot use.
import { createRequire } from 'node:module'
import type * as Re2 from 're2js'

let library: typeof Re2 | null = null

/** Loaded for the first expression: 11 ms of every start otherwise. */
function re2(): typeof Re2 {
  library ??= createRequire(import.meta.url)('re2js') as typeof Re2
  return library
}

/** @throws Error when the engine cannot compile it; the message says why */
export function compilePattern(pattern: string): Re2.RE2JS {
  try {
    return re2().RE2JS.compile(Buffer.from(pattern, 'utf8').toString('latin1'))
  } catch (error) {
    // It names the part in the bytes that it was given.
    throw new Error(Buffer.from((error as Error).message, 'latin1').toString('utf8'))
  }
}

/** Why it cannot be compiled, for a person; null when it can. */
export function patternProblem(pattern: string): string | null {
  try {
    compilePattern(pattern)
    return null
  } catch (error) {
    return (error as Error).message.slice(0, 200)
  }
}
