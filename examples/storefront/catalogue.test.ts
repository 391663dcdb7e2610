//! The same seed and sizes give the same catalogue; an unfinished file never passes for a finished one.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { type CatalogueSize, catalogue, seededRandom } from './catalogue.ts'
import { buildDatabase, isBuilt, ShopDatabase } from './database.ts'

const SMALL: CatalogueSize = { categories: 10, products: 200, customers: 100, reviews: 3_000 }
let directory = ''
before(() => {
  directory = mkdtempSync(join(tmpdir(), 'storefront-'))
})
after(() => rmSync(directory, { recursive: true }))

const fingerprint = (size: CatalogueSize): string => {
  const hash = createHash('sha256')
  for (const table of catalogue(size)) for (const row of table.rows) hash.update(JSON.stringify([table.name, row]))
  return hash.digest('hex')
}

test('two catalogues of one size are the same, row by row', () => {
  assert.equal(fingerprint(SMALL), fingerprint(SMALL))
  assert.notEqual(fingerprint(SMALL), fingerprint({ ...SMALL, products: 201 }))
})

test('the stream of a seed is fixed, and lies in [0, 1)', () => {
  const random = seededRandom(1)
  const first = Array.from({ length: 1_000 }, random)
  const again = seededRandom(1)
  assert.deepEqual(first.slice(0, 3), [again(), again(), again()])
  assert.ok(first.every((value) => value >= 0 && value < 1))
  assert.ok(new Set(first).size > 990)
})

test('a product page joins, aggregates and relates; each question is one counted query', () => {
  const file = join(directory, 'pages.db')
  buildDatabase(file, SMALL)
  const database = new ShopDatabase(file)
  try {
    const page = database.productPage(1)
    assert.ok(page !== null)
    assert.equal(
      page.stars.reduce((sum, count) => sum + count, 0),
      page.reviews,
    )
    assert.ok(page.reviews > 0 && page.newest.length === 5 && page.alsoReviewed.length === 6)
    assert.ok(page.newest.every((review, at) => at === 0 || review.written <= (page.newest[at - 1]?.written ?? 0)))
    const mean = page.stars.reduce((sum, count, at) => sum + count * (at + 1), 0) / page.reviews
    assert.equal(page.rating, Math.round(mean * 100) / 100)
    assert.equal(database.productPage(SMALL.products + 1), null)
    assert.equal(database.frontPage().popular.length, 12)
    assert.deepEqual(database.counts(), { product: 2, front: 1, price: 0 })
  } finally {
    database.close()
  }
})

test('the newest price counts, whatever the clock says', () => {
  const file = join(directory, 'prices.db')
  buildDatabase(file, SMALL)
  const database = new ShopDatabase(file)
  try {
    assert.equal(database.setPrice(7, 111, 0), true)
    assert.equal(database.productPage(7)?.cents, 111)
    assert.equal(database.setPrice(7, 222, 0), true)
    assert.equal(database.productPage(7)?.cents, 222)
    assert.equal(database.setPrice(SMALL.products + 1, 1, 0), false)
  } finally {
    database.close()
  }
})

test('a finished file is used again; anything else under its name is built anew', () => {
  const file = join(directory, 'again.db')
  buildDatabase(file, SMALL)
  const made = statSync(file).ino
  buildDatabase(file, SMALL)
  assert.equal(statSync(file).ino, made)
  writeFileSync(file, 'not a database')
  assert.equal(isBuilt(file), false)
  buildDatabase(file, SMALL)
  assert.equal(isBuilt(file), true)
  assert.deepEqual(
    readdirSync(directory).filter((name) => name.includes('building')),
    [],
  )
})
