//! Answers an ACME server that checks whether a name is ours (RFC 8555 8.3), before the table asks whose Host it is: the
//! certificate of a name comes before its distribution. In the way of no request while no certificate is being asked for.
//! A token that nobody told us of goes on as any request does: the origin may have ACME of its own.
import { CHALLENGE_PATH, httpChallengeId } from '../../domain/challenge.ts'
import { stage, to } from '../stage.ts'

export const acmeChallenge = stage({
  name: to.acmeChallenge,
  next: [to.matchDistribution, to.record],
  run(x, edge) {
    const { method, path, headers } = x.request
    if (method !== 'GET' || !path.startsWith(CHALLENGE_PATH)) return to.matchDistribution
    const challenge = x.snapshot.challenges.get(httpChallengeId(headers.host, path.slice(CHALLENGE_PATH.length)))
    if (challenge === undefined) return to.matchDistribution
    x.watcher?.decided('AcmeChallenge', challenge.name)
    const body = Buffer.from(challenge.content, 'latin1')
    x.status = 200
    x.contentType = 'application/octet-stream'
    x.contentLength = body.length
    x.firstByteAt = edge.clock.monotonic()
    const head = `HTTP/1.1 200 OK\r
Server: CloudFront\r
Date: ${edge.date()}\r
Content-Type: application/octet-stream\r
Content-Length: ${body.length}\r
Cache-Control: no-store\r
Connection: ${x.reply.closes ? 'close' : 'keep-alive'}\r
X-Cache: Miss from cloudfront\r
Via: 1.1 ${x.place.via}\r
X-Amz-Cf-Pop: ${x.place.name}\r
X-Amz-Cf-Id: ${x.requestId}\r
\r
`
    x.watcher?.sends(head)
    x.reply.whole(head, body, null)
    return to.record
  },
})
