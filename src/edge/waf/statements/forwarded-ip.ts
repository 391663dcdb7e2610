//! Addresses that a header names (ForwardedIPConfig, IPSetForwardedIPConfig), such as X-Forwarded-For. Whoever relies on
//! them relies on a proxy in front that writes the header: a viewer can send any.
import type { ForwardedIPConfig, IPSetForwardedIPConfig } from '@aws-sdk/client-wafv2'
import type { Stored } from '../../../domain/waf/web-acl.ts'
import { addressWords } from '../address-ranges.ts'
import type { Inspected } from '../inspected.ts'

/** AWS looks at the last ten. */
const ANY_MAX = 10

type Config = Stored<ForwardedIPConfig> & Partial<Pick<IPSetForwardedIPConfig, 'Position'>>

/** In the order of the header; empty without the header. Entries that are no addresses stay as they are. */
function entriesOf({ headers }: Inspected, name: string): string[] {
  const values = headers.getAll(name)
  return values.length === 0 ? [] : values.join(',').split(',')
}

/** `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1`, `[2001:db8::1]:443`, as proxies write them. */
function addressIn(entry: string): string {
  const text = entry.trim()
  if (text.startsWith('[')) return text.slice(1, Math.max(1, text.indexOf(']')))
  const colon = text.indexOf(':')
  return colon >= 0 && colon === text.lastIndexOf(':') ? text.slice(0, colon) : text
}

/**
 * The addresses at the position; false without the header (the rule does not apply then), and the fallback where a place
 * that counts has none that is valid.
 */
export function forwardedAddresses(config: Config): (request: Inspected) => readonly Uint32Array[] | boolean {
  const { Position: position = 'FIRST' } = config
  const name = (config.HeaderName ?? '').toLowerCase()
  const fallback = config.FallbackBehavior === 'MATCH'
  return (request) => {
    const entries = entriesOf(request, name)
    if (entries.length === 0) return false
    const counting =
      position === 'ANY' ? entries.slice(-ANY_MAX) : [entries[position === 'LAST' ? entries.length - 1 : 0] as string]
    const found = counting.flatMap((entry) => addressWords(addressIn(entry)) ?? [])
    // Of several, those that are valid count; of none, what was asked for is not there.
    return found.length === 0 ? fallback : found
  }
}

/** The first address as text, for what is looked up by it; null without the header. */
export function firstForwarded(config: Stored<ForwardedIPConfig>): (request: Inspected) => string | boolean | null {
  const name = (config.HeaderName ?? '').toLowerCase()
  const fallback = config.FallbackBehavior === 'MATCH'
  return (request) => {
    const [first] = entriesOf(request, name)
    if (first === undefined) return null
    const address = addressIn(first)
    return addressWords(address) === null ? fallback : address
  }
}
