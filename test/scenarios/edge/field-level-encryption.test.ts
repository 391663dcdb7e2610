//! Field-level encryption at the edge (spec/cloudfront.md 12.3): what the origin gets of a form, read back by the AWS
//! Encryption SDK's own decryptor and by a second reader; what is refused, and what it is called in the log; that nothing of
//! a field is anywhere else.
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { connect as connectHttp2 } from 'node:http2'
import { registerHooks } from 'node:module'
import { connect } from 'node:net'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import fc from 'fast-check'
import type { BehaviorDoc } from '../../../src/domain/distribution.ts'
import { FIELD_LIMITS, FIELD_STATUSES } from '../../../src/domain/field-encryption.ts'
import type { WorkerOptions } from '../../../src/edge/worker.ts'
import { ACCESS_LOG_FIELDS } from '../../../src/observe/access-log.ts'
import type { Trace } from '../../../src/observe/trace.ts'
import { startOrigin, startRawOrigin, type TestOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  distributionDoc,
  EdgeScenario,
  HOST,
  originDoc,
  type ViewerAsks,
} from '../../support/edge-scenario.ts'
import { ALL_VIEWER } from '../../support/edge-strict.ts'
import { listening, network } from '../../support/edge-topology.ts'
import { traceOf } from '../../support/edge-trace.ts'
import {
  decryptField,
  entityDoc,
  FORM,
  fieldEncryptionDoc,
  KEY_NAME,
  PROVIDER_ID,
  profileDoc,
  rsaPair,
} from '../../support/field-encryption.ts'
import { ACL_ARN, byteMatch, rule, webAclDoc } from '../../support/web-acl.ts'

const PAIR = rsaPair()
const SECOND = rsaPair()
const SECRET = 'TopSecret4111'
const ALL = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE']
const { valueBytes, fields: FIELDS_MAX, bodyBytes } = FIELD_LIMITS

const PROFILE = profileDoc(PAIR.publicKey, ['card', 'secret*'])
const OTHER = profileDoc(SECOND.publicKey, ['name'], 'P2PROFILE')
const BROKEN = {
  ...PROFILE,
  id: 'P3BROKEN',
  entities: [entityDoc('-----BEGIN PUBLIC KEY-----\nnone\n-----END PUBLIC KEY-----\n', ['card'])],
}

/** By the first part of the path. */
const CONFIGS: Readonly<Record<string, BehaviorDoc['fieldEncryption']>> = {
  strict: fieldEncryptionDoc(PROFILE, {
    queryArgs: { forwardsUnknown: false, profiles: [{ queryArg: 'other', profile: OTHER }] },
  }),
  lenient: fieldEncryptionDoc(null, {
    forwardsUnknownType: true,
    queryArgs: { forwardsUnknown: true, profiles: [{ queryArg: 'card', profile: PROFILE }] },
  }),
  broken: fieldEncryptionDoc(BROKEN),
}

const behaviors = [
  ...Object.entries(CONFIGS).map(([name, fieldEncryption]) =>
    behaviorDoc({
      pathPattern: `/${name}/*`,
      allowedMethods: ALL,
      originRequestPolicy: ALL_VIEWER,
      fieldEncryption: fieldEncryption as never,
    }),
  ),
  behaviorDoc({ allowedMethods: ALL }),
]

/** A POP behind a regional edge cache and a shield, unless told otherwise. */
async function setup(
  t: TestContext,
  count = 1,
  topology: Partial<WorkerOptions> = listening(network(1)),
): Promise<{ edge: EdgeScenario; origin: TestOrigin }> {
  const origin = await startOrigin((asked, response) => {
    response.statusCode = asked.url.endsWith('/fails') ? 503 : 200
    response.end(asked.method)
  })
  t.after(() => origin.close())
  const document = distributionDoc(origin.port, {
    behaviors,
    origins: [originDoc(origin.port, { shieldRegion: 'us-east-1' })],
    errorResponses: [{ errorCode: 503, cachingMinTtlSeconds: 0, page: { path: '/sorry', responseCode: 200 } }],
  })
  const edge = await EdgeScenario.start(t, [document], {
    count,
    ...topology,
    diskBytes: 64 * 1024 * 1024,
  })
  return { edge, origin }
}

