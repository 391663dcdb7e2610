//! One loop for both planes: a request is walked from stage to stage until a stage says `done`.
//! It knows nothing of HTTP or AWS. A pipeline is a table (edge/pipeline.ts, api/pipeline.ts); a stage is one file.
import assert from 'node:assert'

export interface Stage<X, Env, Name extends string = string, Next extends string = string> {
  readonly name: Name
  /** Every step this stage may hand over to; the compiler rejects any other return value. */
  readonly next: readonly Next[]
  /** A stage that need not wait returns the step itself, not a promise of it: the hot lane never awaits. */
  run(x: X, env: Env): NoInfer<Next> | Promise<NoInfer<Next>>
}

/** Binds the stage shape to one plane: `export const stage = stageOf<Exchange, Edge, Step>()`. */
export function stageOf<X, Env, Step extends string>() {
  return <const Name extends Step, const Next extends Step>(s: Stage<X, Env, Name, Next>): Stage<X, Env, Name, Next> =>
    s
}

type NameOf<T extends readonly { name: string }[]> = T[number]['name']
type TargetOf<T extends readonly { next: readonly string[] }[]> = T[number]['next'][number]

/** `true` when every target is in the table and every stage but the first can be reached; otherwise `never`. */
export type Sound<T extends readonly { name: string; next: readonly string[] }[], First extends string> = [
  Exclude<TargetOf<T>, NameOf<T> | 'done'>,
  Exclude<NameOf<T>, TargetOf<T> | First>,
] extends [never, never]
  ? true
  : never

/** What watches one request on its way (a trace); null on the hot lane. */
export interface StepWatcher {
  step(name: string): void
}

/** A stage in the table: with the stages that it may hand over to, so that a step costs a comparison, not a search. */
interface Linked<X, Env> {
  readonly stage: Stage<X, Env>
  /** What `next` names, in the same order; null for `done`. */
  readonly followers: (Linked<X, Env> | null)[]
}

export type Table<X, Env> = ReadonlyMap<string, Linked<X, Env>>

/** @throws AssertionError when a stage names a step that is not in the table. */
export function linkTable<X, Env>(stages: readonly Stage<X, Env>[]): Table<X, Env> {
  const table = new Map<string, Linked<X, Env>>(stages.map((stage) => [stage.name, { stage, followers: [] }]))
  for (const { stage, followers } of table.values()) {
    for (const name of stage.next) {
      const follower = table.get(name)
      assert(follower !== undefined || name === 'done', `no stage named ${name}`)
      followers.push(follower ?? null)
    }
  }
  return table
}

/** A request that takes more steps than this loops: the longest honest way (error page, failover) is under half of it. */
const STEPS_MAX = 64

/**
 * Walks `x` through `table`, beginning at `first`. Returns synchronously when no stage had to wait.
 * @throws AssertionError when a stage hands over to a step that it does not declare or the request does not end.
 */
export function walk<X extends { readonly watcher: StepWatcher | null }, Env>(
  table: Table<X, Env>,
  first: string,
  x: X,
  env: Env,
): void | Promise<void> {
  const from = table.get(first)
  assert(from !== undefined, `no stage named ${first}`)
  return resume(from, x, env, 0)
}

function resume<X extends { readonly watcher: StepWatcher | null }, Env>(
  from: Linked<X, Env>,
  x: X,
  env: Env,
  taken: number,
): void | Promise<void> {
  let at: Linked<X, Env> | null = from
  for (let steps = taken; at !== null; steps++) {
    if (steps >= STEPS_MAX) assert.fail('a request must end')
    if (x.watcher !== null) x.watcher.step(at.stage.name)
    const outcome = at.stage.run(x, env)
    if (typeof outcome !== 'string') {
      const waiting = at
      return outcome.then((step) => {
        const next = follower(waiting, step)
        return next === null ? undefined : resume(next, x, env, steps + 1)
      })
    }
    at = follower(at, outcome)
  }
}

function follower<X, Env>({ stage, followers }: Linked<X, Env>, step: string): Linked<X, Env> | null {
  const { next } = stage
  for (let i = 0; i < next.length; i++) if (next[i] === step) return followers[i] as Linked<X, Env> | null
  assert.fail(`${stage.name} hands over to ${step} without saying so`)
}

/** The table as a Mermaid graph, for docs/request-flow.md. */
export function drawPipeline(stages: readonly { name: string; next: readonly string[] }[]): string {
  const lines = stages.flatMap((s) => s.next.map((n) => `  ${s.name} --> ${n}`))
  return ['graph TD', ...lines].join('\n')
}
