//! Images, the style sheet and the script, which never change under their names and may be kept for a year by everybody.
//! They lie in a bucket (bucket.ts), which only the distribution may read.

const ASSET_CACHING = 'public, max-age=31536000, immutable'
/** What members alone may see stays in the edge, which asks for a signature each time, and in no browser or proxy unasked. */
const MEMBERS_CACHING = 'max-age=0, s-maxage=31536000'
const IMAGES = 24

export interface Asset {
  readonly type: string
  /** Cache-Control. */
  readonly caching: string
  readonly body: string
}

const SCRIPT = `// Shows the price that holds now next to a page that may be a few minutes old.
const [, id] = /^\\/products\\/(\\d+)$/.exec(location.pathname) ?? []
if (id) {
  const { cents } = await (await fetch('/api/products/' + id)).json()
  document.querySelector('#price').title = 'now $' + (cents / 100).toFixed(2)
}
`
const STYLE = `body { font: 16px/1.5 system-ui; margin: 2rem auto; max-width: 50rem } header { display: flex; gap: 1rem }
#price { font-size: 2rem }
`

/** A drawing of its own for each number: rings in a colour of its own. */
function drawing(number: number): string {
  const hue = Math.round((number / IMAGES) * 360)
  const rings = Array.from(
    { length: 12 },
    (_, ring) =>
      `<circle cx="${160 + ring * (number % 7)}" cy="${120 + ring * (number % 5)}" r="${110 - ring * 9}" ` +
      `fill="hsl(${hue + ring * 6} 70% ${30 + ring * 5}%)"/>`,
  )
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 240">${rings.join('')}</svg>\n`
}

/** By path, as viewers ask for them. */
export const ASSETS: ReadonlyMap<string, Asset> = new Map([
  ['/assets/shop.css', { type: 'text/css', caching: ASSET_CACHING, body: STYLE }],
  ['/assets/shop.js', { type: 'text/javascript', caching: ASSET_CACHING, body: SCRIPT }],
  ...Array.from({ length: IMAGES }, (_, number): [string, Asset] => [
    `/assets/product-${number}.svg`,
    { type: 'image/svg+xml', caching: ASSET_CACHING, body: drawing(number) },
  ]),
])

/** For members alone: the same bucket, another behavior of the distribution, which trusts the signer's key (../signer). */
export const MEMBERS_IMAGES: ReadonlyMap<string, Asset> = new Map(
  Array.from({ length: 3 }, (_, number): [string, Asset] => [
    `/images/workshop-${number + 1}.svg`,
    { type: 'image/svg+xml', caching: MEMBERS_CACHING, body: drawing(number * 5 + 3) },
  ]),
)

export const ASSET_PATHS: readonly string[] = [...ASSETS.keys()]
