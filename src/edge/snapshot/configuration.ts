//! The documents that the snapshot is compiled from, as the feed changes them, and the invalidations that come with them.
import { type ChallengeDoc, challengeId } from '../../domain/challenge.ts'
import type { DistributionDoc, InvalidationDoc } from '../../domain/distribution.ts'
import type { WebAclDoc } from '../../domain/waf/web-acl.ts'
import type { Invalidations } from '../cache/invalidation.ts'
import type { FeedChange, ToWorker } from '../feed-protocol.ts'
import { compileWebAcl } from '../waf/compile.ts'
import type { WebAclPlan } from '../waf/plan.ts'
import { changeSnapshot, compileSnapshot } from './assemble.ts'
import type { Installed } from './compile.ts'
import type { SavedSnapshot } from './disk-lines.ts'
import { invalidatedPaths } from './encode-path.ts'
import { SharedParts } from './shared-parts.ts'
import { EMPTY_SNAPSHOT, type Snapshot } from './snapshot.ts'

type WholeMessage = Extract<ToWorker, { readonly type: 'snapshot' }>

export class Configuration {
  readonly #invalidations: Invalidations
  readonly #problem: (message: string) => void
  readonly #installed: Installed
  readonly #shared = new SharedParts()
  readonly #onProblem = (id: string, error: Error): void =>
    this.#problem(`distribution ${id} cannot be served as it is configured: ${error.message}`)
  #documents = new Map<string, DistributionDoc>()
  #snapshot: Snapshot = EMPTY_SNAPSHOT

  constructor(invalidations: Invalidations, problem: (message: string) => void, installed: Installed = {}) {
    this.#invalidations = invalidations
    this.#problem = problem
    this.#installed = installed
  }

  get snapshot(): Snapshot {
    return this.#snapshot
  }

  get documents(): readonly DistributionDoc[] {
    return [...this.#documents.values()]
  }

  /** Takes over everything as it was saved; invalidations from before come from the disk cache, which holds the objects. */
  restore(saved: Pick<SavedSnapshot, 'revision' | 'distributions' | 'down' | 'challenges' | 'webAcls'>): void {
    const documents = this.#shared.all(saved.distributions)
    this.#documents = new Map(documents.map((document) => [document.id, document]))
    const before = {
      ...this.#snapshot,
      down: new Set(saved.down),
      challenges: byId(saved.challenges ?? []),
      webAcls: this.#compiled(saved.webAcls ?? []),
    }
    this.#snapshot = compileSnapshot(saved.revision, documents, before, this.#onProblem, this.#installed)
  }

  /** Everything anew: invalidations may have been missed, so that all objects fetched before count as invalidated. */
  replace({
    revision,
    distributions,
    kept = [],
    down = [],
    challenges = [],
    webAcls = [],
  }: Omit<WholeMessage, 'type' | 'shared'>): void {
    this.#invalidations.forgetBefore(revision)
    const before = kept.flatMap((id) => this.#documents.get(id) ?? [])
    this.restore({ revision, distributions: [...distributions, ...before], down, challenges, webAcls })
  }

  /** Applies changes up to `revision`; invalidations before the swap, so that no request sees the one without the other. */
  apply(revision: number, changes: readonly FeedChange[]): void {
    const changed = new Map<string, DistributionDoc | null>()
    let { down, challenges, webAcls } = this.#snapshot
    for (const change of changes) {
      if (change.kind === 'invalidation') {
        this.#invalidate(change.revision, change.invalidation)
        continue
      }
      if (change.kind === 'place') {
        const others = [...down].filter((name) => name !== change.name)
        down = new Set(change.down ? [...others, change.name] : others)
        continue
      }
      if (change.kind === 'challenge') {
        const others = [...challenges].filter(([id]) => id !== change.id)
        challenges = new Map(change.challenge === null ? others : [...others, [change.id, change.challenge]])
        continue
      }
      if (change.kind === 'web-acl') {
        const others = [...webAcls].filter(([arn]) => arn !== change.arn)
        webAcls = new Map(change.webAcl === null ? others : [...others, ...this.#compiled([change.webAcl])])
        continue
      }
      const document = change.distribution === null ? null : this.#shared.one(change.distribution)
      if (document === null) this.#documents.delete(change.id)
      else this.#documents.set(change.id, document)
      changed.set(change.id, document)
    }
    const before = { ...this.#snapshot, down, challenges, webAcls }
    this.#snapshot = changeSnapshot(revision, changed, before, this.#onProblem, this.#installed)
  }

  /** By ARN. One that cannot be compiled is there all the same: it refuses (edge/waf/compile.ts). */
  #compiled(webAcls: readonly WebAclDoc[]): Map<string, WebAclPlan> {
    const plans = webAcls.map(compileWebAcl)
    for (const { arn, broken } of plans) {
      if (broken !== null) this.#problem(`web ACL ${arn} cannot be evaluated, requests are refused: ${broken}`)
    }
    return new Map(plans.map((plan) => [plan.arn, plan]))
  }

  #invalidate(sent: number, { distributionId, paths, tagHeader, soft: isSoft }: InvalidationDoc): void {
    // What the workers of the POP did among themselves (peers/purge.ts) may count as later: revisions never go down.
    const revision = Math.max(sent, this.#invalidations.revision)
    const root = this.#documents.get(distributionId)?.defaultRootObject ?? ''
    const soft = isSoft === true
    for (const item of paths) {
      if (item.startsWith('#')) {
        if (tagHeader !== undefined)
          this.#invalidations.addTag(distributionId, tagHeader, item.slice(1), revision, soft)
        continue
      }
      for (const path of invalidatedPaths(item, root)) this.#invalidations.add(distributionId, path, revision, soft)
    }
  }
}

const byId = (challenges: readonly ChallengeDoc[]): ReadonlyMap<string, ChallengeDoc> =>
  new Map(challenges.map((challenge) => [challengeId(challenge), challenge]))