const post = (edge: EdgeScenario, path: string, body: string, asks: ViewerAsks = {}) =>
  edge.get(path, { method: 'POST', ...asks, body, headers: { 'content-type': FORM, ...asks.headers } })

/** What the holder of the private key reads in a form: its encrypted fields in plain text, the rest as it came. */
async function readable(body: string, encrypted: readonly string[], pair = PAIR): Promise<string> {
  const parts = body.split('&').map(async (part) => {
    const [name = '', value = ''] = part.split('=', 2)
    return encrypted.includes(name)
      ? `${name}=<${(await decryptField(decodeURIComponent(value), pair)).toString('latin1')}>`
      : part
  })
  return (await Promise.all(parts)).join('&')
}

interface Row {
  readonly what: string
  readonly path: string
  readonly body: string
  readonly type?: string | string[]
  /** Of the viewer's answer. */
  readonly status?: number
  readonly fle: string
  readonly encrypted?: readonly string[]
  /** What the origin read, with `<value>` for what it cannot; absent: it was not asked. */
  readonly read?: string
  readonly pair?: typeof PAIR
}

const CARD = `a=1&card=${SECRET}`
const fields = (count: number): string => Array.from({ length: count }, (_, at) => `secret${at}=${SECRET}`).join('&')

/** Every word of fle-status once, and what goes with it. */
const ROWS: readonly Row[] = [
  {
    what: 'a form',
    path: '/strict/form',
    body: `${CARD}&secret_a=x%20y+z&b=%2f&c`,
    fle: 'Processed',
    encrypted: ['card', 'secret_a'],
    read: `a=1&card=<${SECRET}>&secret_a=<x y z>&b=%2f&c`,
  },
  {
    what: 'an encoded name',
    path: '/strict/encoded',
    body: `%63ard=${SECRET}&Card=1`,
    type: `${FORM}; charset=utf-8`,
    fle: 'Processed',
    encrypted: ['%63ard'],
    read: `%63ard=<${SECRET}>&Card=1`,
  },
  { what: 'no field to encrypt', path: '/strict/none', body: 'a=1&b=2', fle: 'Processed', read: 'a=1&b=2' },
  {
    what: 'a profile by query argument',
    path: '/strict/args?fle-profile=other',
    body: 'name=Jo&card=1',
    fle: 'Processed',
    encrypted: ['name'],
    read: 'name=<Jo>&card=1',
    pair: SECOND,
  },
  {
    what: 'JSON, forwarded',
    path: '/lenient/json',
    body: '{"card":1}',
    type: 'application/json',
    fle: 'ForwardedByContentType',
    read: '{"card":1}',
  },
  {
    what: 'an unknown profile, forwarded',
    path: '/lenient/args?fle-profile=x',
    body: 'card=1',
    fle: 'ForwardedByQueryArgs',
    read: 'card=1',
  },
  { what: 'no profile', path: '/lenient/none', body: 'card=1', fle: 'ForwardedDueToNoProfile', read: 'card=1' },
  {
    what: 'a type in a strange encoding',
    path: '/strict/charset',
    body: CARD,
    type: `${FORM}; charset=utf-16`,
    status: 400,
    fle: 'MalformedContentTypeClientError',
  },
  {
    what: 'a bad percent sign',
    path: '/strict/percent',
    body: `${CARD}&b=%`,
    status: 400,
    fle: 'MalformedInputClientError',
  },
  {
    what: 'an empty profile',
    path: '/lenient/empty?fle-profile=',
    body: CARD,
    status: 400,
    fle: 'MalformedQueryArgsClientError',
  },
  {
    what: 'JSON',
    path: '/strict/json',
    body: `{"card":"${SECRET}"}`,
    type: 'application/json',
    status: 400,
    fle: 'RejectedByContentType',
  },
  {
    what: 'multipart',
    path: '/strict/multipart',
    body: `--b\r\nContent-Disposition: form-data; name=card\r\n\r\n${SECRET}\r\n--b--\r\n`,
    type: 'multipart/form-data; boundary=b',
    status: 400,
    fle: 'RejectedByContentType',
  },
  {
    what: 'an unknown profile',
    path: '/strict/unknown?fle-profile=x',
    body: CARD,
    status: 400,
    fle: 'RejectedByQueryArgs',
  },
  {
    what: 'a value over 16 KB',
    path: '/strict/long',
    body: `card=${SECRET}${'v'.repeat(valueBytes)}`,
    status: 400,
    fle: 'FieldLengthLimitClientError',
  },
  {
    what: 'eleven fields',
    path: '/strict/eleven',
    body: fields(FIELDS_MAX + 1),
    status: 400,
    fle: 'FieldNumberLimitClientError',
  },
  {
    what: 'a body over 1 MB',
    path: '/strict/large',
    body: `${CARD}&b=${'x'.repeat(bodyBytes)}`,
    status: 400,
    fle: 'RequestLengthLimitClientError',
  },
  { what: 'a key that is none', path: '/broken/key', body: CARD, status: 500, fle: 'ServerError' },
  {
    what: "an origin's error, for which a page stands in",
    path: '/strict/fails',
    body: CARD,
    fle: 'ServerError',
    encrypted: ['card'],
    read: `a=1&card=<${SECRET}>`,
  },
  { what: 'another behavior', path: '/other', body: 'card=1', fle: '-', read: 'card=1' },
]

