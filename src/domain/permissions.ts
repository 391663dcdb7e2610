//! THE TABLE of who may call what: by service, by the operation's name as AWS builds them, and for the installation's own
//! routes by method and path. The first row that fits decides, so that the operations of a new service have their rows
//! before it is written; what no row knows is left to admins. Pure.
import type { Role } from './access-keys.ts'

interface Row {
  /** Name in the scope of signatures; `cachefront` for `/_cachefront`; `*` for every service of AWS. */
  readonly service: string
  /** Names of operations, or `METHOD path`; a final `*` stands for anything. */
  readonly operations: readonly string[]
  readonly roles: readonly Role[]
  /** For the document: why, where it is not plain. */
  readonly about: string
}

const ALL: readonly Role[] = ['admin', 'operator', 'invalidator', 'read-only']
const READERS: readonly Role[] = ['admin', 'operator', 'read-only']
const OPERATORS: readonly Role[] = ['admin', 'operator']
const INVALIDATORS: readonly Role[] = ['admin', 'operator', 'invalidator']
const ADMINS: readonly Role[] = ['admin']

export const PERMISSIONS: readonly Row[] = [
  { service: 'sts', operations: ['GetCallerIdentity'], roles: ALL, about: 'everybody may ask who they are' },
  {
    service: 'cloudfront',
    operations: ['CreateInvalidation*'],
    roles: INVALIDATORS,
    about: 'of distributions and tenants',
  },
  {
    service: 'cloudfront',
    operations: ['GetInvalidation*', 'ListInvalidations*', 'GetDistribution*', 'ListDistribution*'],
    roles: ALL,
    about: 'what a pipeline needs to find its distribution and to wait for its invalidation',
  },
  {
    service: 'acm',
    operations: ['ExportCertificate'],
    roles: ADMINS,
    about: 'its answer holds a private key',
  },
  {
    service: 'wafv2',
    operations: ['GetDecryptedAPIKey', 'ListAPIKeys'],
    roles: ADMINS,
    about: 'their answers hold keys',
  },
  {
    service: '*',
    operations: ['Get*', 'List*', 'Describe*', 'Search*', 'BatchGet*', 'Check*', 'Verify*'],
    roles: READERS,
    about: 'reads',
  },
  {
    service: '*',
    operations: [
      ...['Add*', 'Associate*', 'Authorize*', 'Batch*', 'Complete*', 'Copy*', 'Create*', 'Decrease*', 'Delete*'],
      ...[
        'Disable*',
        'Disassociate*',
        'Enable*',
        'Export*',
        'Failover*',
        'Import*',
        'Increase*',
        'Migrate*',
        'Modify*',
      ],
      ...['Publish*', 'Purchase*', 'Put*', 'Reboot*', 'Rebalance*', 'Remove*', 'Renew*', 'Request*', 'Resend*'],
      ...['Reset*', 'Revoke*', 'Set*', 'Start*', 'Stop*', 'Tag*', 'Test*', 'Untag*', 'Update*', 'Upload*'],
    ],
    roles: OPERATORS,
    about: 'changes',
  },
  {
    service: 'cachefront',
    operations: ['GET /_cachefront/health', 'GET /_cachefront/ip-ranges.json', 'GET /_cachefront/metrics'],
    roles: ALL,
    about: 'asked without a signature, too',
  },
  {
    service: 'cachefront',
    operations: ['POST /_cachefront/invalidations'],
    roles: INVALIDATORS,
    about: '`cachefront invalidate`',
  },
  {
    service: 'cachefront',
    operations: ['GET /_cachefront/keys', 'POST /_cachefront/keys*', 'POST /_cachefront/explain-tokens'],
    roles: ADMINS,
    about: 'access keys; tokens that make an edge explain a request',
  },
  {
    service: 'cachefront',
    operations: ['POST /_cachefront/trusted-signers', 'POST /_cachefront/trusted-signers/remove'],
    roles: ADMINS,
    about: 'whose signatures let viewers in: `cachefront trusted-signers`',
  },
  { service: 'cachefront', operations: ['POST /_cachefront/stop'], roles: ADMINS, about: '`cachefront down`' },
  { service: 'cachefront', operations: ['GET *'], roles: READERS, about: 'all other reads' },
  {
    service: 'cachefront',
    operations: ['POST /_cachefront/clock', 'POST /_cachefront/pops', 'POST /_cachefront/snapshot-imports*'],
    roles: OPERATORS,
    about: 'the movable clock, POPs that go down and up, snapshots',
  },
  { service: 'cachefront', operations: ['*'], roles: ADMINS, about: 'all other changes' },
  { service: '*', operations: ['*'], roles: ADMINS, about: 'anything else' },
]

/** `operation`: its name, or `METHOD path` of a route (a `*` of the route's own stays). */
export function rolesFor(service: string, operation: string): readonly Role[] {
  const row = PERMISSIONS.find(
    (one) =>
      (one.service === service || (one.service === '*' && service !== 'cachefront')) &&
      one.operations.some((pattern) => fits(pattern, operation)),
  )
  return row?.roles ?? []
}

function fits(pattern: string, name: string): boolean {
  return pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : pattern === name
}

/** Operations that only read, by AWS's way of naming them; all others are changes, and stand in the audit log. */
const READS = /^(?:Get|List|Describe|Search|BatchGet|Check|Verify)/

/** Whether a call changes something, as far as its name says it. */
export function isChange(service: string, operation: string): boolean {
  return service === 'cachefront' ? !operation.startsWith('GET ') : !READS.test(operation)
}
