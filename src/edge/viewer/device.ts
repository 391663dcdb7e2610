//! What kind of device a User-Agent speaks of (spec/cloudfront.md 6.3): found once for a header block.
import { createRequire } from 'node:module'
import type { UAParser } from 'ua-parser-js'
import type { Device } from '../../domain/generated-headers.ts'
import type { HeaderBlock } from '../listen/viewer.ts'

/** Characters of a User-Agent that are looked at: a viewer must not make us match megabytes. */
const CHARS_MAX = 512
/** Texts whose device is remembered; the oldest are forgotten first. */
const REMEMBERED_MAX = 1_000

/** Key in `HeaderBlock.derived`. */
const DEVICE = {}
const byText = new Map<string, Device>()

export function deviceOf(headers: HeaderBlock): Device {
  const known = headers.derived.get(DEVICE)
  if (known !== undefined) return known as Device
  const text = (headers.get('user-agent') ?? '').slice(0, CHARS_MAX)
  let device = byText.get(text)
  if (device === undefined) {
    device = detect(text)
    if (byText.size >= REMEMBERED_MAX) byText.delete(byText.keys().next().value as string)
    byText.set(text, device)
  }
  headers.derived.set(DEVICE, device)
  return device
}

/**
 * Whatever is no other kind counts as a desktop: programs, bots, nothing at all. So does CloudFront, as the examples in
 * AWS's documentation of API Gateway show ("Custom User Agent String").
 */
function detect(text: string): Device {
  const parser = new (loaded())(text)
  const type = parser.getDevice().type
  const system = parser.getOS().name
  // HbbTV is the standard of televisions; the library does not know each set that speaks it.
  const smartTv = type === 'smarttv' || /\bHbbTV\//.test(text)
  const tablet = !smartTv && type === 'tablet'
  // "If a device falls into more than one category, more than one value might be true" (AWS's guide, of some tablets).
  const mobile = !smartTv && (type === 'mobile' || type === 'wearable' || (tablet && /\bMobile\b/.test(text)))
  return {
    android: system === 'Android',
    ios: system === 'iOS',
    smartTv,
    tablet,
    mobile,
    desktop: !(smartTv || tablet || mobile),
  }
}

let library: typeof UAParser | null = null

/** Not at the start of a worker: most never need it. */
function loaded(): typeof UAParser {
  library ??= createRequire(import.meta.url)('ua-parser-js') as typeof UAParser
  return library
}
