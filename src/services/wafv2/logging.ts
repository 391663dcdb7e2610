//! Logging configurations of web ACLs: one for each (LogScope CUSTOMER, LogType WAF_LOGS).
import type {
  DeleteLoggingConfigurationRequest,
  GetLoggingConfigurationRequest,
  GetLoggingConfigurationResponse,
  ListLoggingConfigurationsRequest,
  ListLoggingConfigurationsResponse,
  LoggingConfiguration,
  PutLoggingConfigurationRequest,
  PutLoggingConfigurationResponse,
} from '@aws-sdk/client-wafv2'
import { notImplemented } from '../../domain/faults.ts'
import { invalidParameter } from '../../domain/waf/faults.ts'
import { wafLogDestination } from '../../domain/waf/log-destination.ts'
import { SETTINGS } from '../../domain/waf/statements.ts'
import type { Stored } from '../../domain/waf/web-acl.ts'
import type { Reader } from '../../state/state.ts'
import type { Operation, ServiceContext } from '../service.ts'
import { page } from './paging.ts'
import { given, notOne } from './refusals.ts'
import { find, missing } from './resources.ts'
import { requireScope } from './scope.ts'
import { shown, stored } from './stored-shape.ts'

/** Parts of a request that a log can leave out; AWS refuses the others. */
const REDACTED: readonly string[] = ['SingleHeader', 'UriPath', 'QueryString', 'Method']

interface Which {
  readonly ResourceArn?: string | undefined
  readonly LogScope?: string | undefined
}

/** The others are written by Security Lake and CloudWatch, of which neither is here. */
function requireCustomer(scope: string | undefined): void {
  if (scope !== undefined && scope !== 'CUSTOMER') throw notImplemented(`LogScope ${scope}`)
}

/** @throws WAFInvalidParameterException, NotImplemented */
function checkConfiguration(
  logging: Stored<LoggingConfiguration>,
  { logDestinations }: Pick<ServiceContext, 'logDestinations'>,
): void {
  const [destination = '', ...more] = logging.LogDestinationConfigs
  if (more.length > 0) {
    throw invalidParameter('LOG_DESTINATION', 'LogDestinationConfigs', 'A web ACL has one log destination.')
  }
  const known = wafLogDestination(destination)
  if (known === null) {
    const reason =
      "The ARN isn't valid: it is that of a log group, a delivery stream or a bucket whose name begins with aws-waf-logs-."
    throw invalidParameter('LOG_DESTINATION', destination, reason)
  }
  if (known.kind === 's3') throw notImplemented('Logging of a web ACL to a bucket')
  const { kind = 'file' } = logDestinations?.get(known.name) ?? {}
  if (kind !== 'file') throw notImplemented(`Logging of a web ACL to --log-destination ${known.name}=${kind}:`)
  for (const field of logging.RedactedFields ?? []) {
    const [name, ...others] = given(field)
    if (name === undefined || others.length > 0) throw notOne('FIELD_TO_MATCH', 'RedactedFields')
    if (!REDACTED.includes(name)) {
      throw invalidParameter('FIELD_TO_MATCH', name, `Logs can redact ${REDACTED.join(', ')}.`)
    }
  }
  for (const { Conditions } of logging.LoggingFilter?.Filters ?? []) {
    for (const condition of Conditions)
      if (given(condition).length !== 1) throw notOne('FILTER_CONDITION', 'Conditions')
  }
}

/** Takes the place of the one that is there. */
export const putLoggingConfiguration: Operation<
  PutLoggingConfigurationRequest,
  PutLoggingConfigurationResponse
> = async (input, context) => {
  const { ManagedByFirewallManager: _, ...configuration } = input.LoggingConfiguration as LoggingConfiguration
  requireCustomer(configuration.LogScope)
  const logging = stored(configuration)
  checkConfiguration(logging, context)
  if (!SETTINGS.LoggingConfiguration.built) throw notImplemented('PutLoggingConfiguration')
  await context.state.transact(async (tx) => {
    const record = await find(tx, 'web-acl', { ARN: logging.ResourceArn }, context)
    await tx.put('web-acl', record.arn, { ...record, logging })
  })
  return { LoggingConfiguration: view(logging) }
}

const view = (logging: Stored<LoggingConfiguration>): LoggingConfiguration => ({
  ...shown<LoggingConfiguration>(logging),
  LogType: 'WAF_LOGS',
  LogScope: 'CUSTOMER',
  ManagedByFirewallManager: false,
})

/** @throws WAFNonexistentItemException when there is no such web ACL, or it is not logged */
async function logged(reader: Reader, { ResourceArn, LogScope }: Which, context: Pick<ServiceContext, 'accountId'>) {
  requireCustomer(LogScope)
  const { logging, ...record } = await find(reader, 'web-acl', { ARN: ResourceArn }, context)
  if (logging === undefined) throw missing(`the web ACL ${record.name} has no logging configuration`)
  return { record, logging }
}

export const getLoggingConfiguration: Operation<
  GetLoggingConfigurationRequest,
  GetLoggingConfigurationResponse
> = async (input, context) => ({
  LoggingConfiguration: view((await logged(context.state, input, context)).logging),
})

export const deleteLoggingConfiguration: Operation<DeleteLoggingConfigurationRequest, object> = async (
  input,
  context,
) => {
  await context.state.transact(async (tx) => {
    const { record } = await logged(tx, input, context)
    await tx.put('web-acl', record.arn, record)
  })
  return {}
}

export const listLoggingConfigurations: Operation<
  ListLoggingConfigurationsRequest,
  ListLoggingConfigurationsResponse
> = async (input, { state }) => {
  requireScope(input.Scope)
  requireCustomer(input.LogScope)
  const all = (await state.list('web-acl')).map(({ doc }) => doc).sort((a, b) => (a.name < b.name ? -1 : 1))
  const { items, next } = page(
    all.filter(({ logging }) => logging !== undefined),
    ({ name }) => name,
    input,
  )
  return {
    ...next,
    LoggingConfigurations: items.flatMap(({ logging }) => (logging === undefined ? [] : view(logging))),
  }
}
