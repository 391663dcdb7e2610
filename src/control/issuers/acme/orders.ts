//! Moves one certificate on at an ACME server, a step at a time: asks what the order's next act is (order-plan.ts, pure),
//! does it, and says when to look again. What is remembered between steps is the order's URL and the key of the certificate
//! to come: a step that control did not live to finish is done again, and spends no second order.
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { CHALLENGE_LABEL, type ChallengeDoc, challengeId } from '../../../domain/challenge.ts'
import type { Clock } from '../../../lib/clock.ts'
import type { CertificateOrder, IssueStep } from '../issuer.ts'
import type { Account } from './account.ts'
import { delayMs, LIMITED, POLL, RESTART, VALIDATION } from './delays.ts'
import type { ChallengeDesk } from './desk.ts'
import type { DnsHook } from './dns-hook.ts'
import { type Memory, NEW, remembered } from './memory.ts'
import {
  type AuthorizationSeen,
  nameOf,
  nextAct,
  type OpenChallenge,
  readAuthorization,
  readOrder,
} from './order-plan.ts'
import { AcmeError, type Consequence, consequenceOf, consequenceOfValidation, problemWords } from './problem.ts'
import type { AcmeAnswer, AcmeServer } from './server.ts'

/** While edges are told: they take some milliseconds. */
const EDGES_MS = 50

export interface OrdersParts {
  /** URL of the server's directory. */
  readonly directory: string
  readonly server: AcmeServer
  readonly account: Account
  readonly desk: ChallengeDesk
  /** Null without one. */
  readonly hook: DnsHook | null
  /** The edge domain, when its name server runs; null otherwise. */
  readonly nameServer: string | null
  readonly clock: Clock
  /** From 0 to below 1. */
  readonly random: () => number
  /** A key of that kind, and a request for a certificate (PKCS #10), PEM. */
  readonly makeRequest: (
    names: readonly string[],
    key: string,
  ) => Promise<{ readonly key: string; readonly request: string }>
  /** One line for the operator. */
  readonly problem: (message: string) => void
}

type Waiting = Extract<IssueStep, { kind: 'waiting' }>

export class Orders {
  readonly #parts: OrdersParts
  /** Calls of the hook, by challengeId: under way, and done since this process runs. */
  readonly #presenting = new Map<string, { state: 'running' | 'done' | Error }>()
  /** The server takes no orders of this account before, on the movable clock. */
  #limitedUntil = Number.NEGATIVE_INFINITY

  constructor(parts: OrdersParts) {
    this.#parts = parts
  }

  /** @throws Error for a failure that may pass */
  async step(order: CertificateOrder): Promise<IssueStep> {
    const memory = remembered(order, this.#parts.directory)
    try {
      return memory.url === '' ? await this.#begin(order, memory) : await this.#goOn(order, memory)
    } catch (error) {
      // Whatever it was, it may have moved house.
      if (!(error instanceof AcmeError)) this.#parts.server.forget()
      if (!(error instanceof AcmeError)) throw error
      return this.#after(order, memory, consequenceOf(error), error)
    }
  }

  /** The order is made, and nothing else: its URL is kept before anything is done for it. */
  async #begin(order: CertificateOrder, memory: Memory): Promise<IssueStep> {
    const { account, server, clock, makeRequest } = this.#parts
    const hopeless = this.#hopeless(order)
    if (hopeless !== null) return { kind: 'failed', reason: 'DOMAIN_NOT_ALLOWED', why: hopeless }
    if (clock.now() < this.#limitedUntil) {
      return this.#waiting(memory, this.#limitedUntil - clock.now(), 'the ACME server takes no more orders for now')
    }
    this.#checkMeans(order)
    const { privateKey, request } =
      memory.privateKey === '' ? fromMade(await makeRequest(order.names, order.keyAlgorithm)) : memory
    const { newOrder } = await server.directory()
    const identifiers = order.names.map((value) => ({ type: 'dns', value }))
    const { location } = await account.post(newOrder, { identifiers })
    if (location === null) throw new Error(`${new URL(newOrder).host} has made no order`)
    const begun = { ...memory, privateKey, request, url: location, looks: 0, told: [], presented: [] }
    return this.#waiting(begun, 0, 'the order is made; the names are to be proven')
  }

