//! A static site with clean URLs: a folder as the origin, directories with an index of their own, links that a browser
//! follows.
import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { browserIsMissing, startBrowser } from '../../support/browser.ts'
import { startSite } from '../../support/site.ts'

const page = (title: string, link: string) =>
  `<!doctype html><title>${title}</title><link rel="stylesheet" href="/site.css"><a href="${link}">next</a>`

test('clean URLs of a folder', { skip: browserIsMissing, timeout: 120_000 }, async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-site-'))
  t.after(() => rm(directory, { recursive: true }))
  await mkdir(join(directory, 'about', 'team'), { recursive: true })
  await writeFile(join(directory, 'index.html'), page('home', '/about'))
  await writeFile(join(directory, 'about', 'index.html'), page('about', 'team/'))
  await writeFile(join(directory, 'about', 'team', 'index.html'), page('team', '/'))
  await writeFile(join(directory, 'site.css'), 'a { color: rgb(1, 2, 3) }')
  const { secureUrl } = await startSite(
    t,
    80,
    (config) => ({
      ...config,
      DefaultRootObject: 'index.html',
      Origins: {
        Quantity: 1,
        Items: [{ ...config.Origins!.Items![0]!, DomainName: 'site.folder.cachefront' }],
      },
      DefaultCacheBehavior: { ...config.DefaultCacheBehavior!, Compress: true },
    }),
    ['--folder', `site=${directory}`],
  )
  const browser = await startBrowser()
  t.after(() => browser.close())
  const tab = await browser.newPage({ ignoreHTTPSErrors: true })
  await tab.goto(`${secureUrl}/`)
  for (const [title, path] of [
    ['about', '/about/'],
    ['team', '/about/team/'],
    ['home', '/'],
  ] as const) {
    await Promise.all([tab.waitForURL(`${secureUrl}${path}`), tab.click('a')])
    assert.equal(await tab.title(), title)
  }
  assert.equal(await tab.evaluate("getComputedStyle(document.querySelector('a')).color"), 'rgb(1, 2, 3)')
  const reloaded = await tab.reload()
  assert.equal(reloaded?.status(), 200)
  const missing = await tab.goto(`${secureUrl}/nothing/`)
  assert.equal(missing?.status(), 404)
})
