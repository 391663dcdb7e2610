//! The shop's tables, and the two queries behind its pages. Nothing here is slow on purpose: the indexes are those that
//! a shop would have, and the pages still cost milliseconds because they ask what shop pages ask.

/** Raised when the schema or the catalogue changes: a file of another version is built anew. */
export const SCHEMA_VERSION = 1

export const SCHEMA = `
  CREATE TABLE categories (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
  CREATE TABLE products (
    id INTEGER PRIMARY KEY,
    category_id INTEGER NOT NULL REFERENCES categories,
    name TEXT NOT NULL,
    description TEXT NOT NULL
  );
  CREATE TABLE prices (
    product_id INTEGER NOT NULL REFERENCES products,
    valid_from INTEGER NOT NULL, -- milliseconds since the epoch
    cents INTEGER NOT NULL,
    PRIMARY KEY (product_id, valid_from)
  ) WITHOUT ROWID;
  CREATE TABLE stock (
    product_id INTEGER NOT NULL REFERENCES products,
    warehouse INTEGER NOT NULL,
    quantity INTEGER NOT NULL,
    PRIMARY KEY (product_id, warehouse)
  ) WITHOUT ROWID;
  CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
  CREATE TABLE reviews (
    id INTEGER PRIMARY KEY,
    product_id INTEGER NOT NULL REFERENCES products,
    customer_id INTEGER NOT NULL REFERENCES customers,
    stars INTEGER NOT NULL,
    title TEXT NOT NULL,
    written INTEGER NOT NULL
  );
`

/** Made after the rows: that is faster than keeping them up to date for each row. */
export const INDEXES = `
  CREATE INDEX products_by_category ON products (category_id);
  CREATE INDEX reviews_by_product ON reviews (product_id, written DESC);
  CREATE INDEX reviews_by_customer ON reviews (customer_id);
`

const newestPrice = (product: string): string =>
  `(SELECT cents FROM prices WHERE product_id = ${product} ORDER BY valid_from DESC LIMIT 1)`

/**
 * One product page as one JSON text; ?1 is the product's id. Joins its category, price, stock, the histogram of its
 * reviews and the newest of them; ranks it among the products of its category by average stars; and finds what
 * customers who reviewed it also reviewed.
 */
export const PRODUCT_PAGE = `
  WITH
    rated AS (
      SELECT p.id, count(*) AS reviews, avg(r.stars) AS rating
      FROM products p JOIN reviews r ON r.product_id = p.id
      WHERE p.category_id = (SELECT category_id FROM products WHERE id = ?1)
      GROUP BY p.id
    ),
    ranked AS (SELECT id, reviews, rating, rank() OVER (ORDER BY rating DESC, reviews DESC) AS place FROM rated),
    newest AS (
      SELECT r.stars, r.title, r.written, c.name AS customer
      FROM reviews r JOIN customers c ON c.id = r.customer_id
      WHERE r.product_id = ?1 ORDER BY r.written DESC LIMIT 5
    ),
    also AS (
      SELECT other.product_id AS id, count(DISTINCT other.customer_id) AS together
      FROM reviews mine JOIN reviews other ON other.customer_id = mine.customer_id
      WHERE mine.product_id = ?1 AND other.product_id <> ?1
      GROUP BY other.product_id ORDER BY together DESC, other.product_id LIMIT 6
    )
  SELECT json_object(
    'id', p.id,
    'name', p.name,
    'description', p.description,
    'category', c.name,
    'cents', ${newestPrice('p.id')},
    'stock', (SELECT sum(quantity) FROM stock WHERE product_id = p.id),
    'reviews', coalesce(ranked.reviews, 0),
    'rating', round(ranked.rating, 2),
    'place', ranked.place,
    'ratedInCategory', (SELECT count(*) FROM rated),
    'stars', (
      SELECT json_group_array(n) FROM (
        SELECT count(r.id) AS n FROM (VALUES (1), (2), (3), (4), (5)) AS star
        LEFT JOIN reviews r ON r.product_id = ?1 AND r.stars = star.column1
        GROUP BY star.column1 ORDER BY star.column1
      )
    ),
    'newest', (
      SELECT json_group_array(json_object('stars', stars, 'title', title, 'customer', customer, 'written', written))
      FROM newest
    ),
    'alsoReviewed', (
      SELECT json_group_array(
        json_object('id', also.id, 'name', o.name, 'cents', ${newestPrice('also.id')}, 'together', also.together)
      )
      FROM also JOIN products o ON o.id = also.id
    )
  ) AS page
  FROM products p JOIN categories c ON c.id = p.category_id LEFT JOIN ranked ON ranked.id = p.id
  WHERE p.id = ?1
`

/** The front page as one JSON text: the most reviewed products of the newest year in the catalogue. */
export const FRONT_PAGE = `
  WITH popular AS (
    SELECT product_id AS id, count(*) AS reviews
    FROM reviews WHERE written > (SELECT max(written) FROM reviews) - 365 * 86400000
    GROUP BY product_id ORDER BY reviews DESC, product_id LIMIT 12
  )
  SELECT json_object(
    'products', (SELECT count(*) FROM products),
    'popular', (
      SELECT json_group_array(
        json_object('id', popular.id, 'name', p.name, 'cents', ${newestPrice('popular.id')}, 'reviews', popular.reviews)
      )
      FROM popular JOIN products p ON p.id = popular.id
    )
  ) AS page
`

export const INSERT_PRICE = `
  INSERT INTO prices (product_id, valid_from, cents)
  SELECT ?1, max(?2, coalesce((SELECT max(valid_from) + 1 FROM prices WHERE product_id = ?1), ?2)), ?3
  WHERE EXISTS (SELECT 1 FROM products WHERE id = ?1)
`
