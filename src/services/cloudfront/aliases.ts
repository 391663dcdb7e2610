//! Aliases over all distributions (spec/cloudfront.md 1.9, 2.1): whose they are, moving one, and who has one like it.
//! AWS asks for a certificate and a DNS record that prove the name is the caller's; here the certificate is enough, as there
//! is one account.
import type {
  AssociateAliasRequest,
  ConflictingAlias,
  DistributionConfig,
  ListConflictingAliasesRequest,
  ListConflictingAliasesResult,
} from '@aws-sdk/client-cloudfront'
import { isCovered } from '../../domain/certificates.ts'
import { cloudfrontFault, invalidArgument } from '../../domain/cloudfront-faults.ts'
import type { DistributionRecord } from '../../domain/records.ts'
import type { Reader } from '../../state/state.ts'
import type { Operation, ServiceContext } from '../service.ts'
import { checkSecondCertificate } from './certificate-checks.ts'
import { checkDeploymentChange } from './deployment-rules.ts'
import { checkAliases } from './distribution-checks.ts'
import { counted } from './distribution-defaults.ts'
import { configOf } from './distribution-view.ts'
import { acceptedConfig, findDistribution, otherDistributions, replaceConfig } from './distributions.ts'
import { byId, plainPage } from './paging.ts'
import { readTags } from './tag-rules.ts'

/** @throws InvalidArgument for what is no alias, or one that no distribution can have */
function requireAlias(alias: string | undefined, context: ServiceContext): string {
  if (!alias) throw invalidArgument('Alias', 'it is required')
  checkAliases([alias], context)
  return alias
}

const aliasesOf = (record: DistributionRecord): readonly string[] => configOf(record).Aliases?.Items ?? []

/** AWS shows whose alias it is to those alone whose certificate covers it. @throws InvalidArgument */
async function requireProof(reader: Reader, record: DistributionRecord, alias: string): Promise<void> {
  const arn = configOf(record).ViewerCertificate?.ACMCertificateArn
  const names = arn ? ((await reader.get('certificate', arn))?.doc.names ?? []) : []
  if (isCovered(alias, names)) return
  throw invalidArgument('DistributionId', `no certificate that covers ${alias} is attached to ${record.id}`)
}

/** Moves an alias to a distribution from the one that has it, if any, in one commit: no request finds it nowhere. */
export const associateAlias: Operation<AssociateAliasRequest, object> = async (input, context) => {
  const alias = requireAlias(input.Alias, context)
  await context.state.transact(async (tx) => {
    const target = await findDistribution(tx, input.TargetDistributionId)
    if (configOf(target).Staging === true) {
      throw cloudfrontFault('IllegalUpdate', `${target.id} is a staging distribution, which has no aliases.`)
    }
    if (aliasesOf(target).includes(alias)) return
    const others = await otherDistributions(tx, target.id)
    const source = others.find((other) => aliasesOf(other).includes(alias))
    const give = (record: DistributionRecord, names: readonly string[]): DistributionConfig => ({
      ...configOf(record),
      Aliases: counted(names),
    })
    const rest = others.filter((other) => other !== source)
    const gained = give(target, [...aliasesOf(target), alias])
    await checkDeploymentChange(tx, target, gained)
    const config = await acceptedConfig(tx, gained, rest, context)
    const tags = await readTags(tx, target.arn)
    await checkSecondCertificate(tx, config, tags, context.clock, 'InvalidViewerCertificate')
    if (source !== undefined) {
      const left = give(
        source,
        aliasesOf(source).filter((name) => name !== alias),
      )
      await checkDeploymentChange(tx, source, left)
      await replaceConfig(tx, source, left, context)
    }
    await replaceConfig(tx, target, config, context)
  })
  return {}
}

/** A name and a wildcard that covers it, one way or the other, and of course the same name. */
function overlap(one: string, other: string): boolean {
  const covers = (wildcard: string, name: string): boolean =>
    wildcard.startsWith('*.') && name.endsWith(wildcard.slice(1)) && name.length > wildcard.length - 1
  return one === other || covers(one, other) || covers(other, one)
}

/** As AWS shows ids that may be somebody else's: the first half hidden. */
const halfHidden = (id: string): string => '*'.repeat(id.length >> 1) + id.slice(id.length >> 1)

/** Of the distributions besides the one that is named: with itself nobody is in conflict (unconfirmed). */
export const listConflictingAliases: Operation<ListConflictingAliasesRequest, ListConflictingAliasesResult> = async (
  input,
  context,
) => {
  const { state, accountId } = context
  const alias = requireAlias(input.Alias, context)
  const own = await findDistribution(state, input.DistributionId)
  await requireProof(state, own, alias)
  const found = (await otherDistributions(state, own.id)).flatMap((record) =>
    aliasesOf(record)
      .filter((name) => overlap(alias, name))
      .map((name): ConflictingAlias & { readonly Alias: string } => ({
        Alias: name,
        DistributionId: halfHidden(record.id),
        AccountId: halfHidden(accountId),
      })),
  )
  found.sort((a, b) => (a.Alias < b.Alias ? -1 : 1))
  const order = byId((item: (typeof found)[number]) => item.Alias)
  return { ConflictingAliasesList: plainPage(found, order, (item) => item, input) }
}
