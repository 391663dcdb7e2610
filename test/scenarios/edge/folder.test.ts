//! A directory as an origin: what of it can be read, how it is described, and that nothing outside can.
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { appendFile, mkdir, mkdtemp, rename, rm, symlink, truncate, utimes, writeFile } from 'node:fs/promises'
import { get } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { OriginDoc } from '../../../src/domain/distribution.ts'
import {
  behaviorDoc,
  cachePolicy,
  DISTRIBUTION_ID,
  distributionDoc,
  EdgeScenario,
  HOST,
  NONE,
  originDoc,
} from '../../support/edge-scenario.ts'

const FILES = {
  'index.html': '<h1>home</h1>',
  'style.css': 'a{}',
  'about/index.html': '<h1>about</h1>',
  'with space/ü+%.txt': 'odd',
  'empty.txt': '',
  'data.unknowntype': 'bytes',
  '.env': 'SECRET=1',
  '.git/config': '[core]',
  '.well-known/security.txt': 'Contact: x',
}

interface Site {
  readonly edge: EdgeScenario
  readonly root: string
  /** Beside the root. */
  readonly outside: string
}

async function site(
  t: TestContext,
  origin: Partial<OriginDoc> = {},
  options: Parameters<typeof EdgeScenario.start>[2] = {},
): Promise<Site> {
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-folder-'))
  t.after(() => rm(directory, { recursive: true }))
  const root = join(directory, 'site')
  for (const [name, content] of Object.entries(FILES)) {
    await mkdir(join(root, name, '..'), { recursive: true })
    await writeFile(join(root, name), content)
  }
  const outside = join(directory, 'secret.txt')
  await writeFile(outside, 'outside')
  const behaviors = [
    behaviorDoc({
      pathPattern: '/fresh/*',
      cachePolicy: cachePolicy({ defaultTtl: 0, maxTtl: 0 }),
      originRequestPolicy: {
        ...{ id: 'viewer', cookies: NONE, queryStrings: NONE },
        headers: { behavior: 'allExcept', names: ['host'] },
      },
    }),
    behaviorDoc({ allowedMethods: ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE'] }),
  ]
  const document = distributionDoc(1, {
    origins: [originDoc(80, { domainName: 'site.folder.cachefront', ...origin })],
    behaviors,
  })
  const edge = await EdgeScenario.start(t, [document], { folders: new Map([['site', root]]), ...options })
  return { edge, root, outside }
}

for (const count of [1, 3]) {
  test(`files are read, described and cached (${count} workers)`, async (t) => {
    const { edge } = await site(t, {}, { count })
    const page = await edge.get('/about/')
    assert.deepEqual([page.status, page.body, page.xCache], [200, '<h1>about</h1>', 'Miss'])
    assert.equal(page.headers['content-type'], 'text/html; charset=utf-8')
    assert.match(String(page.headers.etag), /^"[0-9a-z]+-e-[0-9a-z]+"$/)
    assert.ok(page.headers['last-modified'])
    assert.equal((await edge.get('/about/')).xCache, 'Hit')
    assert.equal((await edge.get('/')).body, '<h1>home</h1>')
    assert.equal((await edge.get('/style.css')).headers['content-type'], 'text/css; charset=utf-8')
    assert.equal((await edge.get('/data.unknowntype')).headers['content-type'], 'application/octet-stream')
    const empty = await edge.get('/empty.txt')
    assert.deepEqual([empty.status, empty.body, empty.headers['content-length']], [200, '', '0'])
    assert.equal((await edge.get('/with%20space/%C3%BC+%25.txt')).body, 'odd')
    assert.equal((await edge.get('/.well-known/security.txt')).body, 'Contact: x')
  })
}

test('a directory without its slash leads to the one with it, under an origin path as well', async (t) => {
  const { edge } = await site(t)
  const answer = await edge.get('/about')
  assert.deepEqual([answer.status, answer.headers.location], [302, './about/'])
  assert.equal(new URL(String(answer.headers.location), `http://${HOST}/about`).pathname, '/about/')
  const inner = await site(t, { path: '/about' })
  assert.equal((await inner.edge.get('/')).body, '<h1>about</h1>')
})

test('nothing outside the folder can be read, and nothing hidden', async (t) => {
  const { edge, root, outside } = await site(t)
  await symlink(outside, join(root, 'link.txt'))
  await symlink(join(root, '..'), join(root, 'up'))
  await symlink('loop', join(root, 'loop'))
  await symlink('style.css', join(root, 'inside.css'))
  execFileSync('mkfifo', [join(root, 'pipe')])
  const paths = [
    '/../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/about/..%2f..%2f..%2fsecret.txt',
    '/about/../../secret.txt',
    '/..%5csecret.txt',
    '/link.txt',
    '/up/secret.txt',
    '/up/',
    '/loop',
    '/pipe',
    '/style.css%00.html',
    '/style.css/',
    '/.env',
    '/.git/config',
    '/about/.well-known/x',
    '//style.css',
    '/./style.css',
    '/about/%2e/index.html',
    '/%ff',
    '/%zz',
    `/${'x'.repeat(300)}`,
    '/missing.txt',
  ]
  for (const path of paths) {
    const { status, body } = await edge.get(path)
    assert.equal(status, 404, path)
    assert.doesNotMatch(body, /outside|SECRET|core/, path)
  }
  assert.equal((await edge.get('/inside.css')).body, 'a{}')
  assert.deepEqual(edge.problems, [])
})

test('only GET and HEAD', async (t) => {
  const { edge } = await site(t)
  const head = await edge.get('/style.css', { method: 'HEAD' })
  assert.deepEqual([head.status, head.headers['content-length'], head.body], [200, '3', ''])
  for (const method of ['PUT', 'POST', 'DELETE', 'PATCH']) {
    const answer = await edge.get('/style.css', { method, body: 'x' })
    assert.deepEqual([method, answer.status, answer.headers.allow], [method, 405, 'GET, HEAD'])
  }
  assert.equal((await edge.get('/style.css')).body, 'a{}')
})

test('conditions and ranges', async (t) => {
  const { edge, root } = await site(t)
  await mkdir(join(root, 'fresh'))
  const bytes = randomBytes(300_000)
  await writeFile(join(root, 'fresh/large'), bytes)
  // A behavior without caching: conditions and ranges go to the origin.
  const whole = await edge.get('/fresh/large')
  assert.equal(whole.body, bytes.toString('latin1'))
  const etag = String(whole.headers.etag)
  const asked = async (headers: Record<string, string>) => {
    const { status, body, headers: got } = await edge.get('/fresh/large', { headers })
    return [status, body.length, got['content-range']]
  }
  assert.deepEqual(await asked({ 'if-none-match': etag }), [304, 0, undefined])
  assert.deepEqual(await asked({ 'if-modified-since': String(whole.headers['last-modified']) }), [304, 0, undefined])
  assert.deepEqual(await asked({ 'if-match': '"other"' }), [412, 0, undefined])
  assert.deepEqual(await asked({ range: 'bytes=10-19' }), [206, 10, 'bytes 10-19/300000'])
  assert.deepEqual(await asked({ range: 'bytes=-5' }), [206, 5, 'bytes 299995-299999/300000'])
  assert.deepEqual(await asked({ range: 'bytes=300000-' }), [416, 0, 'bytes */300000'])
  assert.deepEqual(await asked({ range: 'bytes=0-1', 'if-range': etag }), [206, 2, 'bytes 0-1/300000'])
  assert.deepEqual(await asked({ range: 'bytes=0-1', 'if-range': '"other"' }), [200, 300_000, undefined])
})

test('what was cached is confirmed, and replaced when the file changes', async (t) => {
  const { edge, root } = await site(t)
  await edge.get('/style.css')
  await edge.feed.moveClock(2 * 86_400_000)
  assert.equal((await edge.get('/style.css')).xCache, 'RefreshHit')
  await edge.feed.moveClock(4 * 86_400_000)
  await writeFile(join(root, 'style.css'), 'b{}')
  const changed = await edge.get('/style.css')
  assert.deepEqual([changed.body, changed.xCache], ['b{}', 'Miss'])
})

test('the same length and time in another file is another version', async (t) => {
  const { edge, root } = await site(t)
  const [before] = [await edge.get('/style.css')]
  await utimes(join(root, 'style.css'), 1, 1)
  await edge.feed.invalidate(DISTRIBUTION_ID, '/*')
  const old = await edge.get('/style.css')
  await writeFile(join(root, 'new.css'), 'c{}')
  await utimes(join(root, 'new.css'), 1, 1)
  await rename(join(root, 'new.css'), join(root, 'style.css'))
  await edge.feed.invalidate(DISTRIBUTION_ID, '/*')
  const { headers, body } = await edge.get('/style.css')
  assert.equal(body, 'c{}')
  assert.equal(headers['last-modified'], old.headers['last-modified'])
  assert.notEqual(headers.etag, old.headers.etag)
  assert.notEqual(headers.etag, before?.headers.etag)
})

test('a large file is kept in slices and read at the pace of its reader', async (t) => {
  const { edge, root } = await site(t, {}, { cacheBytes: 16 * 1024 * 1024 })
  const bytes = randomBytes(6 * 1024 * 1024)
  await writeFile(join(root, 'film.mp4'), bytes)
  for (const result of ['Miss', 'Hit']) {
    const { body, headers } = await edge.get('/film.mp4')
    assert.equal(headers['content-type'], 'video/mp4')
    assert.ok(Buffer.from(body, 'latin1').equals(bytes), result)
  }
  const part = await edge.get('/film.mp4', { headers: { range: 'bytes=5000000-5000009' } })
  assert.deepEqual([part.status, Buffer.from(part.body, 'latin1')], [206, bytes.subarray(5_000_000, 5_000_010)])
})

/** Reads the head and the first bytes, then does `meanwhile`, then reads on; resolves with how it ended. */
function readWith(
  edge: EdgeScenario,
  path: string,
  meanwhile: () => Promise<void>,
): Promise<{ bytes: number; whole: boolean }> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port: edge.port(), path, headers: { host: HOST }, agent: false }, (response) => {
      let bytes = 0
      let changed = false
      const ended = () => resolve({ bytes, whole: response.complete })
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length
        if (changed) return
        changed = true
        response.pause()
        meanwhile().then(() => response.resume(), reject)
      })
      response.on('end', ended)
      response.on('error', ended)
    }).on('error', reject)
  })
}

