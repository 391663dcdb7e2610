//! The AWS services on the API port as data: model, wire protocol, codes for bad input, operations.

import { awsJson } from '../aws/aws-json.ts'
import { awsQuery } from '../aws/aws-query.ts'
import { modelOf } from '../aws/model.ts'
import type { Protocol, WireService } from '../aws/protocol.ts'
import { restXml } from '../aws/rest-xml.ts'
import type { WireError, WireProblem } from '../aws/wire-error.ts'
import { ACM_FAULTS } from '../domain/acm-faults.ts'
import { CLOUDFRONT_FAULTS, cloudfrontFault } from '../domain/cloudfront-faults.ts'
import { Fault } from '../domain/faults.ts'
import type { OperationTable } from '../services/service.ts'
import { WAF_CONSTRAINTS } from '../services/wafv2/constraints.ts'
import { STS_OPERATIONS } from './sts.ts'

export interface ApiService extends WireService {
  /** The service's name in the scope of a signature. */
  readonly name: 'acm' | 'cloudfront' | 'elasticache' | 'monitoring' | 'sts' | 'wafv2'
  readonly protocol: Protocol
  readonly wireFaults: WireFaults
  readonly operations: OperationTable
}

type WireFaults = Readonly<Record<WireProblem, readonly [code: string, status: number]>>

/** spec/cloudfront.md 1.5. MalformedInput is what AWS's REST front answers to what it cannot parse. */
const CLOUDFRONT_WIRE_FAULTS: WireFaults = {
  malformed: ['MalformedInput', 400],
  unknown: ['MalformedInput', 400],
  type: ['MalformedInput', 400],
  missing: ['InvalidArgument', CLOUDFRONT_FAULTS.InvalidArgument],
  constraint: ['InvalidArgument', CLOUDFRONT_FAULTS.InvalidArgument],
  'no-body': ['MissingBody', 400],
  quantity: ['InconsistentQuantities', 400],
  'no-action': ['UnknownOperationException', 404],
  'no-operation': ['UnknownOperationException', 404],
}

/** spec/elasticache.md 1.8. The code for a parameter that does not exist is ours: AWS ignores it (unconfirmed). */
const QUERY_WIRE_FAULTS: WireFaults = {
  malformed: ['MalformedInput', 400],
  unknown: ['MalformedInput', 400],
  type: ['InvalidParameterValue', 400],
  missing: ['MissingParameter', 400],
  constraint: ['InvalidParameterValue', 400],
  'no-body': ['MissingParameter', 400],
  quantity: ['InvalidParameterValue', 400],
  'no-action': ['MissingAction', 400],
  'no-operation': ['InvalidAction', 400],
}

/** What AWS's JSON front answers: it cannot read the document, or what it read breaks a constraint of the model. */
const JSON_WIRE_FAULTS: WireFaults = {
  malformed: ['SerializationException', 400],
  unknown: ['SerializationException', 400],
  type: ['SerializationException', 400],
  missing: ['ValidationException', ACM_FAULTS.ValidationException],
  constraint: ['ValidationException', ACM_FAULTS.ValidationException],
  'no-body': ['SerializationException', 400],
  quantity: ['ValidationException', ACM_FAULTS.ValidationException],
  'no-action': ['UnknownOperationException', 404],
  'no-operation': ['UnknownOperationException', 404],
}

/** A problem of the wire in the words of the service that was called. */
export function wireFault(service: ApiService, error: WireError): Fault {
  // spec/cloudfront.md 1.2: without If-Match an update is refused with a code of its own.
  if (error.problem === 'missing' && error.path === 'if-match') {
    const message = 'The If-Match version is missing or not valid for the resource.'
    return cloudfrontFault('InvalidIfMatchVersion', message)
  }
  const [code, status] = service.wireFaults[error.problem]
  return new Fault(code, status, error.message)
}

export interface Tables {
  /** Certificates; absent: none of its operations is there. */
  readonly acm?: OperationTable
  readonly cloudfront: OperationTable
  readonly elasticache: OperationTable
  /** CloudWatch; absent: nothing is measured. */
  readonly monitoring?: OperationTable
  /** Web ACLs; absent: none of its operations is there. */
  readonly wafv2?: OperationTable
}

/**
 * Loads the models and joins them with the operations.
 * @throws Error when a table names an operation that is not in the model
 */
export async function loadServices(tables: Tables): Promise<ReadonlyMap<string, ApiService>> {
  const [acm, cloudfront, elasticache, cloudwatch, sts, wafv2] = await Promise.all([
    import('@aws-sdk/client-acm'),
    import('@aws-sdk/client-cloudfront'),
    import('@aws-sdk/client-elasticache'),
    import('@aws-sdk/client-cloudwatch'),
    import('@aws-sdk/client-sts'),
    import('@aws-sdk/client-wafv2'),
  ])
  const services: readonly ApiService[] = [
    {
      name: 'acm',
      protocol: awsJson,
      model: modelOf(acm),
      namespace: 'CertificateManager',
      version: '2015-12-08',
      fractions: new Set(),
      wireFaults: JSON_WIRE_FAULTS,
      operations: tables.acm ?? {},
    },
    {
      name: 'cloudfront',
      protocol: restXml,
      model: modelOf(cloudfront),
      namespace: 'http://cloudfront.amazonaws.com/doc/2020-05-31/',
      version: '2020-05-31',
      fractions: new Set(['SamplingRate', 'Weight']),
      wireFaults: CLOUDFRONT_WIRE_FAULTS,
      operations: tables.cloudfront,
    },
    {
      name: 'elasticache',
      protocol: awsQuery,
      model: modelOf(elasticache),
      namespace: 'http://elasticache.amazonaws.com/doc/2015-02-02/',
      version: '2015-02-02',
      fractions: new Set(),
      wireFaults: QUERY_WIRE_FAULTS,
      operations: tables.elasticache,
    },
    {
      name: 'monitoring',
      // The Query protocol alone: that of the AWS CLI and boto3 of Debian; the newest SDKs speak JSON or CBOR to CloudWatch.
      protocol: awsQuery,
      model: modelOf(cloudwatch),
      namespace: 'http://monitoring.amazonaws.com/doc/2010-08-01/',
      version: '2010-08-01',
      fractions: new Set(),
      wireFaults: QUERY_WIRE_FAULTS,
      operations: tables.monitoring ?? {},
    },
    {
      name: 'sts',
      protocol: awsQuery,
      model: modelOf(sts),
      namespace: 'https://sts.amazonaws.com/doc/2011-06-15/',
      version: '2011-06-15',
      fractions: new Set(),
      wireFaults: QUERY_WIRE_FAULTS,
      operations: STS_OPERATIONS,
    },
    {
      name: 'wafv2',
      protocol: awsJson,
      model: modelOf(wafv2),
      namespace: 'AWSWAF_20190729',
      version: '2019-07-29',
      fractions: new Set(),
      constraints: WAF_CONSTRAINTS,
      wireFaults: JSON_WIRE_FAULTS,
      operations: tables.wafv2 ?? {},
    },
  ]
  for (const service of services) {
    const strangers = Object.keys(service.operations).filter((name) => !service.model.operations.has(name))
    if (strangers.length > 0) throw new Error(`${service.name} has no operation named ${strangers.join(', ')}`)
  }
  return new Map(services.map((service) => [service.name, service]))
}