test('the table has every word of fle-status', () => {
  const words = new Set(ROWS.map(({ fle }) => fle))
  assert.deepEqual(
    FIELD_STATUSES.filter((word) => !words.has(word)),
    [],
  )
})

const COLUMNS = ['cs-uri-stem', 'sc-status', 'fle-status', 'fle-encrypted-fields'].map((name) =>
  ACCESS_LOG_FIELDS.findIndex((field) => field.name === name),
)

async function logged(edge: EdgeScenario, workers: number): Promise<Map<string, readonly (string | undefined)[]>> {
  await edge.pause()
  const lines = new Map<string, readonly (string | undefined)[]>()
  for (let at = 0; at < workers; at++) {
    const text = await readFile(join(edge.directory, 'logs', `access-worker-${at}.log`), 'utf8')
    for (const line of text.split('\n')) {
      const [stem = '', ...rest] = COLUMNS.map((column) => line.split('\t')[column])
      lines.set(stem, rest)
    }
  }
  return lines
}

// Before anything has loaded it.
test('without the library nothing is sent in plain text; once it is there, the next request goes on', async (t) => {
  const { edge, origin } = await setup(t)
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (specifier === '@aws-crypto/encrypt-node') throw new Error('not installed')
      return next(specifier, context)
    },
  })
  t.after(() => hooks.deregister())
  const refused = await post(edge, '/strict/a', CARD)
  assert.deepEqual([refused.status, origin.asked.length], [500, 0])
  assert.match(edge.problems.join(), /P1PROFILE of C1CONFIG cannot encrypt, requests are refused: not installed/)
  hooks.deregister()
  assert.equal((await post(edge, '/strict/a', CARD)).status, 200)
  assert.equal(await readable(origin.asked[0]!.body, ['card']), `a=1&card=<${SECRET}>`)
})

