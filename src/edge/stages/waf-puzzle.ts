//! Answers what the pages of challenges ask for, below WAF_PATH on hosts of distributions with a web ACL: before the web ACL,
//! which would ask for another token. Nothing of it is cached, and no origin sees it.
import type { Readable } from 'node:stream'
import { reasonPhrase } from '../../http/error-page.ts'
import type { Edge } from '../edge.ts'
import type { Exchange } from '../exchange.ts'
import { left } from '../leaving.ts'
import type { DistributionPlan } from '../snapshot/snapshot.ts'
import { stage, to } from '../stage.ts'
import type { PuzzleAnswer } from '../waf/challenge/answers.ts'

/** Bytes of a form that is ours. */
const FORM_BYTES_MAX = 16 * 1024

export const wafPuzzle = stage({
  name: to.wafPuzzle,
  next: [to.record],
  async run(x, edge) {
    const { body, method } = x.request
    const form = body === null || method !== 'POST' ? null : await formOf(body.stream())
    const { webAclArn } = x.distribution as DistributionPlan
    const answer = await edge.waf.answerPuzzle({
      method,
      path: x.request.path,
      query: x.request.query,
      headers: x.request.headers,
      isHttps: x.request.connection.scheme === 'https',
      address: x.viewerAddress,
      requestId: x.requestId,
      tokenDomains: x.snapshot.webAcls.get(webAclArn)?.doc.acl.TokenDomains ?? [],
      form,
      now: edge.clock.now(),
    })
    if (x.reply.gone) return left(x)
    send(x, edge, answer)
    return to.record
  },
})

function send(x: Exchange, edge: Edge, { status, contentType, body, headers }: PuzzleAnswer): void {
  x.watcher?.decided('WebACL.Puzzle', status)
  x.status = status
  x.result = status >= 400 ? 'Error' : 'Miss'
  x.detailed = x.result
  x.contentType = contentType
  x.contentLength = body.length
  x.firstByteAt = edge.clock.monotonic()
  const head = `HTTP/1.1 ${status} ${reasonPhrase(status)}\r
Server: CloudFront\r
Date: ${edge.date()}\r
Content-Type: ${contentType}\r
Content-Length: ${body.length}\r
Connection: ${x.reply.closes ? 'close' : 'keep-alive'}\r
${headers.map(([name, value]) => `${name}: ${value}\r\n`).join('')}X-Cache: ${x.result} from cloudfront\r
Via: 1.1 ${x.place.via}\r
X-Amz-Cf-Pop: ${x.place.name}\r
X-Amz-Cf-Id: ${x.requestId}\r
\r
`
  x.watcher?.sends(head)
  x.reply.whole(head, x.request.method === 'HEAD' ? null : body, null)
}

/** Null for one that broke off, or is longer than any of ours; then the rest of it is thrown away. */
function formOf(stream: Readable): Promise<URLSearchParams | null> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let length = 0
    stream.on('data', (chunk: Buffer) => {
      length += chunk.length
      if (length <= FORM_BYTES_MAX) chunks.push(chunk)
      else resolve(null)
    })
    stream.on('end', () => resolve(new URLSearchParams(Buffer.concat(chunks).toString('utf8'))))
    stream.on('error', () => resolve(null))
    stream.on('close', () => resolve(null))
  })
}
