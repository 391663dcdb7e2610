//! The shop's database: one SQLite file, built once and used again. Every query is counted, because the number of
//! queries that never reach a database is what caches are for.
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { type CatalogueSize, catalogue, FULL_SIZE } from './catalogue.ts'
import { FRONT_PAGE, INDEXES, INSERT_PRICE, PRODUCT_PAGE, SCHEMA, SCHEMA_VERSION } from './schema.ts'

/** Rows between two reports of progress. */
const PROGRESS_ROWS = 50_000

export interface Review {
  readonly stars: number
  readonly title: string
  readonly customer: string
  /** Milliseconds since the epoch. */
  readonly written: number
}

export interface ListedProduct {
  readonly id: number
  readonly name: string
  readonly cents: number
}

export interface ProductPage extends ListedProduct {
  readonly description: string
  readonly category: string
  readonly stock: number
  readonly reviews: number
  /** Average stars with two decimals; null without a review, and so is `place`. */
  readonly rating: number | null
  /** Rank among the rated products of its category, from 1. */
  readonly place: number | null
  readonly ratedInCategory: number
  /** Number of reviews with one star, two, ... five. */
  readonly stars: readonly number[]
  readonly newest: readonly Review[]
  readonly alsoReviewed: readonly (ListedProduct & { readonly together: number })[]
}

export interface FrontPage {
  readonly products: number
  readonly popular: readonly (ListedProduct & { readonly reviews: number })[]
}

export interface QueryCounts {
  readonly product: number
  readonly front: number
  readonly price: number
}

/** True when `file` is a finished catalogue of this version. */
export function isBuilt(file: string): boolean {
  if (!existsSync(file)) return false
  try {
    const database = new DatabaseSync(file, { readOnly: true })
    try {
      return database.prepare('PRAGMA user_version').get()?.user_version === SCHEMA_VERSION
    } finally {
      database.close()
    }
  } catch {
    return false
  }
}

/**
 * Builds the catalogue in `file` unless it is there. The file appears under its name only when it is whole.
 * @param progress is told how many rows are in.
 */
export function buildDatabase(file: string, size: CatalogueSize = FULL_SIZE, progress?: (rows: number) => void): void {
  if (isBuilt(file)) return
  mkdirSync(dirname(file), { recursive: true })
  const unfinished = `${file}.${process.pid}.building`
  rmSync(unfinished, { force: true })
  const database = new DatabaseSync(unfinished)
  try {
    database.exec('PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN')
    database.exec(SCHEMA)
    let inserted = 0
    for (const table of catalogue(size)) {
      const marks = Array.from({ length: table.columns }, () => '?').join(', ')
      const insert = database.prepare(`INSERT INTO ${table.name} VALUES (${marks})`)
      for (const row of table.rows) {
        insert.run(...row)
        if (++inserted % PROGRESS_ROWS === 0) progress?.(inserted)
      }
    }
    database.exec(INDEXES)
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT; ANALYZE`)
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw error
  } finally {
    database.close()
  }
  for (const ending of ['', '-wal', '-shm']) rmSync(`${file}${ending}`, { force: true })
  renameSync(unfinished, file)
}

export class ShopDatabase {
  readonly #database: DatabaseSync
  readonly #productPage: StatementSync
  readonly #frontPage: StatementSync
  readonly #insertPrice: StatementSync
  readonly #counts = { product: 0, front: 0, price: 0 }

  /** Opens a file that `buildDatabase` has made. */
  constructor(file: string) {
    this.#database = new DatabaseSync(file)
    // The standby has the same file open.
    this.#database.exec('PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
    this.#productPage = this.#database.prepare(PRODUCT_PAGE)
    this.#frontPage = this.#database.prepare(FRONT_PAGE)
    this.#insertPrice = this.#database.prepare(INSERT_PRICE)
  }

  /** Null when there is no such product. */
  productPage(id: number): ProductPage | null {
    this.#counts.product++
    const row = this.#productPage.get(id)
    return row === undefined ? null : (JSON.parse(String(row.page)) as ProductPage)
  }

  frontPage(): FrontPage {
    this.#counts.front++
    return JSON.parse(String(this.#frontPage.get()?.page)) as FrontPage
  }

  /** A price that holds from `nowMs` on (milliseconds since the epoch); false when there is no such product. */
  setPrice(id: number, cents: number, nowMs: number): boolean {
    this.#counts.price++
    return this.#insertPrice.run(id, nowMs, cents).changes === 1
  }

  /** Queries since the database was opened. */
  counts(): QueryCounts {
    return { ...this.#counts }
  }

  close(): void {
    this.#database.close()
  }
}
