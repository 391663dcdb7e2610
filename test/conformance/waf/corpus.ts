//! The corpus of `npm run conformance:waf`: attacks and harmless requests of public test data (NOTICE says whose).
import { readFileSync } from 'node:fs'

export interface CorpusRequest {
  /** Where it comes from: `crs 942100-1`, `libinjection false_positives.txt:34`, `faker form 3`. */
  readonly id: string
  readonly attack: boolean
  /** Kind of attack, or of harmless request. */
  readonly category: string
  /** Rules were written with a look at what went wrong in `tuning` (see NOTICE). */
  readonly part: 'tuning' | 'held-out'
  readonly method: string
  /** Path and query, as they go over the wire. */
  readonly url: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  /** One character a byte. */
  readonly body?: string
}

export const loadCorpus = (): CorpusRequest[] =>
  readFileSync(new URL('corpus.jsonl', import.meta.url), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as CorpusRequest)