  async #goOn(order: CertificateOrder, memory: Memory): Promise<IssueStep> {
    const { account } = this.#parts
    const answered = await account.post(memory.url).catch((error: unknown) => {
      if (error instanceof AcmeError && error.status < 500 && error.type !== 'rateLimited') return null
      throw error
    })
    if (answered === null) return this.#after(order, memory, { kind: 'again' }, new Error('the order is gone'))
    const seen = readOrder(answered.json)
    const isOpen = seen.status === 'pending' || seen.status === 'invalid'
    const answers = isOpen ? await Promise.all(seen.authorizations.map((url) => account.post(url))) : []
    const authorizations = answers.map(({ json }) => readAuthorization(json, order.names))
    const afterMs = longest([answered, ...answers])
    const act = nextAct(seen, authorizations, kindOf(order), await account.key())
    switch (act.kind) {
      case 'answer':
        return {
          ...(await this.#answer(order, memory, act.challenges, afterMs)),
          validations: authorizations.map(validationOf),
        }
      case 'wait':
        return this.#look(memory, afterMs, 'the ACME server is at it')
      case 'finalize': {
        const csr = derOf(memory.request).toString('base64url')
        await account.post(act.url, { csr })
        return this.#look({ ...memory, looks: 0 }, null, 'all names are proven; the certificate is being made')
      }
      case 'download': {
        const { text } = await account.post(act.url)
        const issued = issuedOf(text, memory.privateKey, order)
        await this.#cleanUp(order, memory)
        return issued
      }
      case 'refused': {
        const why = `${act.name === '' ? 'the order' : act.name} was refused${problemWords(act.problem)}`
        return this.#after(order, memory, consequenceOfValidation(act.problem), new Error(why))
      }
      case 'impossible': {
        const why = `the ACME server offers no ${kindOf(order)} for ${act.name}`
        return this.#after(order, memory, { kind: 'final', reason: 'OTHER' }, new Error(why))
      }
      case 'lost':
        return this.#after(order, memory, { kind: 'again' }, new Error('the order expired'))
    }
  }

  /** Puts up what validators will look for, has every edge know it, and then tells the server to look. */
  async #answer(
    order: CertificateOrder,
    memory: Memory,
    challenges: readonly OpenChallenge[],
    afterMs: number | null,
  ): Promise<Waiting> {
    const { account, desk, clock } = this.#parts
    const byHook = challenges.filter(({ doc }) => this.#answerer(doc) === 'hook').map(({ doc }) => doc)
    const byEdges = challenges.filter(({ doc }) => this.#answerer(doc) === 'edges').map(({ doc }) => doc)
    const revision = await desk.set(order.arn, byEdges)
    const told = new Set(memory.told)
    const untold = challenges.filter(({ url, isTold }) => !isTold && !told.has(url))
    const kept = { ...memory, presented: byHook }
    if (untold.length === 0) return this.#look(kept, afterMs, 'the ACME server looks at the names')
    const isUp = this.#present(byHook.filter((doc) => untold.some((one) => one.doc === doc)))
    if (!isUp) return this.#look(kept, null, 'the DNS hook puts up the records')
    if (byEdges.length > 0 && !desk.isEverywhere(revision)) {
      const why = 'the edges are told what the ACME server will look for'
      // An edge that does not answer may take a while.
      return memory.looks > 1
        ? this.#look(kept, null, why)
        : { ...this.#look(kept, null, why), retryAt: clock.now() + EDGES_MS }
    }
    for (const { url } of untold) await account.post(url, {})
    const all = [...told, ...untold.map(({ url }) => url)]
    return this.#look({ ...kept, told: all, looks: 0 }, afterMs, 'the ACME server looks at the names')
  }

  /** True when the hook has put up all of them. @throws Error when it could not, once; the next call tries again */
  #present(challenges: readonly ChallengeDoc[]): boolean {
    const { hook } = this.#parts
    for (const doc of challenges) {
      const id = challengeId(doc)
      const known = this.#presenting.get(id)
      if (known?.state instanceof Error) {
        this.#presenting.delete(id)
        throw known.state
      }
      if (known !== undefined || hook === null) continue
      const call: { state: 'running' | 'done' | Error } = { state: 'running' }
      this.#presenting.set(id, call)
      hook.run('present', recordOf(doc), doc.content).then(
        () => {
          call.state = 'done'
        },
        (error: Error) => {
          call.state = error
        },
      )
    }
    return challenges.every((doc) => this.#presenting.get(challengeId(doc))?.state === 'done')
  }

  async #after(order: CertificateOrder, memory: Memory, then: Consequence, error: Error): Promise<IssueStep> {
    const { clock, random } = this.#parts
    switch (then.kind) {
      case 'final':
        await this.#cleanUp(order, memory)
        return { kind: 'failed', reason: then.reason, why: error.message }
      case 'later': {
        const isLimit = error instanceof AcmeError && error.type === 'rateLimited'
        if (!isLimit && then.afterMs === null) throw error
        const ms = delayMs(isLimit ? LIMITED : RESTART, memory.limited, random(), then.afterMs)
        if (isLimit) this.#limitedUntil = clock.now() + ms
        return failed(this.#waiting({ ...memory, limited: memory.limited + 1 }, ms, error.message))
      }
      case 'pending': {
        await this.#cleanUp(order, memory)
        const ms = delayMs(VALIDATION, memory.refusals, random(), null)
        return failed(this.#waiting({ ...anew(memory), refusals: memory.refusals + 1 }, ms, error.message))
      }
      case 'again': {
        await this.#cleanUp(order, memory)
        const ms = memory.restarts === 0 ? 0 : delayMs(RESTART, memory.restarts, random(), null)
        return this.#waiting({ ...anew(memory), restarts: memory.restarts + 1 }, ms, `${error.message}; it begins anew`)
      }
    }
  }

  async #cleanUp({ arn }: CertificateOrder, { presented }: Memory): Promise<void> {
    const { desk, hook, problem } = this.#parts
    await desk.set(arn, [])
    for (const doc of presented) {
      this.#presenting.delete(challengeId(doc))
      // Nobody waits for it: a record that stays does no harm.
      hook?.run('cleanup', recordOf(doc), doc.content).catch((error: Error) => problem(error.message))
    }
  }

  #answerer({ kind, name }: ChallengeDoc): 'edges' | 'hook' {
    const { hook, nameServer } = this.#parts
    if (kind === 'http-01' || hook === null) return 'edges'
    // The zone of the edge domain is this name server's own: nobody else can put a record there.
    return nameServer !== null && (name === nameServer || name.endsWith(`.${nameServer}`)) ? 'edges' : 'hook'
  }

  /** Why asking is of no use; null when it may be. */
  #hopeless(order: CertificateOrder): string | null {
    const wildcard = order.names.find((name) => name.startsWith('*.'))
    if (wildcard === undefined || kindOf(order) === 'dns-01') return null
    return `${wildcard} cannot be proven over HTTP (RFC 8555 8.3): request it with ValidationMethod DNS`
  }

  /** @throws Error when nothing could put up a record */
  #checkMeans(order: CertificateOrder): void {
    const { hook, nameServer } = this.#parts
    if (kindOf(order) === 'http-01' || hook !== null || nameServer !== null) return
    throw new Error(
      'validation by DNS needs --acme-dns-hook, a program that puts up TXT records, or --dns-listen with the names delegated to it',
    )
  }

  #look(memory: Memory, afterMs: number | null, why: string): Waiting {
    const ms = delayMs(POLL, memory.looks, this.#parts.random(), afterMs)
    return this.#waiting({ ...memory, looks: memory.looks + 1 }, ms, why)
  }

  #waiting(memory: Memory, ms: number, why: string): Waiting {
    return { kind: 'waiting', memory, retryAt: this.#parts.clock.now() + ms, why }
  }
}

