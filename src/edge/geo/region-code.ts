//! ISO 3166-2 code of a region by its English name (Unicode CLDR), for databases that have only the name. Loaded when it is
//! first asked: 160 KB of JSON.
import { createRequire } from 'node:module'

/** Names that CLDR has in another form: by country and name as `plain` makes it. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  'AR buenosairesfd': 'C',
  'CO bogotadc': 'DC',
  'CZ hlavnimestopraha': '10',
  'CZ prague': '10',
  'DE rheinlandpfalz': 'RP',
  'DK centraljutland': '82',
  'ES castilleandleon': 'CL',
  'ES castillelamancha': 'CM',
  'FR newaquitaine': 'NAQ',
  'FR normandy': 'NOR',
  'FR rhonealpes': 'ARA',
  'KR gyeonggido': '41',
  'PH nationalcapital': '00',
  'RU stpetersburg': 'SPE',
  'US columbia': 'DC',
}

let byName: Map<string, string> | null = null

/** Up to three characters; empty when the name is not known. */
export function regionCode(country: string, name: string): string {
  if (country === '' || name === '') return ''
  byName ??= load()
  const key = `${country} ${plain(name)}`
  return byName.get(key) ?? OTHER_NAMES[key] ?? ''
}

function load(): Map<string, string> {
  const file = createRequire(import.meta.url)('cldr-subdivisions-full/subdivisions/en/en.json') as {
    subdivisions: { localeDisplayNames: { subdivisions: Readonly<Record<string, string>> } }
  }
  const codes = new Map<string, string>()
  for (const [id, name] of Object.entries(file.subdivisions.localeDisplayNames.subdivisions)) {
    // `usca`: country and code; codes of the former regions of a country are longer or come later.
    const [country, code] = [id.slice(0, 2).toUpperCase(), id.slice(2).toUpperCase()]
    const key = `${country} ${plain(name)}`
    if (code.length <= 3 && !codes.has(key)) codes.set(key, code)
  }
  return codes
}

const KINDS =
  /\b(?:province|state|region|county|oblast|prefecture|district|governorate|of|the|city|metropolitan|department|division|territory|municipality)\b/g

/** Without accents, kinds of regions and everything but letters and digits. */
function plain(name: string): string {
  const bare = name
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .replace(/\([^)]*\)/g, '')
    .toLowerCase()
  return bare.replace(KINDS, '').replace(/[^a-z0-9]/g, '')
}
