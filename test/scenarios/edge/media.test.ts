//! Live video behind the edge, as MediaPackage and MediaStore serve it: HLS and DASH manifests that change each second,
//! segments and byte ranges, the managed policy for them, and a second channel that takes over.
import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { managedCachePolicy } from '../../../src/domain/managed-policies.ts'
import type { CachePolicyDoc } from '../../../src/domain/policy.ts'
import { type Asked, startOrigin } from '../../support/edge-origin.ts'
import {
  behaviorDoc,
  distributionDoc,
  EdgeScenario,
  originDoc,
  type ViewerAnswer,
} from '../../support/edge-scenario.ts'

const ELEMENTAL_MEDIA_PACKAGE = '08627262-05a9-4f76-9ded-b50ca2e3a84f'
const policy = managedCachePolicy(ELEMENTAL_MEDIA_PACKAGE)?.settings as CachePolicyDoc
const HLS = 'application/vnd.apple.mpegurl'
const DASH = 'application/dash+xml'
/** Segments of a live window, each of one second. */
const WINDOW = 6
const SEGMENT_BYTES = 4_000
/** Where each channel's live edge begins; the window never begins below 0. */
const FIRST = 100

/** The bytes of a segment tell channel and number at every place. */
const segment = (channel: string, number: number): string =>
  `<${channel}:${number}>`.repeat(SEGMENT_BYTES).slice(0, SEGMENT_BYTES)

/** One encoder: what it publishes at its second. */
class Channel {
  readonly name: string
  second = 0
  /** Status of every answer; 200 while it is well. */
  status = 200

  constructor(name: string) {
    this.name = name
  }

  get newest(): number {
    return FIRST + this.second
  }

  get window(): readonly number[] {
    return Array.from({ length: WINDOW }, (_, at) => this.newest - WINDOW + 1 + at)
  }

