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

export type Table<X, Env> = ReadonlyMap<string, Stage<X, Env>>

/** A request that takes more steps than this loops: the longest honest way (error page, failover) is under half of it. */
const STEPS_MAX = 64

/**
 * Walks `x` through `table`, beginning at `first`. Returns synchronously when no stage had to wait.
 * @throws AssertionError when a stage names a step that is not in the table or the request does not end.
 */
export function walk<X extends { readonly watcher: StepWatcher | null }, Env>(
  table: Table<X, Env>,
  first: string,
  x: X,
  env: Env,
): void | Promise<void> {
  return resume(table, first, x, env, 0)
}

function resume<X extends { readonly watcher: StepWatcher | null }, Env>(
  table: Table<X, Env>,
  from: string,
  x: X,
  env: Env,
  taken: number,
): void | Promise<void> {
  let step = from
  for (let steps = taken; step !== 'done'; steps++) {
    assert(steps < STEPS_MAX, 'a request must end')
    const stage = table.get(step)
    assert(stage !== undefined, `no stage named ${step}`)
    if (x.watcher !== null) x.watcher.step(step)
    const outcome = stage.run(x, env)
    if (typeof outcome !== 'string') return outcome.then((next) => resume(table, next, x, env, steps + 1))
    step = outcome
  }
}

/** The table as a Mermaid graph, for docs/request-flow.md. */
export function drawPipeline(stages: readonly { name: string; next: readonly string[] }[]): string {
  const lines = stages.flatMap((s) => s.next.map((n) => `  ${s.name} --> ${n}`))
  return ['graph TD', ...lines].join('\n')
}
