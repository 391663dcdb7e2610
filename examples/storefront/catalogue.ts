//! The shop's catalogue, made up from a seed: the same sizes and seed give the same rows on every machine.
//! Popularity falls with the product's number: product 1 has over a thousand reviews, the last ones a handful.

export interface CatalogueSize {
  readonly categories: number
  readonly products: number
  readonly customers: number
  readonly reviews: number
}

export const FULL_SIZE: CatalogueSize = { categories: 200, products: 50_000, customers: 20_000, reviews: 300_000 }

const SEED = 20_260
/** Reviews and prices are dated within the three years before this instant. Milliseconds since the epoch. */
const CATALOGUE_DATE = Date.UTC(2026, 0, 1)
const THREE_YEARS_MS = 3 * 365 * 24 * 3600 * 1000

const MATERIALS = ['Oak', 'Steel', 'Linen', 'Cork', 'Copper', 'Wool', 'Glass', 'Bamboo', 'Leather', 'Ceramic']
const MANNERS = ['Folding', 'Quiet', 'Compact', 'Sturdy', 'Light', 'Nordic', 'Classic', 'Daily', 'Travel', 'Garden']
const THINGS = ['Lamp', 'Chair', 'Kettle', 'Backpack', 'Blanket', 'Bowl', 'Clock', 'Shelf', 'Bottle', 'Mirror', 'Vase']
const PLACES = ['Kitchen', 'Bedroom', 'Hallway', 'Office', 'Balcony', 'Workshop', 'Bathroom', 'Nursery']
const OPINIONS = ['Broke after a week', 'Not for me', 'Does its job', 'Good value', 'Would buy it again']
const GIVEN = ['Ada', 'Ben', 'Chi', 'Dora', 'Emil', 'Fay', 'Gus', 'Hana', 'Ivo', 'June']
const FAMILY = ['Abel', 'Brandt', 'Costa', 'Diaz', 'Endo', 'Fischer', 'Ganz', 'Holm', 'Ito', 'Jansen']

/** A stream of numbers in [0, 1), the same for the same seed (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A table of the catalogue: its name and its rows, in the order of the columns of schema.ts. */
export interface Table {
  readonly name: 'categories' | 'products' | 'prices' | 'stock' | 'customers' | 'reviews'
  readonly columns: number
  readonly rows: Iterable<readonly (number | string)[]>
}

/** All tables; each draws from a stream of its own, so that one size does not change the others' rows. */
export function catalogue(size: CatalogueSize): readonly Table[] {
  return [
    { name: 'categories', columns: 2, rows: categories(size) },
    { name: 'products', columns: 4, rows: products(size) },
    { name: 'prices', columns: 3, rows: prices(size) },
    { name: 'stock', columns: 3, rows: stock(size) },
    { name: 'customers', columns: 2, rows: customers(size) },
    { name: 'reviews', columns: 6, rows: reviews(size) },
  ]
}

const pick = (words: readonly string[], at: number): string => words[at % words.length] ?? ''

function* categories(size: CatalogueSize) {
  for (let id = 1; id <= size.categories; id++) {
    yield [id, `${pick(PLACES, id)} ${pick(THINGS, Math.floor(id / PLACES.length)).toLowerCase()}s`]
  }
}

function* products(size: CatalogueSize) {
  const random = seededRandom(SEED)
  for (let id = 1; id <= size.products; id++) {
    const category = 1 + Math.floor(random() * size.categories)
    const words = [pick(MANNERS, Math.floor(random() * 1e6)), pick(MATERIALS, Math.floor(random() * 1e6))]
    const thing = pick(THINGS, Math.floor(category / PLACES.length))
    const name = `${words.join(' ')} ${thing} ${id}`
    yield [id, category, name, `The ${name} comes in ${1 + Math.floor(random() * 5)} sizes and lasts.`]
  }
}

/** One to three prices a product, the newest counts. In cents. */
function* prices(size: CatalogueSize) {
  const random = seededRandom(SEED + 1)
  for (let product = 1; product <= size.products; product++) {
    const first = 500 + Math.floor(random() * 20_000)
    const changes = Math.floor(random() * 3)
    for (let n = 0; n <= changes; n++) {
      const from = CATALOGUE_DATE - THREE_YEARS_MS + Math.floor(((n + random()) / (changes + 1)) * THREE_YEARS_MS)
      yield [product, from, Math.round(first * (1 - n * 0.1))]
    }
  }
}

function* stock(size: CatalogueSize) {
  const random = seededRandom(SEED + 2)
  for (let product = 1; product <= size.products; product++) {
    for (let warehouse = 1; warehouse <= 3; warehouse++) yield [product, warehouse, Math.floor(random() * 40)]
  }
}

function* customers(size: CatalogueSize) {
  for (let id = 1; id <= size.customers; id++) {
    yield [id, `${pick(GIVEN, id)} ${pick(FAMILY, Math.floor(id / GIVEN.length))}`]
  }
}

function* reviews(size: CatalogueSize) {
  const random = seededRandom(SEED + 3)
  for (let id = 1; id <= size.reviews; id++) {
    const product = 1 + Math.floor(random() ** 2 * size.products)
    const customer = 1 + Math.floor(random() * size.customers)
    const stars = 1 + Math.floor(Math.sqrt(random()) * 5)
    const written = CATALOGUE_DATE - Math.floor(random() * THREE_YEARS_MS)
    yield [id, product, customer, stars, pick(OPINIONS, stars - 1), written]
  }
}
