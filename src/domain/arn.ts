//! Amazon Resource Names (spec/cloudfront.md 1.6, spec/elasticache.md 1.7).

/** CloudFront's resources have no region. `type` e.g. `distribution`. */
export function cloudfrontArn(accountId: string, type: string, id: string): string {
  return `arn:aws:cloudfront::${accountId}:${type}/${id}`
}

/** The account in an ARN: 12 digits. */
export const accountOf = (arn: string): string => arn.split(':')[4] ?? ''

/** `type` e.g. `cluster`, `replicationgroup`, `parametergroup`, `subnetgroup`. */
export function elasticacheArn(region: string, accountId: string, type: string, id: string): string {
  return `arn:aws:elasticache:${region}:${accountId}:${type}:${id}`
}
