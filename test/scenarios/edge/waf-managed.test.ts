//! Managed rule groups, SqliMatch and XssMatch through the front door: attacks that hide in framing, codings, duplicates and
//! behind limits are refused, and what is refused comes to no origin.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { startOrigin } from '../../support/edge-origin.ts'
import { behaviorDoc, distributionDoc, EdgeScenario, HOST } from '../../support/edge-scenario.ts'
import { ACL_ARN, groupRule, rule, transformations, webAclDoc } from '../../support/web-acl.ts'

const METHODS = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE']
const SQLI = "1' or '1'='1"
const FORM = 'Content-Type: application/x-www-form-urlencoded\r\n'

test('attacks in chunks, in compressed bodies, in duplicates and behind padding are refused', async (t) => {
  const origin = await startOrigin((asked, response) => response.end(`got ${asked.body.length}`))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [])
  const managed = (name: string) => groupRule(name, { ManagedRuleGroupStatement: { VendorName: 'AWS', Name: name } })
  const xss = { FieldToMatch: { SingleHeader: { Name: 'X-Note' } }, TextTransformations: transformations('URL_DECODE') }
  const groups = [managed('AWSManagedRulesCommonRuleSet'), managed('AWSManagedRulesSQLiRuleSet')]
  const webAcl = webAclDoc([...groups, rule('xss', { XssMatchStatement: xss })])
  await edge.feed.change(() => ({ kind: 'web-acl', arn: ACL_ARN, webAcl }))
  const behaviors = [behaviorDoc({ allowedMethods: METHODS })]
  await edge.feed.put(distributionDoc(origin.port, { behaviors, webAclArn: ACL_ARN }))
  const ask = async (target: string, headers: string, body = '', method = 'POST') => {
    const head = `${method} ${target} HTTP/1.1\r\nHost: ${HOST}\r\nUser-Agent: test\r\nConnection: close\r\n`
    const answer = await edge.raw(`${head}${headers}\r\n${body}`)
    return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1])
  }
  const sized = (headers: string, body: string) => [`${headers}Content-Length: ${body.length}\r\n`, body] as const
  const chunks = (...parts: string[]) => {
    const framed = parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`).join('')
    return [`${FORM}Transfer-Encoding: chunked\r\n`, `${framed}0\r\n\r\n`] as const
  }
  const packed = gzipSync(`id=${SQLI}`).toString('latin1')
  const multipart = `--b\r\nContent-Disposition: form-data; name="id"\r\n\r\n${SQLI}\r\n--b--\r\n`
  const rows: [name: string, status: number, answer: Promise<number>][] = [
    ['harmless', 200, ask('/a?q=red+shoes', ...sized(FORM, "name=O'Brien&text=1+and+2"))],
    ['form', 403, ask('/b', ...sized(FORM, `id=${SQLI}`))],
    ['chunks', 403, ask('/c', ...chunks('a=b&id=1', "' o", "r '1'", "='1"))],
    ['gzip', 403, ask('/d', ...sized(`${FORM}Content-Encoding: gzip\r\n`, packed))],
    ['multipart', 403, ask('/e', ...sized('Content-Type: multipart/form-data; boundary=b\r\n', multipart))],
    ['JSON in a form', 403, ask('/f', ...sized(FORM, JSON.stringify({ a: [{ b: SQLI }] })))],
    ['escaped JSON', 403, ask('/g', ...sized('', '{"a":"\\u003cscript\\u003ealert(1)\\u003c/script\\u003e"}'))],
    ['second argument', 403, ask(`/h?id=1&id=${encodeURIComponent(SQLI)}`, '', '', 'GET')],
    ['second header', 403, ask('/i', 'X-Note: a\r\nX-Note: %3Cscript%3Ealert(1)%3C/script%3E\r\n', '', 'GET')],
    ['second cookie line', 403, ask('/j', `Cookie: a=1\r\nCookie: b=${SQLI}\r\n`, '', 'GET')],
    ['bytes that are no UTF-8', 403, ask('/k', ...sized(FORM, `a=\xff\xfe&id=${SQLI}\xc3`))],
    ['behind padding', 403, ask('/l', ...sized(FORM, `a=${'x'.repeat(6_000)}&id=${SQLI}`))],
    ['behind the limit', 403, ask('/m', ...sized(FORM, `a=${'x'.repeat(20_000)}&id=${SQLI}`))],
    ['many arguments', 403, ask(`/n?${'a=b&'.repeat(400)}id=${encodeURIComponent(SQLI)}`, '', '', 'GET')],
    ['deep JSON', 403, ask('/o', ...sized('', `${'['.repeat(3_000)}"${SQLI}"${']'.repeat(3_000)}`))],
    ['NUL', 403, ask('/p?q=%3Cscr%00ipt%3Ealert(1)%3C/scr%00ipt%3E', '', '', 'GET')],
  ]
  for (const [name, status, answer] of rows) assert.equal(await answer, status, name)
  assert.deepEqual(
    origin.asked.map(({ url }) => url),
    ['/a'],
  )
  assert.deepEqual(edge.problems, [])
})
