//! What the raw results mean, by the suite's own judgement, and how they compare with what is expected. Pure.
import type { RawResults, Suite, SuiteTest, TestKind } from './suite.ts'

export type Verdict = 'pass' | 'fail' | 'setup' | 'dependency'

export interface Judged {
  readonly id: string
  readonly group: string
  readonly name: string
  readonly kind: TestKind
  /** Alone, and with what it depends on counted in. */
  readonly verdict: Verdict
  readonly withDependencies: Verdict
  /** What was seen instead; empty when it passed. */
  readonly message: string
}

/** Symbols that the suite's terminal output has for its judgements. */
const VERDICTS: Readonly<Record<string, Verdict>> = {
  '✅': 'pass',
  Y: 'pass',
  N: 'fail',
  '⛔️': 'fail',
  '⚠️': 'fail',
  '⁉️': 'fail',
  '🔹': 'setup',
  '↻': 'setup',
  '⚪️': 'dependency',
}

export const kindOf = (test: SuiteTest): TestKind => test.kind ?? 'required'

export function judge(suite: Suite, results: RawResults): Judged[] {
  const verdict = (id: string, honour: boolean): Verdict => {
    const [, , symbol] = suite.determineTestResult(suite.groups, id, results, honour)
    const found = VERDICTS[symbol]
    if (found === undefined) throw new Error(`The suite judges ${id} as ${symbol}, which is not known here.`)
    return found
  }
  return suite.groups.flatMap((group) =>
    group.tests.flatMap((test) => {
      const result = results[test.id]
      if (result === undefined) return []
      return [
        {
          id: test.id,
          group: group.id,
          name: test.name,
          kind: kindOf(test),
          verdict: verdict(test.id, false),
          withDependencies: verdict(test.id, true),
          message: result === true ? '' : result[1],
        },
      ]
    }),
  )
}

export interface Count {
  readonly kind: TestKind
  readonly tests: number
  readonly passed: number
  readonly passedWithDependencies: number
}

const KINDS: readonly TestKind[] = ['required', 'optimal', 'check']

export function count(judged: readonly Judged[]): Count[] {
  return KINDS.map((kind) => {
    const own = judged.filter((one) => one.kind === kind)
    return {
      kind,
      tests: own.length,
      passed: own.filter((one) => one.verdict === 'pass').length,
      passedWithDependencies: own.filter((one) => one.withDependencies === 'pass').length,
    }
  })
}

/**
 * One line for each result that nobody expects: a required or optimal test that fails without an exception, an exception
 * that passes, an exception for a test that there is not. A `check` only tells what a cache does: either answer is right.
 */
export function surprises(judged: readonly Judged[], expected: ReadonlySet<string>): string[] {
  const lines: string[] = []
  for (const { id, kind, verdict, message } of judged) {
    if (kind === 'check') continue
    if (verdict === 'pass' && expected.has(id)) lines.push(`${id} passes and is expected not to`)
    if (verdict !== 'pass' && !expected.has(id)) lines.push(`${id} (${kind}): ${message}`)
  }
  return lines
}

/** Exceptions that name no test of the suite that can fail. */
export function unknownExceptions(judged: readonly Judged[], expected: ReadonlySet<string>): string[] {
  const known = new Set(judged.filter((one) => one.kind !== 'check').map((one) => one.id))
  return [...expected]
    .filter((id) => !known.has(id))
    .map((id) => `${id} is expected to fail and is no required or optimal test of the suite`)
}
