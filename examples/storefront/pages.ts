//! The shop's HTML. Values from the database or the viewer pass through `escapeHtml`.
import type { FrontPage, ListedProduct, ProductPage } from './database.ts'

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)

export const showPrice = (cents: number): string => `$${(cents / 100).toFixed(2)}`

const document = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escapeHtml(title)}</title>
<link rel="stylesheet" href="/assets/shop.css">
<script type="module" src="/assets/shop.js"></script>
<header><a href="/">Cachefront Storefront</a> <a href="/cart">Cart</a> <a href="/members">Members</a></header>
<main>
${body}
</main>
</html>
`

const listed = (product: ListedProduct, note: string): string =>
  `<li><a href="/products/${product.id}">${escapeHtml(product.name)}</a> ${showPrice(product.cents)} <small>${escapeHtml(note)}</small></li>`

export function frontHtml(page: FrontPage): string {
  const popular = page.popular.map((product) => listed(product, `${product.reviews} reviews this year`))
  return document(
    'Storefront',
    `<h1>${page.products.toLocaleString('en')} products</h1>\n<ul>\n${popular.join('\n')}\n</ul>`,
  )
}

export function productHtml(page: ProductPage): string {
  const rank = page.place === null ? 'not rated yet' : `number ${page.place} of ${page.ratedInCategory} by rating`
  const stars = page.stars.map((count, at) => `<li>${at + 1} stars: ${count}</li>`).join('')
  const reviews = page.newest.map(
    (review) => `<li>${'★'.repeat(review.stars)} ${escapeHtml(review.title)}, ${escapeHtml(review.customer)}</li>`,
  )
  const also = page.alsoReviewed.map((product) => listed(product, `${product.together} customers`))
  return document(
    page.name,
    `<h1>${escapeHtml(page.name)}</h1>
<img src="/assets/product-${page.id % 24}.svg" alt="" width="320" height="240">
<p id="price">${showPrice(page.cents)}</p>
<p>${escapeHtml(page.description)} ${page.stock} in stock. In ${escapeHtml(page.category)}: ${rank}.</p>
<form method="post" action="/cart"><button name="product" value="${page.id}">Add to cart</button></form>
<h2>${page.reviews} reviews</h2>
<ul>${stars}</ul>
<ul>${reviews.join('\n')}</ul>
<h2>Also reviewed</h2>
<ul>
${also.join('\n')}
</ul>`,
  )
}

export function cartHtml(products: readonly ListedProduct[]): string {
  const total = products.reduce((sum, product) => sum + product.cents, 0)
  const lines = products.map((product) => listed(product, ''))
  return document('Cart', `<h1>Cart</h1>\n<ul>\n${lines.join('\n')}\n</ul>\n<p>Total ${showPrice(total)}</p>`)
}

export function messageHtml(message: string): string {
  return document(message, `<h1>${escapeHtml(message)}</h1>`)
}
