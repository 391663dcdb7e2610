//! The shop's own server, the origin of pages, carts and the price API. Every answer says in `X-Tier` which tier behind
//! the edge it came from, and in Cache-Control how long the edge may keep it.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { DatabaseClient } from './database-client.ts'
import { cartHtml, frontHtml, messageHtml, productHtml } from './pages.ts'
import type { ProductCache } from './product-cache.ts'

/** Viewers ask again each time; the edge keeps pages for five minutes, or until they are invalidated. */
const PAGE_CACHING = 'public, max-age=0, s-maxage=300'
const NOT_CACHED = 'private, no-store'
const BODY_BYTES_MAX = 4_096
const CART_PRODUCTS_MAX = 20
const PRICE_CENTS_MAX = 100_000_000

export interface ShopParts {
  readonly cache: ProductCache
  readonly database: DatabaseClient
  /** Which of the shop's servers this is: X-Server of its answers. */
  readonly name: string
}

interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

interface Visit {
  readonly request: IncomingMessage
  /** What the parentheses of the route's pattern caught. */
  readonly id: number
  readonly parts: ShopParts
}

interface Route {
  readonly method: string
  readonly pattern: RegExp
  answer(visit: Visit): Promise<Answer>
}

const ROUTES: readonly Route[] = [
  { method: 'GET', pattern: /^\/$/, answer: front },
  { method: 'GET', pattern: /^\/products\/(\d{1,9})$/, answer: productPage },
  { method: 'GET', pattern: /^\/api\/products\/(\d{1,9})$/, answer: productJson },
  { method: 'POST', pattern: /^\/api\/products\/(\d{1,9})\/price$/, answer: changePrice },
  { method: 'GET', pattern: /^\/api\/stats$/, answer: stats },
  { method: 'GET', pattern: /^\/cart$/, answer: cart },
  { method: 'POST', pattern: /^\/cart$/, answer: addToCart },
]

/** A server that is not listening yet. */
export function createShop(parts: ShopParts): Server {
  return createServer(async (request, response) => {
    let answer: Answer
    try {
      answer = await route(request, parts)
    } catch (error) {
      console.error(`storefront: ${request.method} ${request.url}: ${(error as Error).message}`)
      answer = html(500, messageHtml('The shop could not answer'), { 'Cache-Control': NOT_CACHED })
    }
    response.setHeader('X-Server', parts.name)
    send(request, response, answer)
  })
}

function route(request: IncomingMessage, parts: ShopParts): Promise<Answer> | Answer {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
  const method = request.method === 'HEAD' ? 'GET' : request.method
  for (const row of ROUTES) {
    const found = row.pattern.exec(path)
    if (found !== null && row.method === method) return row.answer({ request, id: Number(found[1] ?? 0), parts })
  }
  return notFound()
}

function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  response.writeHead(answer.status, { ...answer.headers, 'Content-Length': Buffer.byteLength(answer.body) })
  response.end(request.method === 'HEAD' ? undefined : answer.body)
}

async function front({ parts }: Visit): Promise<Answer> {
  const found = await parts.cache.front()
  if (found === null) return notFound()
  return html(200, frontHtml(found.page), { 'Cache-Control': PAGE_CACHING, 'X-Tier': found.tier })
}

async function productPage({ id, parts }: Visit): Promise<Answer> {
  const found = await parts.cache.product(id)
  if (found === null) return notFound()
  return html(200, productHtml(found.page), { 'Cache-Control': PAGE_CACHING, 'X-Tier': found.tier })
}

async function productJson({ id, parts }: Visit): Promise<Answer> {
  const found = await parts.cache.product(id)
  if (found === null) return json(404, { error: 'There is no such product.' })
  return json(200, found.page, { 'X-Tier': found.tier })
}

/** Body `{"cents": N}`. Answers what became of the cached page: `written` or `refused` (removed as soon as possible). */
async function changePrice({ request, id, parts }: Visit): Promise<Answer> {
  const cents = readCents(await readBody(request))
  if (cents === null) return json(400, { error: `The body must be {"cents": N} with N from 1 to ${PRICE_CENTS_MAX}.` })
  const cache = await parts.cache.setPrice(id, cents)
  if (cache === 'no-such-product') return json(404, { error: 'There is no such product.' })
  return json(200, { id, cents, cache })
}

async function stats({ parts }: Visit): Promise<Answer> {
  return json(200, { queries: await parts.database.counts(), cache: parts.cache.counts() })
}

/** The cart is the cookie `cart=17.204`: ids of products. Nobody else may see it, so no cache may keep it. */
async function cart({ request, parts }: Visit): Promise<Answer> {
  const found = await Promise.all(cartOf(request).map((id) => parts.cache.product(id)))
  const products = found.flatMap((product) => (product === null ? [] : [product.page]))
  return html(200, cartHtml(products), { 'Cache-Control': NOT_CACHED, 'Set-Cookie': cartCookie(cartOf(request)) })
}

async function addToCart({ request }: Visit): Promise<Answer> {
  const id = Number(new URLSearchParams(await readBody(request)).get('product'))
  const products = [...cartOf(request), ...(Number.isSafeInteger(id) && id > 0 ? [id] : [])].slice(-CART_PRODUCTS_MAX)
  const headers = { Location: '/cart', 'Set-Cookie': cartCookie(products), 'Cache-Control': NOT_CACHED }
  return { status: 303, headers, body: '' }
}

function cartOf(request: IncomingMessage): readonly number[] {
  const [, ids = ''] = /(?:^|;\s*)cart=(\d{1,9}(?:\.\d{1,9})*)/.exec(request.headers.cookie ?? '') ?? []
  return ids.split('.').filter(Boolean).map(Number).slice(-CART_PRODUCTS_MAX)
}

const cartCookie = (ids: readonly number[]): string => `cart=${ids.join('.')}; Path=/; HttpOnly; SameSite=Lax`

function readCents(body: string): number | null {
  try {
    const cents = (JSON.parse(body) as { cents?: unknown } | null)?.cents
    return Number.isSafeInteger(cents) && Number(cents) >= 1 && Number(cents) <= PRICE_CENTS_MAX ? Number(cents) : null
  } catch {
    return null
  }
}

/** The body as text; what goes beyond the limit is not kept. */
async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes <= BODY_BYTES_MAX) chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

const html = (status: number, body: string, headers: Readonly<Record<string, string>>): Answer => ({
  status,
  headers: { 'Content-Type': 'text/html; charset=utf-8', ...headers },
  body,
})

const json = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status,
  headers: { 'Content-Type': 'application/json', 'Cache-Control': NOT_CACHED, ...headers },
  body: JSON.stringify(value),
})

const notFound = (): Answer => html(404, messageHtml('There is no such page'), { 'Cache-Control': PAGE_CACHING })
