//! A place for RDB files outside the installation: a bucket, or a folder.

export interface Store {
  /** Why nothing can be written under this key; null when it can. */
  exportProblem(key: string): Promise<string | null>
  /** Why nothing can be read under this key; null when it can. */
  importProblem(key: string): Promise<string | null>
  /** Whole or not at all. `bytes` is the length of all pieces. @throws an error for a person */
  write(key: string, pieces: AsyncIterable<Buffer>, bytes: number, signal: AbortSignal): Promise<void>
  /** `version`: of the object, where there are several; undefined for the newest. @throws an error for a person */
  read(key: string, signal: AbortSignal, version?: string): Promise<AsyncIterable<Buffer>>
}
