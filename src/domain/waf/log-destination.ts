//! Where logs of web ACLs may go: a log group, a delivery stream or a bucket whose name begins with `aws-waf-logs-`, by ARN.

export interface WafLogDestination {
  readonly kind: 'cloudwatch-logs' | 'kinesis-firehose' | 's3'
  /** Of the log group, stream or bucket: `aws-waf-logs-shop`; fit for a path. */
  readonly name: string
  /** Of a bucket: what keys begin with; empty otherwise. */
  readonly prefix: string
}

const KINDS = [
  { kind: 'cloudwatch-logs', arn: /^arn:aws[\w-]*:logs:[a-z0-9-]+:\d{12}:log-group:(?<name>[^:]+)(?::\*)?$/ },
  { kind: 'kinesis-firehose', arn: /^arn:aws[\w-]*:firehose:[a-z0-9-]+:\d{12}:deliverystream\/(?<name>[^/]+)$/ },
  { kind: 's3', arn: /^arn:aws[\w-]*:s3:::(?<name>[a-z0-9.-]+)(?:\/(?<prefix>.*))?$/ },
] as const

/** `aws-waf-logs-` and what names of log groups and streams may have; no step of a path that leads upwards. */
const NAME = /^aws-waf-logs-[A-Za-z0-9_.#/-]{0,200}$/

/** Null for an ARN that AWS WAF does not take. */
export function wafLogDestination(arn: string): WafLogDestination | null {
  for (const { kind, arn: pattern } of KINDS) {
    const { name = '', prefix = '' } = pattern.exec(arn)?.groups ?? {}
    if (NAME.test(name) && !name.split('/').some((step) => step === '' || step === '.' || step === '..'))
      return { kind, name, prefix }
  }
  return null
}
