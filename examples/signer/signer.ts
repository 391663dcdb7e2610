//! The signer: a login, and behind it signed cookies for what a member may see.
//!
//!   GET  /members                              the login, or the page with the private images
//!   POST /members/login                        name and password of a form; then to /signed-cookie
//!   POST /members/logout
//!   GET  /signed-cookie?resource=/images/*     cookies for the resource; with `to=/path` leads there
//!   GET  /refresh                              new cookies for all that the member may see, before the old ones are over
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { Accounts, Member } from './accounts.ts'
import { galleryHtml, loginHtml } from './pages.ts'
import { grantingCookies, revokingCookies, type SigningKey } from './sign.ts'

const SESSION = 'signer-session'
const SESSION_SECONDS = 8 * 60 * 60
const BODY_BYTES_MAX = 4_096
/** What a site is called in the policies that we sign: nothing that has a meaning there, such as `*`. */
const HOST = /^[a-z0-9.-]{1,253}(?::\d{1,5})?$/

export interface SignerParts {
  readonly key: SigningKey
  readonly accounts: Accounts
  /** How long signed cookies are good. Short: nobody can take them back (rotating the key takes back all). */
  readonly cookieSeconds: number
  /** Paths of the members' images. */
  readonly images: readonly string[]
  /** Milliseconds since the epoch. */
  readonly now: () => number
}

interface Visit {
  readonly request: IncomingMessage
  readonly query: URLSearchParams
  /** Null for a viewer who has not logged in. */
  readonly member: Member | null
  readonly host: string
  readonly secure: boolean
  readonly parts: SignerParts
}

interface Answer {
  readonly status: number
  readonly type?: string
  readonly body?: string
  readonly location?: string
  readonly cookies?: readonly string[]
}

type Route = (visit: Visit) => Answer | Promise<Answer>

const ROUTES: Readonly<Record<string, Route>> = {
  'GET /members': members,
  'POST /members/login': login,
  'POST /members/logout': logout,
  'GET /signed-cookie': signedCookie,
  'GET /refresh': refresh,
}

/** A server that is not listening yet. */
export function createSigner(parts: SignerParts): Server {
  return createServer(async (request, response) => {
    const answer = await answerTo(request, parts).catch((error: Error): Answer => {
      console.error(`signer: ${request.method} ${request.url?.split('?', 1)[0]}: ${error.message}`)
      return text(500, 'The signer could not answer.')
    })
    const { status, type = 'text/plain; charset=utf-8', body = '', location, cookies = [] } = answer
    response.writeHead(status, {
      'Content-Type': type,
      'Content-Length': Buffer.byteLength(body),
      // Cookies of one viewer are nobody else's: no cache may keep them.
      'Cache-Control': 'private, no-store',
      ...(location === undefined ? {} : { Location: location }),
      ...(cookies.length === 0 ? {} : { 'Set-Cookie': [...cookies] }),
    })
    response.end(request.method === 'HEAD' ? undefined : body)
  })
}

async function answerTo(request: IncomingMessage, parts: SignerParts): Promise<Answer> {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2)
  const method = request.method === 'HEAD' ? 'GET' : request.method
  const route = Object.hasOwn(ROUTES, `${method} ${path}`) ? ROUTES[`${method} ${path}`] : undefined
  if (route === undefined) return text(404, 'There is nothing here.')
  const host = request.headers.host?.toLowerCase() ?? ''
  if (!HOST.test(host)) return text(400, 'The Host is not a name.')
  const secure = request.headers['cloudfront-forwarded-proto'] === 'https'
  const member = parts.accounts.memberOf(cookieOf(request, SESSION))
  return route({ request, query: new URLSearchParams(query), member, host, secure, parts })
}

function members({ member, parts }: Visit): Answer {
  if (member === null) return html(200, loginHtml(''))
  return html(200, galleryHtml(member.name, parts.images, parts.cookieSeconds))
}

async function login({ request, secure, parts }: Visit): Promise<Answer> {
  const form = new URLSearchParams(await readBody(request))
  const outcome = await parts.accounts.login(form.get('name') ?? '', form.get('password') ?? '')
  if (outcome === 'too-many-attempts') return html(429, loginHtml('Too many attempts: try again in a minute.'))
  if (outcome === 'refused') return html(403, loginHtml('The name or the password is wrong.'))
  return {
    status: 303,
    location: `/signed-cookie?resource=${encodeURIComponent(outcome.resources[0] ?? '')}&to=/members`,
    cookies: [sessionCookie(parts.accounts.session(outcome, SESSION_SECONDS), SESSION_SECONDS, secure)],
  }
}

function logout({ member, secure }: Visit): Answer {
  const signed = (member?.resources ?? []).flatMap((resource) => revokingCookies(resource, secure))
  return { status: 303, location: '/members', cookies: [sessionCookie('', 0, secure), ...signed] }
}

function signedCookie(visit: Visit): Answer {
  const { member, query } = visit
  if (member === null) return text(401, 'Log in at /members first.')
  const resource = query.get('resource') ?? ''
  // Only what the account lists, as it is written there: a signer that signs what it is asked for protects nothing.
  if (!member.resources.includes(resource)) return text(403, `${member.name} may not see this resource.`)
  const cookies = grant(visit, resource)
  const to = query.get('to')
  if (to === null) return { ...until(visit), cookies }
  return isOwnPath(to) ? { status: 303, location: to, cookies } : text(400, 'The parameter to is no path of this site.')
}

/** A session that is still good gets new cookies, and is itself good for as long as at first. */
function refresh(visit: Visit): Answer {
  const { member, parts, secure } = visit
  if (member === null) return text(401, 'The session is over: log in at /members.')
  const session = sessionCookie(parts.accounts.session(member, SESSION_SECONDS), SESSION_SECONDS, secure)
  return { ...until(visit), cookies: [session, ...member.resources.flatMap((resource) => grant(visit, resource))] }
}

const untilOf = ({ parts }: Visit): number => Math.floor(parts.now() / 1000) + parts.cookieSeconds

const grant = (visit: Visit, resource: string): string[] => {
  const { host, secure, parts } = visit
  return grantingCookies(parts.key, { host, resource, until: untilOf(visit), seconds: parts.cookieSeconds, secure })
}

/** When the cookies that come with it are over. */
const until = (visit: Visit): Answer => ({
  status: 200,
  type: 'application/json',
  body: JSON.stringify({ until: new Date(untilOf(visit) * 1000).toISOString() }),
})

/** No way to lead a viewer to another site. */
const isOwnPath = (to: string): boolean => /^\/(?![/\\])[\w./~-]*$/.test(to)

const sessionCookie = (value: string, seconds: number, secure: boolean): string =>
  `${SESSION}=${value}; Path=/; Max-Age=${seconds}; HttpOnly; SameSite=Lax${secure ? '; Secure' : ''}`

function cookieOf(request: IncomingMessage, name: string): string {
  const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim())
  return pairs.find((pair) => pair.startsWith(`${name}=`))?.slice(name.length + 1) ?? ''
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) {
    body += chunk
    if (body.length > BODY_BYTES_MAX) throw new Error('the form is too large')
  }
  return body
}

const text = (status: number, body: string): Answer => ({ status, body: `${body}\n` })
const html = (status: number, body: string): Answer => ({ status, type: 'text/html; charset=utf-8', body })
