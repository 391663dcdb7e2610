import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Clock } from '../lib/clock.ts'
import { ACCESS_LOG_FIELDS, ACCESS_LOG_HEADER, AccessLog, type AccessRecord, escapeField } from './access-log.ts'

let now = Date.UTC(2026, 10, 21, 4, 5, 6, 789)
const clock: Clock = { now: () => now, wall: () => now, monotonic: () => 0 }

function headers(fields: Readonly<Record<string, string>>): AccessRecord['headers'] {
  return { get: (name) => fields[name], bytes: 100, derived: new Map() }
}

const RECORD: AccessRecord = {
  connection: { scheme: 'http', tls: null, logParts: null },
  viewerAddress: '192.0.2.7',
  viewerPort: 54_321,
  forwardedFor: null,
  headers: headers({
    host: 'www.example.com:80',
    referer: 'http://a/b c',
    'user-agent': 'Mozilla/5.0 (X)',
    'x-forwarded-for': '198.51.100.1, 10.0.0.1',
  }),
  method: 'GET',
  path: '/a b%20c',
  query: 'x=1&y="2"',
  httpVersion: '1.1',
  domainName: 'd111111abcdef8.cloudfront.net',
  pop: 'FRA50-C1',
  status: 200,
  resultType: 'Hit',
  responseResultType: 'Hit',
  detailedResultType: 'OriginShieldHit',
  requestId: 'ID==',
  bytesSent: 1_400,
  bodyBytesReceived: 5,
  takenMs: 1.4,
  firstByteMs: 12_345.6,
  contentType: 'text/html; charset=utf-8',
  contentLength: 1_024,
  range: null,
  fieldStatus: null,
  fieldsEncrypted: 0,
}

/** The fields of one line by name. */
function logged(changes: Partial<AccessRecord> = {}): Record<string, string> {
  const lines: string[] = []
  new AccessLog(clock, { append: (line) => lines.push(line) }).record({ ...RECORD, ...changes })
  assert.equal(lines.length, 1)
  assert.ok(lines[0]?.endsWith('\n'))
  const values = lines[0]!.slice(0, -1).split('\t')
  assert.equal(values.length, ACCESS_LOG_FIELDS.length)
  return Object.fromEntries(ACCESS_LOG_FIELDS.map((field, at) => [field.name, values[at]!]))
}

test('the 33 fields of a line', () => {
  assert.equal(ACCESS_LOG_FIELDS.length, 33)
  assert.deepEqual(logged(), {
    date: '2026-11-21',
    time: '04:05:06',
    'x-edge-location': 'FRA50-C1',
    'sc-bytes': '1400',
    'c-ip': '192.0.2.7',
    'cs-method': 'GET',
    'cs(Host)': 'd111111abcdef8.cloudfront.net',
    'cs-uri-stem': '/a%20b%2520c',
    'sc-status': '200',
    'cs(Referer)': 'http://a/b%20c',
    'cs(User-Agent)': 'Mozilla/5.0%20(X)',
    'cs-uri-query': 'x=1&y=%222%22',
    'cs(Cookie)': '-',
    'x-edge-result-type': 'Hit',
    'x-edge-request-id': 'ID==',
    'x-host-header': 'www.example.com:80',
    'cs-protocol': 'http',
    // Request line, headers, empty line, body.
    'cs-bytes': `${'GET /a b%20c?x=1&y="2" HTTP/1.1\r\n'.length + 100 + 2 + 5}`,
    'time-taken': '0.001',
    'x-forwarded-for': '198.51.100.1,%2010.0.0.1',
    'ssl-protocol': '-',
    'ssl-cipher': '-',
    'x-edge-response-result-type': 'Hit',
    'cs-protocol-version': 'HTTP/1.1',
    'fle-status': '-',
    'fle-encrypted-fields': '-',
    'c-port': '54321',
    'time-to-first-byte': '12.346',
    'x-edge-detailed-result-type': 'OriginShieldHit',
    'sc-content-type': 'text/html;%20charset=utf-8',
    'sc-content-len': '1024',
    'sc-range-start': '-',
    'sc-range-end': '-',
  })
})