for (const workers of [1, 3]) {
  test(`${workers} workers, a regional cache and a shield: every status, what it is logged as, and what the origin reads`, async (t) => {
    const { edge, origin } = await setup(t, workers)
    const traces: string[] = []
    for (const [at, row] of ROWS.entries()) {
      const { what, path, body, type = FORM, status = 200, encrypted = [], pair } = row
      const before = origin.asked.length
      const headers = { 'content-type': type, 'x-cachefront-explain': '1' }
      const answer = await post(edge, path, body, {
        worker: at % workers,
        headers,
        method: at % 2 === 0 ? 'POST' : 'PUT',
      })
      assert.equal(answer.status, status, what)
      const trace = await edge.feed.ask({ kind: 'trace', traceId: String(answer.headers['x-cachefront-trace']) })
      traces.push(JSON.stringify([trace, answer]))
      // The page for an origin's error is fetched by GET.
      const asked = origin.asked.slice(before).filter(({ method }) => method !== 'GET')
      assert.equal(asked.length, row.read === undefined ? 0 : 1, what)
      if (row.read !== undefined) assert.equal(await readable(asked[0]!.body, encrypted, pair), row.read, what)
      if (asked[0] !== undefined) assert.equal(asked[0].headers['content-length'], `${asked[0].body.length}`, what)
    }
    assert.deepEqual(
      edge.problems.filter((line) => line.includes('P3BROKEN')).length,
      1,
      'the operator is told of a key that is none',
    )
    const lines = await logged(edge, workers)
    for (const { what, path, status = 200, fle, encrypted = [] } of ROWS) {
      const stem = path.split('?')[0] as string
      const count = fle === '-' ? '-' : `${encrypted.length}`
      assert.deepEqual(lines.get(stem), [`${status}`, fle, count], what)
    }
    const everywhere = [...traces, ...edge.problems, ...(await filesBelow(edge.directory))]
    for (const text of everywhere) assert.ok(!text.includes(SECRET), 'no value is anywhere but in its ciphertext')
    for (const { body } of origin.asked) assert.ok(!body.includes(SECRET))
  })
}

async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return Promise.all(files.map((file) => readFile(file, 'latin1')))
}

test('any form: fields of the profile decrypt to what was sent, all else is the same byte for byte', async (t) => {
  const { edge, origin } = await setup(t)
  const text = fc.string({
    unit: fc.constantFrom('a', 'é', '=', '&', '+', ' ', '%', ';', '"', '漢', '.', '[0]'),
    maxLength: 8,
  })
  const ours = fc.constantFrom('card', 'c%61rd', 'secret', 'secret%5B0%5D', 's%65cret+x', 'secret%E9')
  const encoded = text.map((value) => encodeURIComponent(value).replaceAll('%20', '+'))
  /** As no serializer writes it, but as viewers may send it. */
  const raw = fc.constantFrom('', 'a', 'b=c', "'quoted'", 'semi;colon', 'Card=1', 'cards=2', '=', 'x=\xe9')
  const pair = fc.oneof(fc.tuple(ours, encoded), fc.tuple(encoded, encoded), fc.tuple(raw))
  await fc.assert(
    fc.asyncProperty(fc.array(pair, { maxLength: 8 }), async (pairs) => {
      const sent = pairs.map((parts) => parts.join('=')).join('&')
      const before = origin.asked.length
      const answer = await post(edge, '/strict/any', Buffer.from(sent, 'latin1') as never)
      assert.equal(answer.status, 200)
      const got = origin.asked[before]?.body ?? ''
      const [was, is] = [sent.split('&'), got.split('&')]
      assert.equal(is.length, was.length)
      for (const [at, part] of was.entries()) {
        const name = part.split('=')[0] as string
        if (!isOurs(name)) assert.equal(is[at], part)
        else {
          const became = is[at] ?? ''
          assert.ok(became.startsWith(`${name}=`))
          const value = decodeURIComponent(became.slice(name.length + 1))
          const plain = bytesOf(part.slice(name.length + 1))
          assert.deepEqual((await decryptField(value, PAIR)).toString('latin1'), plain)
        }
      }
    }),
    { numRuns: 40 },
  )
})

/** Of a form's name or value, by a decoder that is not ours. */
const bytesOf = (text: string): string =>
  text.replaceAll('+', ' ').replace(/%(..)/g, (_, hex: string) => String.fromCharCode(Number(`0x${hex}`)))

const isOurs = (name: string): boolean => bytesOf(name) === 'card' || bytesOf(name).startsWith('secret')

test('a second reader, written after the message format alone, reads what the edge encrypted', async (t) => {
  const { edge, origin } = await setup(t)
  const values = ['4111 1111 1111 1111', '', 'é漢', 'v'.repeat(valueBytes)]
  const body = values.map((value, at) => `secret${at}=${encodeURIComponent(value)}`).join('&')
  assert.equal((await post(edge, '/strict/second', body)).status, 200)
  const messages = new URLSearchParams(origin.asked[0]?.body).values()
  const key = join(edge.directory, 'private.pem')
  await writeFile(key, PAIR.privateKey, { mode: 0o600 })
  const reader = join(import.meta.dirname, '../../support/encryption-sdk-reader.py')
  const ended = spawnSync('/usr/bin/python3', [reader, key], { input: [...messages].join('\n'), encoding: 'utf8' })
  assert.equal(ended.stderr, '')
  assert.deepEqual(
    ended.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line)),
    values.map((value) => [PROVIDER_ID, KEY_NAME, Buffer.from(value).toString('hex')]),
  )
})