for (const [what, change] of [
  ['grows', (file: string) => appendFile(file, 'more')],
  ['is cut short', (file: string) => truncate(file, 1_000)],
] as const) {
  test(`a file that ${what} while it is read is no whole answer, and is not kept`, async (t) => {
    const { edge, root } = await site(t)
    await mkdir(join(root, 'fresh'))
    const file = join(root, 'fresh/log')
    await writeFile(file, randomBytes(64 * 1024 * 1024))
    const { whole } = await readWith(edge, '/fresh/log', () => change(file))
    assert.equal(whole, false)
  })
}

test('a folder that nobody named, or that is gone, is a 502 that says so in the log', async (t) => {
  const { edge, root } = await site(t, { domainName: 'other.folder.cachefront' })
  const answer = await edge.get('/')
  assert.equal(answer.status, 502)
  assert.match(edge.problems.join(), /no folder has the name other: start with --folder other=DIR/)
  const gone = await site(t)
  await rm(gone.root, { recursive: true })
  assert.equal((await gone.edge.get('/')).status, 502)
  assert.match(gone.edge.problems.join(), /the folder site cannot be read/)
  assert.ok(!answer.body.includes(root))
})

test('a slow reader holds the file up, not the memory', async (t) => {
  const { edge, root } = await site(t)
  await mkdir(join(root, 'fresh'))
  await writeFile(join(root, 'fresh/large'), Buffer.alloc(200 * 1024 * 1024, 1))
  const before = process.memoryUsage().rss
  let most = 0
  const { bytes, whole } = await readWith(edge, '/fresh/large', async () => {
    // Whatever would be read without being asked for has many turns to be read in.
    for (let turn = 0; turn < 2_000; turn++) await new Promise((resolve) => setImmediate(resolve))
    most = process.memoryUsage().rss - before
  })
  assert.deepEqual([bytes, whole], [200 * 1024 * 1024, true])
  assert.ok(most < 120 * 1024 * 1024, `${most} bytes`)
})