const failed = (step: Waiting): Waiting => ({ ...step, isFailure: true })

const anew = (memory: Memory): Memory => ({ ...NEW, ...pick(memory) })
/** The key goes on: what failed was a name. */
const pick = ({ directory, names, privateKey, request, refusals, restarts, limited }: Memory) => ({
  ...{ directory, names, privateKey, request, refusals, restarts, limited },
})

const kindOf = ({ validationMethod }: CertificateOrder): ChallengeDoc['kind'] =>
  validationMethod === 'HTTP' ? 'http-01' : 'dns-01'

const recordOf = ({ name }: ChallengeDoc): string => `${CHALLENGE_LABEL}${name}`

const fromMade = ({ key, request }: { key: string; request: string }) => ({ privateKey: key, request })

const longest = (answers: readonly AcmeAnswer[]): number | null =>
  answers.reduce<number | null>(
    (most, { retryAfterMs }) => (retryAfterMs === null ? most : Math.max(most ?? 0, retryAfterMs)),
    null,
  )

function validationOf(authorization: AuthorizationSeen) {
  const { status } = authorization
  const seen = status === 'valid' ? 'SUCCESS' : status === 'pending' ? 'PENDING_VALIDATION' : 'FAILED'
  return { name: nameOf(authorization), status: seen } as const
}

const derOf = (pem: string): Buffer => Buffer.from(pem.replace(/-----[^-]+-----/g, ''), 'base64')

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** @throws Error when what came is not what was asked for */
function issuedOf(text: string, privateKey: string, { names }: CertificateOrder): IssueStep {
  const [certificate, ...issuers] = text.match(CERTIFICATE) ?? []
  if (certificate === undefined) throw new Error('the ACME server sent no certificate')
  const x509 = new X509Certificate(certificate)
  if (!x509.checkPrivateKey(createPrivateKey(privateKey)))
    throw new Error('the certificate that came is for another key')
  const has = new Set((x509.subjectAltName ?? '').split(', ').map((name) => name.replace(/^DNS:/, '').toLowerCase()))
  const lacks = names.find((name) => !has.has(name))
  if (lacks !== undefined) throw new Error(`the certificate that came is not for ${lacks}`)
  return { kind: 'issued', certificate, chain: issuers.join('\n'), privateKey }
}
