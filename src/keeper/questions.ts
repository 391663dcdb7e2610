//! THE TABLE of what control may ask the keeper: each question of a kind with its answer. A question changes nothing; what
//! should be so is wished (protocol.ts). It is answered once, or its asker gives up: nothing is repeated or stored.
import { processName } from '../lib/process.ts'
import type { EngineLink } from './engine.ts'
import { type LogPosition, type LogReading, readLog } from './log-reader.ts'
import type { Observation, SlowCommand } from './observation.ts'
import { type AskedNode, type NodeStatistics, statisticsOf } from './statistics.ts'

/** By kind: what is asked, what is answered. Both travel as JSON. */
interface Kinds {
  /** What an engine says of itself, and the host of its process. */
  statistics: { readonly ask: NodeNamed; readonly answer: NodeStatistics }
  /** The slow commands that a redis or valkey engine remembers, newest first; their numbers are of `process`. */
  'slow-log': {
    readonly ask: NodeNamed
    readonly answer: { readonly process: string; readonly entries: readonly SlowCommand[] }
  }
  /** The next lines of a node's log; without `from` where it ends. */
  'engine-log': { readonly ask: NodeNamed & { readonly from: LogPosition | null }; readonly answer: LogReading }
  /** The text of CLIENT LIST. */
  clients: { readonly ask: NodeNamed; readonly answer: { readonly text: string } }
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
  /** A node whose engine answers. @throws in words when there is no such node, or nobody answers at it */
  asked(named: NodeNamed): AskedNode
  /** Directory of a node, whether it answers or not. @throws in words when there is no such node */
  dirOf(named: NodeNamed): string
}

/** Slow commands that are read at once; an engine remembers 128 unless its parameter group says otherwise. */
const SLOW_COMMANDS_MAX = 1024

const HANDLERS: {
  [K in QuestionKind]: (question: KeeperQuestion<K>, source: QuestionSource) => Promise<KeeperAnswer<K>>
} = {
  statistics: (question, source) => statisticsOf(source.asked(question)),
  'slow-log': async (question, source) => {
    const { link, process } = source.asked(question)
    return { process: processName(process), entries: await observationOf(link).slowCommands(SLOW_COMMANDS_MAX) }
  },
  'engine-log': async (question, source) => readLog(source.dirOf(question), question.from),
  clients: async (question, source) => ({ text: await observationOf(source.asked(question).link).clients() }),
}

function observationOf({ observation }: EngineLink): Observation {
  if (observation === null) throw new Error('memcached has no slow log and no list of clients')
  return observation
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
