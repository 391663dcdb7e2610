//! What the edge has cached, as the real program shows and drops it: cache list, show, stats; invalidations by tag, soft
//! ones and dry runs, by the SDK, the AWS CLI and the program's own commands; with one worker and with three.
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { describe, test } from 'node:test'
import { CloudFront, waitUntilDistributionDeployed, waitUntilInvalidationCompleted } from '@aws-sdk/client-cloudfront'
import { awsJson } from '../../support/api-programs.ts'
import { startOrigin } from '../../support/edge-origin.ts'
import { oneOrigin } from '../../support/one-origin.ts'
import { cachefront, endAll, newHome, pidOf, up } from '../../support/program-installation.ts'

for (const workers of [1, 3]) {
  describe(`cached objects, ${workers} workers`, { timeout: 180_000 }, () => {
    test('are listed, invalidated by tag, softly, and in a dry run', async (t) => {
      let version = 1
      const origin = await startOrigin((asked, response) => {
        response.setHeader('cache-control', 'max-age=1000')
        response.setHeader('x-tags', asked.url.startsWith('/img') ? 'Image, sale' : 'page')
        response.end(`version ${version}`)
      })
      const home = await newHome()
      t.after(async () => {
        await endAll(home)
        await origin.close()
      })
      const running = await up(home, '--workers', `${workers}`)
      const credentials = { accessKeyId: 'a', secretAccessKey: 'b' }
      const client = new CloudFront({ endpoint: running.api, region: 'us-east-1', credentials })
      t.after(() => client.destroy())
      const made = await client.createDistribution({
        DistributionConfig: { ...oneOrigin('one', origin.port), CacheTagConfig: { HeaderName: 'X-Tags' } },
      })
      const { Id = '', DomainName = '', DistributionConfig } = made.Distribution ?? {}
      assert.equal(DistributionConfig?.CacheTagConfig?.HeaderName, 'X-Tags')
      await waitUntilDistributionDeployed({ client, maxWaitTime: 20, minDelay: 0.05, maxDelay: 0.1 }, { Id })
      const see = (path: string): Promise<string> =>
        new Promise((resolve, reject) => {
          const [host, port] = running.edge.split(':')
          const call = request({ host, port, path, headers: { host: DomainName }, agent: false }, (response) => {
            let body = ''
            response.setEncoding('utf8').on('data', (text: string) => {
              body += text
            })
            response.on('end', () => resolve(`${body} ${String(response.headers['x-cache']).split(' ')[0]}`))
          })
          call.on('error', reject).end()
        })
      for (const path of ['/img/a', '/img/b', '/page']) assert.equal(await see(path), 'version 1 Miss')

      const list = await cachefront(home, 'cache', 'list', '--distribution', DomainName, '--prefix', '/img', '--json')
      assert.equal(list.code, 0, list.err)
      const lines = list.out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
      const { total, missing } = lines.pop()
      assert.deepEqual([...new Set(lines.map(({ uri }) => uri))].sort(), ['/img/a', '/img/b'])
      assert.deepEqual([lines[0].tags, lines[0].what, lines[0].ttlSource], [['image', 'sale'], 'object', 'max-age'])
      assert.deepEqual([total.objects, missing], [2, []])
      const show = await cachefront(home, 'cache', 'show', `http://${DomainName}:1/img/a`)
      assert.match(show.out, /cache behavior \*\nkey "E.* \/img\/a", kept for IAD50-C1 by worker-\d\n/)
      assert.match(show.out, /max-age/)
      const stats = await cachefront(home, 'cache', 'stats', '--json')
      const storage = JSON.parse(stats.out)
      assert.equal(storage.workers.length, workers)
      const misses = storage.workers.reduce(
        (sum: number, one: { requests: { misses: number } }) => sum + one.requests.misses,
        0,
      )
      assert.equal(misses, 3)
      assert.match((await cachefront(home, 'cache', 'stats')).out, /worker-0 +memory +open +\d/)

      const dry = await cachefront(home, 'invalidate', Id, '#SALE', '/img/a', '--dry-run')
      assert.match(dry.out, /\/img\/a {2}\(.*by #SALE \/img\/a\)/)
      assert.match(dry.out, /^2 objects would go, and \d+ cop(?:y|ies) of them/m)
      assert.doesNotMatch(dry.out, /\/page/)
      assert.equal(await see('/img/a'), 'version 1 Hit', 'nothing has gone')

      version = 2
      const soft = await cachefront(home, 'invalidate', Id, '/page', '--soft', '--json')
      assert.deepEqual(
        { ...JSON.parse(soft.out), Id: '' },
        { Id: '', DistributionId: Id, Status: 'Completed', Paths: ['/page'], Soft: true },
      )
      assert.equal(await see('/page'), 'version 1 Hit')
      // Another worker may still have its copy of the old one: the next viewer there begins its refresh.
      let seen = ''
      for (let tries = 0; seen !== 'version 2 Hit' && tries < 500; tries++) {
        await new Promise((resolve) => setTimeout(resolve, 10))
        seen = await see('/page')
      }
      assert.equal(seen, 'version 2 Hit')
      assert.equal(origin.count('/page'), 2)

      const batch = { CallerReference: 'tag', Paths: { Quantity: 2, Items: ['#Image', '/none'] } }
      const { Invalidation } = await client.createInvalidation({ DistributionId: Id, InvalidationBatch: batch })
      const completed = (id: string | undefined) =>
        waitUntilInvalidationCompleted(
          { client, maxWaitTime: 20, minDelay: 0.05, maxDelay: 0.1 },
          { DistributionId: Id, Id: id },
        )
      await completed(Invalidation?.Id)
      assert.equal(await see('/img/a'), 'version 2 Miss')
      assert.match(await see('/page'), / Hit$/, 'a worker that nobody has asked since may have the old one')
      const again = await client.createInvalidation({ DistributionId: Id, InvalidationBatch: batch })
      assert.equal(again.Invalidation?.Id, Invalidation?.Id)
      const cli = await awsJson(
        running.api,
        'cloudfront',
        'create-invalidation',
        '--distribution-id',
        Id,
        '--paths',
        '#page',
      )
      assert.deepEqual(cli.Invalidation.InvalidationBatch.Paths.Items, ['#page'])
      await completed(cli.Invalidation.Id)
      assert.equal(await see('/page'), 'version 2 Miss')
      const pages: string[] = []
      for (let Marker: string | undefined, more = true; more; ) {
        const { InvalidationList: page } = await client.listInvalidations({ DistributionId: Id, MaxItems: 2, Marker })
        pages.push(...(page?.Items ?? []).map((item) => item.Id ?? ''))
        Marker = page?.NextMarker
        more = page?.IsTruncated ?? false
      }
      assert.equal(pages.length, 3)
      assert.equal(pages[0], cli.Invalidation.Id, 'newest first')

      // No web page may drive it, and it takes JSON alone.
      const post = (headers: Record<string, string>) =>
        fetch(`${running.api}/_cachefront/invalidations`, {
          method: 'POST',
          headers,
          body: JSON.stringify({ distribution: Id, items: ['/*'], dryRun: true }),
        })
      assert.equal((await post({ 'content-type': 'text/plain' })).status, 415)
      assert.equal((await post({ 'content-type': 'application/json', origin: 'http://evil.example' })).status, 403)

      if (workers === 1) return
      const frozen = await pidOf(running, 'worker-1')
      process.kill(frozen, 'SIGSTOP')
      try {
        const partial = await cachefront(home, 'invalidate', Id, '/*', '--dry-run')
        assert.equal(partial.code, 1)
        assert.match(partial.err, /not all: worker-1 did not answer/)
        assert.match(partial.out, /objects? would go/)
      } finally {
        process.kill(frozen, 'SIGCONT')
      }
    })
  })
}
