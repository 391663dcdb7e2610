//! Field-level encryption (spec/cloudfront.md 3.1 step 15, 12.3): fields of a form are encrypted before anything of its
//! body leaves the worker that the viewer is connected to. What cannot be encrypted is refused, never sent as it is.
import type { FieldStatus } from '../../domain/field-encryption.ts'
import type { Edge } from '../edge.ts'
import type { EdgeFault, Exchange } from '../exchange.ts'
import { wholeBody } from '../fields/body.ts'
import { chooseFields } from '../fields/choose.ts'
import { base64Value, type FormPlan, planForm } from '../fields/form.ts'
import type { FieldsPlan, ProfilePlan } from '../fields/plan.ts'
import { left } from '../leaving.ts'
import type { ViewerBody, ViewerRequest } from '../listen/viewer.ts'
import { withoutFields } from '../own-request.ts'
import { stage, to } from '../stage.ts'

export const encryptFields = stage({
  name: to.encryptFields,
  next: [to.originRequest, to.errorPage, to.record],
  run(x, edge) {
    const { body, headers, query } = x.request
    const plan = x.behavior?.fields
    // What the edge or a peer asks in a viewer's place carries no form.
    const isViewers = x.peer === null && x.inner === null && x.page === null
    if (plan == null || !isViewers || body === null || body.length === 0) return to.originRequest
    const contentTypes = headers.getAll('content-type')
    const choice = chooseFields(plan, { contentTypes, encodings: headers.getAll('content-encoding'), query })
    x.watcher?.decided(`${x.behavior?.field}.FieldLevelEncryptionId`, plan.doc.id)
    if (choice.kind === 'encrypt') return encrypt(x, edge, plan, choice.profile, body)
    if (choice.kind === 'refuse') return refuse(x, choice.status)
    settle(x, choice.status, 0)
    return to.originRequest
  },
})

async function encrypt(x: Exchange, edge: Edge, plan: FieldsPlan, profile: ProfilePlan, body: ViewerBody) {
  x.watcher?.note('profile', `${profile.doc.id} ${profile.doc.name}`)
  const share = { bytes: 0 }
  x.heldBody = share
  const came = await edge.fieldBodies.take(body, share)
  if (x.reply.gone) return left(x)
  if (came === 'busy') return fail(x, BUSY)
  if (came === 'too-long') return refuse(x, 'RequestLengthLimitClientError')
  if (came === 'broken') return refuse(x, 'MalformedInputClientError')
  const form = planForm(came.toString('latin1'), profile.entityOf)
  if (typeof form === 'string') return refuse(x, form)
  let made: Buffer
  try {
    made = await encrypted(form, edge)
  } catch (error) {
    tell(x, edge, plan, profile, error as Error)
    return fail(x, UNENCRYPTED)
  }
  if (x.reply.gone) return left(x)
  edge.fieldBodies.release(share)
  if (!edge.fieldBodies.hold(share, made.length)) return fail(x, BUSY)
  x.request = carrying(x.request, made)
  if (x.watcher !== null) x.watcher.note('encrypted', namesOf(form))
  settle(x, 'Processed', form.fields.length)
  return to.originRequest
}

/** Milliseconds between two lines about the same profile. */
const PROBLEM_EVERY_MS = 1_000
const told = new WeakMap<ProfilePlan, number>()

function tell({ distribution }: Exchange, edge: Edge, plan: FieldsPlan, profile: ProfilePlan, error: Error): void {
  const now = edge.clock.monotonic()
  if (now - (told.get(profile) ?? Number.NEGATIVE_INFINITY) < PROBLEM_EVERY_MS) return
  told.set(profile, now)
  edge.problem(
    `${distribution?.id}: the profile ${profile.doc.id} of ${plan.doc.id} cannot encrypt, requests are refused: ${error.message}`,
  )
}

/** One value after the other: each is some work for the worker, and others are served in between. */
async function encrypted(form: FormPlan<Parameters<Edge['fieldCipher']['encrypt']>[0]>, edge: Edge): Promise<Buffer> {
  const out: string[] = []
  for (const piece of form.pieces) {
    if (typeof piece === 'string') out.push(piece)
    else out.push(base64Value(await edge.fieldCipher.encrypt(piece.entity, piece.value)))
  }
  return Buffer.from(out.join(''), 'latin1')
}

/** Header fields with a digest of the body as it was: no longer true, and short values can be guessed by them. */
const DIGESTS: ReadonlySet<string> = new Set([
  'content-md5',
  'content-digest',
  'digest',
  'repr-digest',
  'x-amz-content-sha256',
])

const carrying = (request: ViewerRequest, bytes: Buffer): ViewerRequest => ({
  ...request,
  headers: withoutFields(request.headers, DIGESTS),
  body: wholeBody(bytes),
})

/** Characters of names that a trace shows. */
const NAMES_CHARS_MAX = 400

const namesOf = ({ fields }: FormPlan<unknown>): string =>
  fields
    .map(({ name }) => name)
    .join(', ')
    .slice(0, NAMES_CHARS_MAX)

function settle(x: Exchange, status: FieldStatus, count: number): void {
  x.fieldStatus = status
  x.fieldsEncrypted = count
  x.watcher?.note('fle-status', status)
}

/** What the viewer is told; nothing of the body is in it. */
const REASONS: Readonly<Partial<Record<FieldStatus, string>>> = {
  MalformedContentTypeClientError: 'The Content-Type of the request is not valid.',
  MalformedInputClientError: 'The body of the request is not a valid form.',
  MalformedQueryArgsClientError: 'The query argument fle-profile of the request is not valid.',
  RejectedByContentType: 'The distribution does not take bodies of this Content-Type.',
  RejectedByQueryArgs: 'The query argument fle-profile of the request names no profile of the distribution.',
  FieldLengthLimitClientError: 'A field of the request is too long.',
  FieldNumberLimitClientError: 'The request has too many fields.',
  RequestLengthLimitClientError: 'The body of the request is too long.',
}

function refuse(x: Exchange, status: FieldStatus): typeof to.errorPage {
  settle(x, status, 0)
  x.fault = { status: 400, reason: REASONS[status] ?? '', detailed: 'InvalidRequest', origin: null }
  return to.errorPage
}

const UNENCRYPTED: EdgeFault = {
  status: 500,
  reason: 'The request could not be encrypted.',
  detailed: 'InternalError',
  origin: null,
}

/** No custom error page stands in for it (spec 3.5). */
const BUSY: EdgeFault = {
  status: 503,
  reason: 'The request could not be satisfied: too many are being encrypted.',
  detailed: 'CapacityExceeded',
  origin: null,
  noPage: true,
}

function fail(x: Exchange, fault: EdgeFault): typeof to.errorPage {
  settle(x, 'ServerError', 0)
  x.fault = fault
  return to.errorPage
}
