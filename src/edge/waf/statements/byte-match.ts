//! ByteMatchStatement: bytes at a place in a text.

import type { StatementCompiler } from '../compile-context.ts'
import { CannotCompile } from '../compile-context.ts'
import { textStatement } from '../text-statement.ts'

type Test = (text: string) => boolean

export const byteMatch: StatementCompiler<'ByteMatchStatement'> = (statement, context) => {
  const { SearchString = '', PositionalConstraint: constraint } = statement
  const sought = Buffer.from(SearchString, 'base64').toString('latin1')
  const make = constraint === undefined ? undefined : TESTS[constraint]
  if (make === undefined) throw new CannotCompile(`the PositionalConstraint ${constraint} is not built`)
  return textStatement(statement, context, make(sought))
}

const TESTS: Readonly<Record<string, (sought: string) => Test>> = {
  CONTAINS: (sought) => (text) => text.includes(sought),
  CONTAINS_WORD: (sought) => (text) => containsWord(text, sought),
  ENDS_WITH: (sought) => (text) => text.endsWith(sought),
  EXACTLY: (sought) => (text) => text === sought,
  STARTS_WITH: (sought) => (text) => text.startsWith(sought),
}

/** Before and behind a word stands a character that is neither a letter, a digit nor an underscore, or nothing. */
function containsWord(text: string, word: string): boolean {
  if (word === '') return false
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    if (!isWordAt(text, at - 1) && !isWordAt(text, at + word.length)) return true
  }
  return false
}

const isWordAt = (text: string, at: number): boolean => /^\w$/.test(text.charAt(at))
