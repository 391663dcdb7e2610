//! THE TABLE of what control may ask the keeper: each question of a kind with its answer. A question changes nothing; what
//! should be so is wished (protocol.ts). It is answered once, or its asker gives up: nothing is repeated or stored.
import type { EngineLink } from './engine.ts'

/** By kind: what is asked, what is answered. Both travel as JSON. */
interface Kinds {
  /** What an engine says of itself: the text of `INFO all` (redis, valkey), or `STAT name value` lines (memcached). */
  statistics: { readonly ask: NodeNamed; readonly answer: { readonly text: string } }
}

export interface NodeNamed {
  readonly group: string
  readonly node: string
}

export type QuestionKind = keyof Kinds
export type KeeperAnswer<K extends QuestionKind> = Kinds[K]['answer']
export type KeeperQuestion<K extends QuestionKind = QuestionKind> = {
  [Kind in K]: { readonly kind: Kind } & Kinds[Kind]['ask']
}[K]

/** What the answers are drawn from. */
export interface QuestionSource {
  /** Admin connection of a node. @throws in words when there is no such node, or nobody answers at it */
  link(named: NodeNamed): EngineLink
}

const HANDLERS: {
  [K in QuestionKind]: (question: KeeperQuestion<K>, source: QuestionSource) => Promise<KeeperAnswer<K>>
} = {
  statistics: async (question, source) => ({ text: await source.link(question).statistics() }),
}

/** @throws in words for a person when it cannot be answered. */
export function answerQuestion<K extends QuestionKind>(
  question: KeeperQuestion<K>,
  source: QuestionSource,
): Promise<KeeperAnswer<K>> {
  const handler = HANDLERS[question.kind as K] as
    | ((question: KeeperQuestion<K>, source: QuestionSource) => Promise<KeeperAnswer<K>>)
    | undefined
  if (handler === undefined) throw new Error(`this keeper knows no question ${question.kind}`)
  return handler(question, source)
}
