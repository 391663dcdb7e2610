//! Which errors are words for a person, and which are defects.

/** Names of the errors whose message says what happened, to what, and what to do. */
const FOR_PEOPLE: ReadonlySet<string> = new Set(['CliError', 'ConfigError', 'StartError', 'StateError'])

export const isForPeople = (error: Error): boolean => FOR_PEOPLE.has(error.name)

/** The program cannot start, or cannot go on starting: one line for a person. */
export class StartError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'StartError'
  }
}
