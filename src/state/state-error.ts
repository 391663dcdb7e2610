//! The state cannot be used: said in one line, for the person who runs the program.

export class StateError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'StateError'
  }
}

/** SQLite result codes (https://www.sqlite.org/rescode.html), primary ones, that a person can do something about. */
const ADVICE: Readonly<Record<number, string>> = {
  5: 'another process holds it; is an older Cachefront still running on this home?',
  8: 'it cannot be written; give this user the right to write there, or choose another CACHEFRONT_HOME',
  10: 'the disk answered with an error; check it and the free space',
  11: 'it is damaged; restore a copy, or run `cachefront reset`',
  13: 'the disk is full; make room, or choose another CACHEFRONT_HOME',
  14: 'it cannot be opened; give this user the right to read and write there, or choose another CACHEFRONT_HOME',
  23: 'access was denied; give this user the right to read and write there',
  26: 'it is not a database of Cachefront; move it away, or choose another CACHEFRONT_HOME',
}

/** System errors that opening files and directories meets. */
const SYSTEM_ADVICE: Readonly<Record<string, string>> = {
  EACCES: 'permission denied; give this user the right to write there, or choose another CACHEFRONT_HOME',
  EPERM: 'not permitted; give this user the right to write there, or choose another CACHEFRONT_HOME',
  EROFS: 'the file system is read-only; choose another CACHEFRONT_HOME',
  ENOSPC: 'the disk is full; make room, or choose another CACHEFRONT_HOME',
  EDQUOT: 'the disk quota is used up; make room, or choose another CACHEFRONT_HOME',
  ENOENT: 'the directory cannot be made there; choose another CACHEFRONT_HOME',
  EISDIR: 'a directory stands in its place; move it away, or choose another CACHEFRONT_HOME',
  ENOTDIR: 'a part of the path is a file, not a directory; choose another CACHEFRONT_HOME',
}

/** Turns what SQLite or the file system threw into a StateError that says what to do; other errors stay as they are. */
export function asStateError(error: unknown, file: string): unknown {
  if (error instanceof StateError || !(error instanceof Error)) return error
  const { errcode, code } = error as { errcode?: number; code?: string }
  const advice =
    errcode === undefined ? SYSTEM_ADVICE[code ?? ''] : (ADVICE[errcode & 0xff] ?? `SQLite says: ${error.message}`)
  return advice === undefined ? error : new StateError(`The state ${file} cannot be used: ${advice}.`, error)
}