test('a trace names the fields, the profile and the field of the configuration; digests of the plain body are left out', async (t) => {
  const { edge, origin } = await setup(t)
  const answer = await post(edge, '/strict/explained', CARD, {
    headers: {
      'x-cachefront-explain': '1',
      'content-md5': 'of the plain body',
      'Content-Digest': 'sha-256=:of the plain body:',
      'x-kept': 'yes',
    },
  })
  const told = await edge.feed.ask({ kind: 'trace', traceId: String(answer.headers['x-cachefront-trace']) })
  assert.ok(told.kind === 'trace')
  const step = (told.trace as Trace).steps.find(({ name }) => name === 'encrypt-fields')
  assert.deepEqual(step?.facts, {
    profile: 'P1PROFILE profile-P1PROFILE',
    encrypted: 'card',
    'fle-status': 'Processed',
  })
  assert.deepEqual(step?.decisions, [{ field: 'CacheBehaviors.Items[0].FieldLevelEncryptionId', value: 'C1CONFIG' }])
  const sent = origin.asked[0]?.headers ?? {}
  assert.deepEqual([sent['content-md5'], sent['content-digest'], sent['x-kept']], [undefined, undefined, 'yes'])
  // What is no POST or PUT never comes there.
  const read = await traceOf(edge, '/strict/explained')
  assert.ok(!read.steps.some(({ name }) => name === 'encrypt-fields'))
})

test('another profile counts from the next request on', async (t) => {
  const { edge, origin } = await setup(t)
  await post(edge, '/strict/a', 'card=1&name=2')
  const changed = behaviors.map((behavior) => ({ ...behavior, fieldEncryption: fieldEncryptionDoc(OTHER) }))
  await edge.feed.put(distributionDoc(origin.port, { behaviors: changed }))
  await post(edge, '/strict/a', 'card=1&name=2')
  assert.equal(await readable(origin.asked[0]!.body, ['card']), 'card=<1>&name=2')
  assert.equal(await readable(origin.asked[1]!.body, ['name'], SECOND), 'card=1&name=<2>')
})