test('what is absent is a dash, and a viewer that left before an answer is 000', () => {
  const line = logged({ headers: headers({}), query: null, status: 0, contentType: '', contentLength: -1 })
  for (const name of ['cs(Referer)', 'cs(User-Agent)', 'cs-uri-query', 'x-host-header', 'x-forwarded-for']) {
    assert.equal(line[name], '-', name)
  }
  assert.equal(line['sc-status'], '000')
  assert.equal(line['sc-content-type'], '-')
  assert.equal(line['sc-content-len'], '-')
  assert.equal(logged({ query: '' })['cs-uri-query'], '-')
})

test('behind trusted proxies the columns are those of the viewer', () => {
  const behind = (forwardedFor: string | null) =>
    logged({
      headers: headers({ 'x-forwarded-for': 'a, 8.8.8.8' }),
      viewerAddress: '8.8.8.8',
      viewerPort: 0,
      forwardedFor,
    })
  const line = behind('a')
  assert.deepEqual([line['c-ip'], line['c-port'], line['x-forwarded-for']], ['8.8.8.8', '-', 'a'])
  assert.equal(behind('')['x-forwarded-for'], '-')
  assert.equal(behind(null)['x-forwarded-for'], 'a,%208.8.8.8')
})

test('text that is kept for a second, a connection and a header block is that one’s own', () => {
  const lines: string[] = []
  const log = new AccessLog(clock, { append: (line) => lines.push(line) })
  log.record(RECORD)
  now += 1_000
  log.record(RECORD)
  log.record({
    ...RECORD,
    connection: { scheme: 'https', tls: { protocol: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' }, logParts: null },
    viewerAddress: '::1',
    viewerPort: 1,
  })
  log.record({ ...RECORD, headers: headers({ host: 'other' }) })
  const values = lines.map((line) => line.split('\t'))
  assert.deepEqual(
    values.map((v) => v[1]),
    ['04:05:06', '04:05:07', '04:05:07', '04:05:07'],
  )
  assert.deepEqual(
    values.map((v) => v[4]),
    ['192.0.2.7', '192.0.2.7', '::1', '192.0.2.7'],
  )
  assert.deepEqual(
    values.map((v) => v[16]),
    ['http', 'http', 'https', 'http'],
  )
  assert.deepEqual(
    values.map((v) => v[15]),
    [...Array(3).fill('www.example.com:80'), 'other'],
  )
})

test('percent-encoding: every byte that a line may not hold, and no other', () => {
  const plain = '!$&()*+,-./0123456789:;=?@ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz'
  assert.equal(escapeField(plain), plain)
  for (let code = 0; code < 256; code++) {
    const c = String.fromCharCode(code)
    const expected = plain.includes(c) ? c : `%${code.toString(16).toUpperCase().padStart(2, '0')}`
    assert.equal(escapeField(`a${c}`), `a${expected}`)
  }
  assert.equal(escapeField(''), '-')
})

test('a viewer cannot forge a line or a field', () => {
  const line = logged({ path: '/a\tb\nc', query: '\r\n2026-01-01\tx' })
  assert.equal(line['cs-uri-stem'], '/a%09b%0Ac')
  assert.equal(line['cs-uri-query'], '%0D%0A2026-01-01%09x')
})

test('the header lines are exactly CloudFront’s', () => {
  assert.equal(
    ACCESS_LOG_HEADER,
    '#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query cs(Cookie) x-edge-result-type x-edge-request-id x-host-header cs-protocol cs-bytes time-taken x-forwarded-for ssl-protocol ssl-cipher x-edge-response-result-type cs-protocol-version fle-status fle-encrypted-fields c-port time-to-first-byte x-edge-detailed-result-type sc-content-type sc-content-len sc-range-start sc-range-end\n',
  )
})
