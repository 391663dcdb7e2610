//! A response headers policy, compiled (spec/cloudfront.md 4.9). What it does to a head depends on the policy, on whether
//! the request is one of cross-origin sharing, from an origin that is allowed and which, and on whether the answer gets
//! Server-Timing. For each of these there is one edit, made once: that is what heads of stored objects are kept by.
import type { CorsDoc, ResponseHeadersPolicyDoc, SecurityHeadersDoc } from '../../domain/policy.ts'
import { compileOrigins, corsHeaders, type OriginMatcher } from '../../http/cors.ts'
import { compileEdit, type HeadEdit, namesAdded, type Wanted } from '../../http/head-edit.ts'
import type { HeaderBlock } from '../listen/viewer.ts'

/** Origins whose edits are remembered for a policy that echoes them; of more, each request has its own made. */
const ECHOES_MAX = 256

/** What a policy does to one kind of answers. */
export interface PolicyEdit extends HeadEdit {
  /** The answer has Server-Timing. */
  readonly timed: boolean
  /** Date is that of the delivery: the origin's is removed. */
  readonly ownDate: boolean
  /** Age is removed, or the policy's own. */
  readonly hidesAge: boolean
  /** What the origin itself said in Server-Timing is not merged. */
  readonly removesTiming: boolean
  /** Lower-case names that it may put in: they belong into a 304 too. */
  readonly added: ReadonlySet<string>
  /** Other requests have the same: what is made by it is worth keeping. */
  readonly lasts: boolean
}

/** What the policy does for one header block. */
interface ForBlock {
  readonly plain: PolicyEdit
  readonly timed: PolicyEdit
  /** `Pragma: server-timing`. */
  readonly asksForTiming: boolean
}

interface Cors {
  readonly doc: CorsDoc
  /** Null when every origin is allowed: the answer says `*`. */
  readonly isListed: OriginMatcher | null
  readonly methods: readonly string[]
}

const ALL_METHODS = ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'] as const

/** By their documents, of which equal ones are one (interned.ts): what is made of a policy outlives other changes. */
const plans = new WeakMap<ResponseHeadersPolicyDoc, HeadersPolicyPlan>()

export function headersPolicyPlan(doc: ResponseHeadersPolicyDoc | null | undefined): HeadersPolicyPlan | null {
  if (!doc) return null
  const known = plans.get(doc)
  if (known !== undefined) return known
  const made = new HeadersPolicyPlan(doc)
  plans.set(doc, made)
  return made
}

export class HeadersPolicyPlan {
  readonly doc: ResponseHeadersPolicyDoc
  readonly #cors: Cors | null
  readonly #removes: ReadonlySet<string>
  readonly #always: readonly Wanted[]
  readonly #edits = new Map<string, ForBlock>()
  /** Under which a header block remembers what it is to this policy; that of OPTIONS is another matter. */
  readonly #preflights = {}

  constructor(doc: ResponseHeadersPolicyDoc) {
    this.doc = doc
    this.#cors = doc.cors === null ? null : compileCors(doc.cors)
    this.#removes = new Set(doc.remove.map((name) => name.toLowerCase()))
    this.#always = [...securityHeaders(doc.security), ...doc.custom]
  }

  /** The edit for a request; `chance` is from 0 to below 1. */
  editFor(method: string, headers: HeaderBlock, chance: () => number): PolicyEdit {
    const { plain, timed, asksForTiming } = this.#forBlock(method === 'OPTIONS', headers)
    const rate = this.doc.serverTimingRate
    if (rate === null) return plain
    return asksForTiming || rate >= 100 || chance() * 100 < rate ? timed : plain
  }

  #forBlock(preflight: boolean, headers: HeaderBlock): ForBlock {
    const place = preflight ? this.#preflights : this
    const known = headers.derived.get(place)
    if (known !== undefined) return known as ForBlock
    const allowed = this.#allowedOrigin(headers.get('origin'))
    const asksForTiming = headers.getAll('pragma').some((value) => /(?:^|,)\s*server-timing\s*(?:,|$)/i.test(value))
    const found = { ...this.#editsOf(allowed, preflight && allowed !== null), asksForTiming }
    headers.derived.set(place, found)
    return found
  }

