//! docs/headers.md: the table of headers that CloudFront makes as a document (`npm run docs` writes it, a test compares it).
import { GENERATED_HEADERS, type GeneratedHeader } from './generated-headers.ts'

const FROM: Readonly<Record<GeneratedHeader['from'], string>> = {
  connection: 'connection',
  location: 'GeoIP',
  device: 'User-Agent',
  error: 'error page',
  client: 'client certificate',
}

/** Fields that the databases which npm installs do not have. */
const NOT_IN_PACKAGES: ReadonlySet<string> = new Set(['CloudFront-Viewer-Metro-Code', 'CloudFront-Viewer-Postal-Code'])

export function headersDocument(): string {
  const built = GENERATED_HEADERS.filter(({ make }) => make !== null)
  const later = GENERATED_HEADERS.filter(({ make }) => make === null)
  return [
    ...BEFORE,
    '| header | cache policy | made from | value | with the packages of npm |',
    '|---|---|---|---|---|',
    ...built.map(
      (header) =>
        `| \`${header.name}\` | ${header.keyable ? 'yes' : 'no'} | ${FROM[header.from]} | ${header.about} | ${packaged(header)} |`,
    ),
    '',
    'Not built yet; a policy that lists one answers 501 with its name: ' +
      `${later.map(({ name, waitsFor }) => `\`${name}\` (${waitsFor})`).join(', ')}.`,
    '',
    ...AFTER,
    '',
  ].join('\n')
}

const packaged = ({ name, from }: GeneratedHeader): string =>
  from !== 'location' ? '' : NOT_IN_PACKAGES.has(name) ? 'absent' : 'yes'

const BEFORE = [
  '# Headers that the edge makes',
  '',
  'Printed from the table in [src/domain/generated-headers.ts](../src/domain/generated-headers.ts) by `npm run docs`.',
  '',
  'An origin gets each of these when a cache policy or an origin request policy lists it, and in no other case. What a',
  'viewer sends under such a name never passes. A header whose value is not known is not sent; in a cache key its value is',
  'empty then. Values hold printable ASCII, everything else percent-encoded as UTF-8. `allExcept` in an origin request',
  'policy sends those of June 2022 (the list of `Managed-AllViewerAndCloudFrontHeaders-2022-06`) that it does not name, as',
  "AWS's guide says of `Managed-AllViewerExceptHostHeader`.",
  '',
]

const AFTER = [
  '## Where viewers are',
  '',
  "Two optional npm packages answer without a setting: [DB-IP](https://db-ip.com)'s city database (IP Geolocation by DB-IP,",
  'CC BY 4.0) and the autonomous systems of @ip-location-db (RouteViews and DB-IP, CC BY 4.0), together 83 MB to load.',
  'What the city database lacks is derived: names of countries and codes of regions by CLDR (91% of its networks; a region',
  'whose name CLDR does not know has no code), time zones from the coordinates.',
  '',
  "`--geoip FILE` (several) takes databases in MaxMind's format instead: GeoLite2 or GeoIP2 City, Country or Enterprise,",
  "DB-IP's and IPinfo's own files; ASN and ISP files for the autonomous systems. The first one that knows an address",
  'answers. For what the given files are not about the packages stay. A file that is none ends the start.',
  '',
  'A worker opens the databases when the first distribution needs them, before it acknowledges that change (40-70 ms,',
  'once), and reads them in pages: up to 4 MiB of memory for each of the four files, whatever their size. A new address',
  'costs 0.1-0.2 ms, a known one (the last 4,096) less than a microsecond. A file that an operator',
  'replaces answers within a minute (docs/geo-restriction.md).',
  '',
  '## Whose address',
  '',
  'The viewer is whoever is connected. Behind proxies named by `--trusted-proxies CIDR`, it is the last entry of',
  'X-Forwarded-For, read from the right, that is none of them: headers, cache keys and the columns c-ip, c-port and',
  'x-forwarded-for of the access log are those of that viewer, and X-Forwarded-For ends with its address at the origin, as',
  'if it had come by itself. An entry that is no address ends the walk: then the proxy that wrote it counts as the viewer.',
  'Of anybody else X-Forwarded-For is only added to, never believed.',
  '',
  'On loopback, `x-cachefront-viewer-address: IP` sets the address for a test, when no proxy has passed the request on.',
  '',
  '## Devices',
  '',
  'By `ua-parser-js`, from the first 512 characters of the User-Agent. Several may be true (an iPad is mobile and a tablet);',
  'whatever is no phone, tablet or television counts as a desktop, programs and bots too.',
  '',
  '## What differs from CloudFront',
  '',
  '- `Expect` never reaches an origin, also when a policy lists it: the edge answers 100 itself.',
  '- X-Forwarded-For in a cache policy is keyed as the origin gets it, the address of the viewer at its end.',
  '- `CloudFront-Viewer-Cert-Present` is absent where viewers are not asked for certificates; AWS does not say.',
  '- CloudFront-Viewer-Address has port 0 where a trusted proxy does not tell the port.',
  '',
  '## For origins that admit the edge alone',
  '',
  "`GET /_cachefront/ip-ranges.json` on the API port lists addresses in the format of AWS's ip-ranges.json: service",
  '`CLOUDFRONT` where viewers reach the POPs, `CLOUDFRONT_ORIGIN_FACING` every address that connections to origins may come',
  'from. The edge binds none, the kernel takes the one that the route to the origin has: so all of the host are listed.',
]
