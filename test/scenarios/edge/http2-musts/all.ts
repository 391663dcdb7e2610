//! All rows of the conformance tables, and the sections that must have some.
import { COMPRESSION } from './compression.ts'
import { CONNECTION_RULES } from './connections.ts'
import { FLOW_CONTROL } from './flow-control.ts'
import { FRAME_DEFINITIONS } from './frame-definitions.ts'
import { MESSAGES } from './messages.ts'
import type { AnyRow } from './row.ts'
import { STARTING_AND_FRAMES } from './starting-and-frames.ts'
import { STATE_TABLE } from './states.ts'
import { STREAMS } from './streams.ts'

interface Rfc {
  readonly rows: readonly AnyRow[]
  /** Every section with a requirement; those that only introduce others are left out. */
  readonly sections: readonly string[]
}

export const RFCS: Readonly<Record<string, Rfc>> = {
  'RFC 9113': {
    rows: [
      ...STARTING_AND_FRAMES,
      ...STREAMS,
      ...STATE_TABLE,
      ...FRAME_DEFINITIONS,
      ...FLOW_CONTROL,
      ...MESSAGES,
      ...CONNECTION_RULES,
    ],
    sections:
      `3.1 3.2 3.3 3.4 4.1 4.2 4.3 4.3.1 5.1 5.1.1 5.1.2 5.2.1 5.2.2 5.2.3 5.3.1 5.3.2 5.4.1 5.4.2 5.4.3 5.5 6.1 6.2
      6.3 6.4 6.5 6.5.1 6.5.2 6.5.3 6.6 6.7 6.8 6.9 6.9.1 6.9.2 6.9.3 6.10 7 8.1 8.1.1 8.2 8.2.1 8.2.2 8.2.3 8.3 8.3.1 8.3.2
      8.4 8.4.1 8.4.2 8.5 8.6 8.7 8.8 9.1 9.1.1 9.2 9.2.1 9.2.2 9.2.3 10.1 10.2 10.3 10.4 10.5 10.5.1 10.5.2 10.6 10.7 10.8
      10.9`.split(/\s+/),
  },
  'RFC 7541': {
    rows: COMPRESSION,
    sections:
      '2.2 2.3.1 2.3.2 2.3.3 3.1 3.2 4.1 4.2 4.3 4.4 5.1 5.2 6.1 6.2 6.2.1 6.2.2 6.2.3 6.3 7.1.1 7.1.2 7.1.3 7.2 7.3 7.4'.split(
        ' ',
      ),
  },
}