/** Resolves when no worker holds anything of a body. */
async function nothingHeld(edge: EdgeScenario): Promise<void> {
  for (;;) {
    const told = await edge.feed.ask({ kind: 'counters' })
    assert.ok(told.kind === 'counters')
    if (told.counters.fieldBytesHeld === 0) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const head = (path: string, ...lines: string[]): string =>
  [`POST ${path} HTTP/1.1`, `Host: ${HOST}`, `Content-Type: ${FORM}`, ...lines, '', ''].join('\r\n')
const CHUNKED = 'Transfer-Encoding: chunked'

test('bodies in chunks, over HTTP/2, and many at once, are encrypted; nothing is held afterwards', async (t) => {
  const { edge, origin } = await setup(t, 1, {})
  const chunks = [...CARD].map((letter) => `1\r\n${letter}\r\n`).join('')
  const answer = await edge.raw(`${head('/strict/chunked', CHUNKED, 'Connection: close')}${chunks}0\r\n\r\n`)
  assert.match(answer, /^HTTP\/1.1 200 /)
  const options = { ca: await edge.trust(), servername: HOST }
  const session = connectHttp2(`https://127.0.0.1:${edge.httpsPort()}`, options)
  t.after(() => session.destroy())
  const fill = `&b=${'x'.repeat(200_000)}`
  const over2 = Array.from({ length: 10 }, (_, at) => {
    const stream = session.request({
      ...{ ':method': 'PUT', ':path': `/strict/two/${at}`, ':authority': HOST, 'content-type': FORM },
    })
    stream.end(`${CARD}${fill}`)
    return new Promise((resolve) => stream.once('response', (got) => resolve(got[':status'])))
  })
  const over1 = Array.from({ length: 10 }, async (_, at) => (await post(edge, `/strict/one/${at}`, CARD + fill)).status)
  assert.deepEqual(new Set(await Promise.all([...over2, ...over1])), new Set([200]))
  assert.equal(origin.asked.length, 21)
  for (const { url, body } of origin.asked) {
    const expected = `a=1&card=<${SECRET}>${url === '/strict/chunked' ? '' : fill}`
    assert.equal(await readable(body, ['card']), expected)
  }
  await nothingHeld(edge)
})

/** Of the answer to a request that may be cut off before all of it is sent. */
const firstLine = (edge: EdgeScenario, text: string): Promise<string> =>
  new Promise((resolve) => {
    const socket = connect(edge.port(), '127.0.0.1')
    let got = ''
    socket.setEncoding('latin1').on('data', (part) => {
      got += part
    })
    socket.on('error', () => {}).on('close', () => resolve(got))
    socket.write(text, 'latin1')
  })

test('a body that is too long is refused as soon as that is seen, and the origin hears nothing of it', async (t) => {
  const { edge, origin } = await setup(t)
  const declared = head('/strict/a', `Content-Length: ${bodyBytes + 1}`, 'Expect: 100-continue')
  assert.match(await edge.raw(declared), /^HTTP\/1.1 400 /, 'before any of the body was asked for')
  const chunk = `40000\r\n${'x'.repeat(0x40000)}\r\n`
  assert.match(await firstLine(edge, `${head('/strict/a', CHUNKED)}${chunk.repeat(5)}`), /^HTTP\/1.1 400 /)
  const exact = `${CARD}&b=`
  const full = exact + 'x'.repeat(bodyBytes - exact.length)
  assert.equal((await post(edge, '/strict/exact', full)).status, 200)
  assert.deepEqual(
    origin.asked.map(({ url }) => url),
    ['/strict/exact'],
  )
  await nothingHeld(edge)
})

test('a viewer that breaks off costs the origin nothing; an origin that answers before it has read is heard', async (t) => {
  const { edge, origin } = await setup(t)
  const leaves = connect(edge.port(), '127.0.0.1')
  leaves.write(`${head('/strict/left', 'Content-Length: 1000')}card=${SECRET}`)
  for (let held = 0; held === 0; ) {
    const told = await edge.feed.ask({ kind: 'counters' })
    held = (told.kind === 'counters' && told.counters.fieldBytesHeld) || 0
  }
  leaves.destroy()
  await nothingHeld(edge)
  assert.match(await edge.raw(`${head('/strict/bad', CHUNKED)}5\r\na=1&b\r\nzz\r\n`), /^HTTP\/1.1 400 /)
  assert.equal(origin.asked.length, 0)
  const early = await startRawOrigin((socket) =>
    socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno'),
  )
  t.after(() => early.close())
  await edge.feed.put(distributionDoc(early.port, { behaviors }))
  const answer = await post(edge, '/strict/early', `${CARD}&b=${'x'.repeat(900_000)}`)
  assert.deepEqual([answer.status, answer.body], [403, 'no'])
  await nothingHeld(edge)
})

test('a web ACL that looks at bodies sees the plain one, and what it lets through is encrypted', async (t) => {
  const { edge, origin } = await setup(t)
  const acl = webAclDoc([rule('card', byteMatch('FORBIDDEN', { Body: { OversizeHandling: 'CONTINUE' } }))])
  await edge.feed.change(() => ({ kind: 'web-acl', arn: ACL_ARN, webAcl: acl }))
  await edge.feed.put(distributionDoc(origin.port, { behaviors, webAclArn: ACL_ARN }))
  assert.equal((await post(edge, '/strict/a', 'card=FORBIDDEN')).status, 403)
  // Beyond what it looks at as well as within.
  for (const fill of ['', `&b=${'x'.repeat(100_000)}`]) {
    assert.equal((await post(edge, '/strict/a', CARD + fill)).status, 200)
    assert.equal(await readable(origin.asked.at(-1)!.body, ['card']), `a=1&card=<${SECRET}>${fill}`)
  }
  assert.equal(origin.asked.length, 2)
  await nothingHeld(edge)
})
