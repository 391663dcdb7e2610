//! Plans of distributions to a snapshot, and a snapshot and what changed to the next one: a change costs its own size,
//! however many distributions there are.
import type { DistributionDoc } from '../../domain/distribution.ts'
import { compileDistribution, type Installed } from './compile.ts'
import { type DistributionPlan, EMPTY_SNAPSHOT, type Snapshot } from './snapshot.ts'

/**
 * Compiles every distribution; one that is unchanged since `previous` keeps its plan and with it its derived keys. One
 * that cannot be compiled is reported and goes on as it was before; it never keeps the others from changing.
 */
export function compileSnapshot(
  revision: number,
  documents: Iterable<DistributionDoc>,
  previous: Snapshot | null,
  onProblem: (id: string, error: Error) => void,
  installed: Installed = {},
): Snapshot {
  const plans: DistributionPlan[] = []
  for (const document of documents) {
    const known = previous?.distributions.get(document.id)
    const plan = known?.doc === document ? known : (compiled(document, onProblem, installed) ?? known)
    if (plan !== undefined) plans.push(plan)
  }
  const { down, challenges, webAcls } = previous ?? EMPTY_SNAPSHOT
  return enter({ ...EMPTY_SNAPSHOT, down, challenges, webAcls }, revision, plans, [])
}

/** `previous` with the distributions of `changed` as they are there now (null: deleted), under the same rules. */
export function changeSnapshot(
  revision: number,
  changed: ReadonlyMap<string, DistributionDoc | null>,
  previous: Snapshot,
  onProblem: (id: string, error: Error) => void,
  installed: Installed = {},
): Snapshot {
  const gone: DistributionPlan[] = []
  const plans: DistributionPlan[] = []
  for (const [id, document] of changed) {
    const plan = document === null ? undefined : compiled(document, onProblem, installed)
    // Broken: it goes on as it was.
    if (document !== null && plan === undefined) continue
    const known = previous.distributions.get(id)
    if (known !== undefined) gone.push(known)
    if (plan !== undefined) plans.push(plan)
  }
  return enter(previous, revision, plans, gone)
}

type Edit = readonly [key: string, plan: DistributionPlan | undefined]

/** First what goes, then what comes: an alias may move from one distribution to another in one change. */
function enter(
  to: Snapshot,
  revision: number,
  plans: readonly DistributionPlan[],
  gone: readonly DistributionPlan[],
): Snapshot {
  const distributions: Edit[] = []
  const exactHosts: Edit[] = []
  const wildcardHosts: Edit[] = []
  for (const plan of gone) {
    distributions.push([plan.id, undefined])
    for (const { host, isWildcard } of namesOf(plan)) {
      // What another one has taken over meanwhile is not this one's to give up.
      const holder = (isWildcard ? to.wildcardHosts : to.exactHosts).get(host)
      if (holder === plan) (isWildcard ? wildcardHosts : exactHosts).push([host, undefined])
    }
  }
  for (const plan of plans) {
    distributions.push([plan.id, plan])
    for (const { host, isWildcard } of namesOf(plan)) (isWildcard ? wildcardHosts : exactHosts).push([host, plan])
  }
  return {
    revision,
    distributions: to.distributions.with(distributions),
    exactHosts: to.exactHosts.with(exactHosts),
    wildcardHosts: to.wildcardHosts.with(wildcardHosts),
    down: to.down,
    challenges: to.challenges,
    webAcls: to.webAcls,
  }
}

interface Name {
  readonly host: string
  /** Then `host` is what follows the star. */
  readonly isWildcard: boolean
}

/** Nobody reaches a staging distribution by a name. */
function namesOf({ doc }: DistributionPlan): Name[] {
  if (doc.staging === true) return []
  const aliases = doc.aliases.map((alias) => {
    const isWildcard = alias.startsWith('*.')
    return { host: isWildcard ? alias.slice(1) : alias, isWildcard }
  })
  return [...ownNames(doc).map((host) => ({ host, isWildcard: false })), ...aliases]
}

/** `<label>.<edge domain>`, and the same label under `.cloudfront.net` (DESIGN 6, names). */
export function ownNames(document: DistributionDoc): string[] {
  const name = document.domainName.toLowerCase()
  const dot = name.indexOf('.')
  return dot < 0 ? [name] : [name, `${name.slice(0, dot)}.cloudfront.net`]
}

function compiled(
  document: DistributionDoc,
  onProblem: (id: string, error: Error) => void,
  installed: Installed,
): DistributionPlan | undefined {
  try {
    return compileDistribution(document, installed)
  } catch (error) {
    onProblem(document.id, error as Error)
    return undefined
  }
}
