//! Results as text for a terminal. Pure.
import type { Count, Judged } from './judge.ts'

const WORDS = { pass: 'pass ', fail: 'FAIL ', setup: 'SETUP', dependency: 'dep  ' } as const

export function resultLine({ id, kind, verdict, withDependencies, message }: Judged): string {
  const word = kind === 'check' ? (verdict === 'pass' ? 'yes  ' : 'no   ') : WORDS[verdict]
  const depends = verdict === 'pass' && withDependencies === 'dependency' ? ' (a test that it depends on fails)' : ''
  return `${word} ${kind.padEnd(8)} ${id}${depends}${message === '' ? '' : `: ${message}`}`
}

export function countsTable(counts: readonly Count[]): string {
  const rows = counts.map(({ kind, tests, passed, passedWithDependencies }) =>
    [kind.padEnd(10), `${tests}`.padStart(5), `${passed}`.padStart(7), `${passedWithDependencies}`.padStart(18)].join(
      '',
    ),
  )
  return ['kind      tests passed  with dependencies', ...rows].join('\n')
}
