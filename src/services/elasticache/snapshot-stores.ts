//! Buckets and folders that snapshots are exported to and imported from, as operations ask about them. control/stores has
//! the real ones.

/** Each answers why it cannot be, in AWS's own words where AWS has some; null when nothing speaks against it. */
export interface SnapshotStores {
  exportProblem(bucket: string, key: string): Promise<string | null>
  importProblem(bucket: string, key: string): Promise<string | null>
}

/** What AWS says of a bucket (reference of CopySnapshot). */
export const STORE_PROBLEMS = {
  noBucket: (bucket: string) => `The S3 bucket ${bucket} does not exist.`,
  elsewhere: (bucket: string) => `The S3 bucket ${bucket} is outside of the region.`,
  taken: (bucket: string, key: string) => `The S3 bucket ${bucket} already contains an object with key ${key}.`,
  refused: (what: 'READ' | 'WRITE' | 'READ_ACP', bucket: string) =>
    `ElastiCache has not been granted ${what} permissions ${bucket} on the S3 Bucket.`,
  noObject: (bucket: string, key: string) =>
    `Unable to fetch metadata from S3 for bucket: ${bucket} and object: ${key}. Please verify the existence of bucket ` +
    'and object and that the right permissions are there.',
} as const