  answer = (asked: Asked, response: ServerResponse): unknown => {
    const { pathname, searchParams } = new URL(asked.url, 'http://origin')
    const headers: Record<string, string> = {}
    if (asked.headers.origin !== undefined) headers['access-control-allow-origin'] = asked.headers.origin
    if (this.status !== 200) return response.writeHead(this.status, headers).end()
    const send = (type: string, control: string, body: string): unknown => {
      response.writeHead(200, {
        ...headers,
        'content-type': type,
        'cache-control': control,
        'content-length': String(Buffer.byteLength(body)),
      })
      return response.end(body)
    }
    if (pathname === '/live/master.m3u8') return send(HLS, 'max-age=60', this.#master(searchParams))
    if (pathname === '/live/media.m3u8') return send(HLS, 'max-age=1', this.#media(false))
    if (pathname === '/live/ranges.m3u8') return send(HLS, 'max-age=1', this.#media(true))
    if (pathname === '/live/manifest.mpd') return send(DASH, 'max-age=1', this.#manifest(searchParams))
    const number = Number(/^\/live\/seg-(\d+)\.ts$/.exec(pathname)?.[1])
    if (this.window.includes(number)) return send('video/mp2t', 'max-age=3600', segment(this.name, number))
    if (pathname === '/live/all.ts') return send('video/mp2t', 'max-age=3600', this.#all())
    return response.writeHead(404, headers).end()
  }

  #master(query: URLSearchParams): string {
    const filter = query.get('aws.manifestfilter')
    const heights = filter === 'video_height:1-480' ? [480] : [1080, 720, 480]
    const lines = heights.map((height) => `#EXT-X-STREAM-INF:BANDWIDTH=${height}000,RESOLUTION=${height}\nmedia.m3u8`)
    return `#EXTM3U\n${lines.join('\n')}\n`
  }

  #media(ranges: boolean): string {
    const items = this.window.map((number) =>
      ranges
        ? `#EXTINF:1.0,\n#EXT-X-BYTERANGE:${SEGMENT_BYTES}@${(number % 10) * SEGMENT_BYTES}\nall.ts`
        : `#EXTINF:1.0,\nseg-${number}.ts`,
    )
    const comments = '# a comment as long as those of real packagers\n'.repeat(30)
    return `#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:${this.window[0]}\n${comments}${items.join('\n')}\n`
  }

  #all(): string {
    return Array.from({ length: 10 }, (_, at) => segment(this.name, at)).join('')
  }

  #manifest(query: URLSearchParams): string {
    const [start, end] = [query.get('start') ?? '', query.get('end') ?? '']
    return `<MPD type="dynamic" start="${start}" end="${end}" m="${query.get('m') ?? ''}"><SegmentTemplate startNumber="${this.window[0]}" media="seg-$Number$.ts"/></MPD>`
  }
}

async function live(t: TestContext, count = 1) {
  const [main, spare] = [new Channel('main'), new Channel('spare')]
  const origins = [await startOrigin(main.answer), await startOrigin(spare.answer)] as const
  t.after(() => Promise.all(origins.map((origin) => origin.close())))
  const document = distributionDoc(origins[0].port, {
    origins: [
      originDoc(origins[0].port, { id: 'main', connectionAttempts: 1, readTimeoutMs: 5_000 }),
      originDoc(origins[1].port, { id: 'spare' }),
    ],
    originGroups: [{ id: 'channel', primary: 'main', secondary: 'spare', statusCodes: [404, 500, 502, 503, 504] }],
    behaviors: [behaviorDoc({ originId: 'channel', cachePolicy: policy, compress: true })],
  })
  const edge = await EdgeScenario.start(t, [document], { count })
  let second = 0
  /** Time goes on for the edge and for both encoders. */
  const tick = async (): Promise<void> => {
    second++
    main.second = spare.second = second
    await edge.feed.moveClock(second * 1_000)
  }
  return { main, spare, origins, edge, tick }
}

/** What a player makes of a media playlist. */
function playlist({ body, headers }: Pick<ViewerAnswer, 'body' | 'headers'>) {
  const text = headers['content-encoding'] === 'gzip' ? gunzipSync(Buffer.from(body, 'latin1')).toString() : body
  const lines = text.split('\n')
  assert.equal(lines[0], '#EXTM3U')
  const first = Number(/^#EXT-X-MEDIA-SEQUENCE:(\d+)$/m.exec(text)?.[1])
  const uris = lines.filter((line) => line !== '' && !line.startsWith('#'))
  return { first, uris }
}

for (const count of [1, 3]) {
  test(`${count} worker(s): an HLS player plays a live channel: each playlist of this second, each segment once`, async (t) => {
    const { main, origins, edge, tick } = await live(t, count)
    const master = await edge.get('/live/master.m3u8')
    assert.deepEqual([master.status, master.headers['content-type']], [200, HLS])
    assert.match(master.body, /media\.m3u8/)
    let played = 0
    for (let second = 0; second < 8; second++) {
      for (let worker = 0; worker < count; worker++) {
        const answer = await edge.get('/live/media.m3u8', { worker, headers: { 'accept-encoding': 'gzip' } })
        assert.equal(answer.headers['content-encoding'], 'gzip', 'playlists are compressed')
        const { first, uris } = playlist(answer)
        assert.equal(first, main.window[0], 'never older than its second')
        for (const uri of uris) {
          const number = Number(/\d+/.exec(uri)?.[0])
          const got = await edge.get(`/live/${uri}`, { worker })
          assert.deepEqual([got.status, got.body], [200, segment('main', number)])
          if (worker === 0 && got.xCache === 'Miss') played++
        }
      }
      await tick()
    }
    assert.equal(played, WINDOW + 7)
    const [first] = origins
    const asked = new Set(first.asked.filter(({ url }) => url.endsWith('.ts')).map(({ url }) => url))
    assert.equal(first.asked.filter(({ url }) => url.endsWith('.ts')).length, asked.size, 'each segment once')
    assert.equal(first.count('/live/media.m3u8'), 8, 'one playlist a second, for all')
  })
}

test('byte-range segments come from one object that the origin sends once', async (t) => {
  const { origins, edge } = await live(t)
  const { uris } = playlist(await edge.get('/live/ranges.m3u8'))
  assert.deepEqual(new Set(uris), new Set(['all.ts']))
  for (let at = 9; at >= 0; at--) {
    const from = at * SEGMENT_BYTES
    const got = await edge.get('/live/all.ts', { headers: { range: `bytes=${from}-${from + SEGMENT_BYTES - 1}` } })
    assert.deepEqual([got.status, got.body], [206, segment('main', at)])
  }
  assert.equal(origins[0].count('/live/all.ts'), 1)
})

test('DASH: manifests by the query strings of MediaPackage, and by no other', async (t) => {
  const { main, origins, edge, tick } = await live(t)
  const ask = async (query: string) => (await edge.get(`/live/manifest.mpd${query}`)).body
  assert.match(await ask('?start=1&end=2&m=3'), /start="1" end="2" m="3"/)
  assert.match(await ask('?start=5&end=2&m=3'), /start="5"/)
  assert.match(await ask('?start=1&end=2&m=3&session=abc'), /start="1" end="2" m="3"/)
  assert.equal(origins[0].asked.length, 2, 'what is not listed is neither keyed nor sent')
  assert.ok(origins[0].asked.every(({ url }) => !url.includes('session')))
  assert.match(await ask(''), new RegExp(`startNumber="${main.window[0]}"`))
  await tick()
  assert.match(await ask(''), new RegExp(`startNumber="${main.window[0]}"`))
  const filtered = await edge.get('/live/master.m3u8?aws.manifestfilter=video_height:1-480')
  assert.equal(filtered.body.match(/media\.m3u8/g)?.length, 1)
  assert.equal((await edge.get('/live/master.m3u8')).body.match(/media\.m3u8/g)?.length, 3)
})

test('CORS: each page has the playlist with its own Origin, and from then on from the cache', async (t) => {
  const { origins, edge } = await live(t)
  for (const xCache of ['Miss', 'Hit']) {
    for (const page of ['https://one.example', 'https://two.example']) {
      const answer = await edge.get('/live/master.m3u8', { headers: { origin: page } })
      assert.deepEqual([answer.xCache, answer.headers['access-control-allow-origin']], [xCache, page])
    }
  }
  assert.equal(origins[0].asked.length, 2)
})

for (const status of [404, 500, 503] as const) {
  test(`an encoder that answers ${status} is stood in for by the second one, and has its channel back when it is well`, async (t) => {
    const { main, edge, tick } = await live(t)
    const channelOf = async (): Promise<string> => {
      const { first, uris } = playlist(await edge.get('/live/media.m3u8'))
      assert.equal(first, main.window[0], 'the second encoder is at the same second')
      const newest = uris.at(-1) as string
      return /<(\w+):/.exec((await edge.get(`/live/${newest}`)).body)?.[1] ?? ''
    }
    assert.equal(await channelOf(), 'main')
    main.status = status
    for (let second = 0; second < 3; second++) {
      await tick()
      assert.equal(await channelOf(), 'spare')
    }
    main.status = 200
    await tick()
    assert.equal(await channelOf(), 'main')
  })
}

test('both encoders fail: the last playlist is served on, the error when there is none', async (t) => {
  const { main, spare, edge, tick } = await live(t)
  const before = playlist(await edge.get('/live/media.m3u8'))
  main.status = spare.status = 503
  await tick()
  await tick()
  const stale = await edge.get('/live/media.m3u8')
  assert.deepEqual([stale.status, playlist(stale).first], [200, before.first])
  assert.equal((await edge.get('/live/manifest.mpd')).status, 503)
})
