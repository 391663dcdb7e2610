//! Which errors are words for a person, and which are defects.

/** Names of the errors whose message says what happened, to what, and what to do. */
const FOR_PEOPLE: ReadonlySet<string> = new Set(['CliError', 'ConfigError', 'StartError', 'StateError'])

export const isForPeople = (error: Error): boolean => FOR_PEOPLE.has(error.name)

/** What the kernel says of a file, in words. */
const FILE_PROBLEMS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EIO: 'the disk answered with an error',
  ENOTDIR: 'a part of the path is a file',
}

/** Null for what is no problem of files. */
export function fileProblem(error: unknown): string | null {
  return FILE_PROBLEMS[(error as NodeJS.ErrnoException | null)?.code ?? ''] ?? null
}

/** The program cannot start, or cannot go on starting: one line for a person. */
export class StartError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'StartError'
  }
}
