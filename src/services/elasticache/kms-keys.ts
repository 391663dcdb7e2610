//! What operations need of the keys of this installation.

/** Keys that wrap the data keys of snapshots. */
export interface KmsKeys {
  /** ARN of the key. @throws Error in words when there is no such key, or it cannot be used */
  find(keyId: string | null, now: string): Promise<string>
}