  /** Null for a request that is not of cross-origin sharing, or whose origin is not on the list. */
  #allowedOrigin(origin: string | undefined): string | null {
    if (this.#cors === null || origin === undefined) return null
    if (this.#cors.isListed === null) return '*'
    return this.#cors.isListed(origin) ? origin : null
  }

  /** Of all requests that are the same to the policy. */
  #editsOf(allowed: string | null, preflight: boolean): ForBlock {
    const name = allowed === null ? '' : `${preflight ? 'preflight' : 'actual'} ${allowed}`
    const known = this.#edits.get(name)
    if (known !== undefined) return known
    const lasts = this.#edits.size < ECHOES_MAX
    const made = {
      plain: { ...this.#edit(allowed, preflight, false), lasts },
      timed: { ...this.#edit(allowed, preflight, true), lasts },
      asksForTiming: false,
    }
    if (lasts) this.#edits.set(name, made)
    return made
  }

  #edit(allowed: string | null, preflight: boolean, timed: boolean): Omit<PolicyEdit, 'lasts'> {
    const cors = this.#cors
    const shared =
      cors === null || allowed === null
        ? []
        : corsHeaders({ ...cors.doc, allowMethods: cors.methods }, allowed, preflight).map(([name, value]) => ({
            name,
            value,
            override: cors.doc.override,
          }))
    const removes = new Set(this.#removes)
    if (timed) removes.add('server-timing')
    const wanted = [...shared, ...this.#always].filter(({ name }) => !(timed && name.toLowerCase() === 'server-timing'))
    const has = (lower: string) => wanted.some(({ name }) => name.toLowerCase() === lower)
    // Without the origin's Server and Date CloudFront has its own (spec 4.9).
    if (removes.has('server') && !has('server')) wanted.push({ name: 'Server', value: 'CloudFront', override: true })
    // Whoever echoes an origin says to caches that the answer depends on it, also to a request without one: what was
    // stored for that would lack what the next one needs (Fetch 3.2.5; what CloudFront does with Vary is unconfirmed).
    const variesByOrigin = cors !== null && cors.isListed !== null
    const edit = compileEdit(removes, wanted, { variesByOrigin })
    return {
      ...edit,
      timed,
      ownDate: removes.has('date') && !has('date'),
      hidesAge: edit.drops.has('age'),
      removesTiming: this.#removes.has('server-timing'),
      added: namesAdded(edit),
    }
  }
}

/**
 * `*` among the origins allows all of them, and is what the answer says, also beside credentials: a browser refuses that
 * combination, and to echo whoever asks would be another policy than the one that was written.
 */
function compileCors(doc: CorsDoc): Cors {
  return {
    doc,
    isListed: doc.allowOrigins.includes('*') ? null : compileOrigins(doc.allowOrigins),
    methods: doc.allowMethods.includes('ALL') ? ALL_METHODS : doc.allowMethods,
  }
}

function securityHeaders(doc: SecurityHeadersDoc): Wanted[] {
  const { contentSecurityPolicy: csp, contentTypeOptions, frameOptions, referrerPolicy } = doc
  const { strictTransportSecurity: hsts, xssProtection: xss } = doc
  const wanted: Wanted[] = []
  const want = (name: string, value: string, { override }: { readonly override: boolean }) =>
    wanted.push({ name, value, override })
  if (xss !== undefined) want('X-XSS-Protection', xssValue(xss), xss)
  if (frameOptions !== undefined) want('X-Frame-Options', frameOptions.value, frameOptions)
  if (referrerPolicy !== undefined) want('Referrer-Policy', referrerPolicy.value, referrerPolicy)
  if (csp !== undefined) want('Content-Security-Policy', csp.value, csp)
  if (contentTypeOptions !== undefined) want('X-Content-Type-Options', 'nosniff', contentTypeOptions)
  if (hsts !== undefined) {
    const { maxAgeSec, includeSubdomains, preload } = hsts
    const value = `max-age=${maxAgeSec}${includeSubdomains ? '; includeSubDomains' : ''}${preload ? '; preload' : ''}`
    want('Strict-Transport-Security', value, hsts)
  }
  return wanted
}

function xssValue({ protection, modeBlock, reportUri }: NonNullable<SecurityHeadersDoc['xssProtection']>): string {
  if (!protection) return '0'
  return `1${modeBlock ? '; mode=block' : ''}${reportUri === '' ? '' : `; report=${reportUri}`}`
}
