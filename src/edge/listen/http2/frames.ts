//! The numbers of HTTP/2 (RFC 9113 4-7, RFC 9218 7) by their names.

export const FRAME = {
  data: 0,
  headers: 1,
  priority: 2,
  rstStream: 3,
  settings: 4,
  pushPromise: 5,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
  priorityUpdate: 16,
} as const

export const FLAG = { endStream: 1, ack: 1, endHeaders: 4, padded: 8, priority: 32 } as const

/** Error codes (RFC 9113 7), by the names that the RFC gives them. */
export const ERROR = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  ENHANCE_YOUR_CALM: 11,
} as const

export type ErrorName = keyof typeof ERROR

export const SETTING = {
  headerTableSize: 1,
  enablePush: 2,
  maxConcurrentStreams: 3,
  initialWindowSize: 4,
  maxFrameSize: 5,
  maxHeaderListSize: 6,
  /** RFC 9218 2.1 */
  noRfc7540Priorities: 9,
} as const

/** What a client begins with (RFC 9113 3.4). */
export const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1')

export const FRAME_HEAD_BYTES = 9
/** Initial SETTINGS_MAX_FRAME_SIZE, and what we take: larger frames only make others wait (6.5.2). */
export const FRAME_BYTES = 16_384
export const FRAME_BYTES_MAX = 16_777_215
/** Initial window of streams and of the connection, and the largest there may be (6.9.2, 6.9.1). */
export const WINDOW_BYTES = 65_535
export const WINDOW_BYTES_MAX = 0x7f_ff_ff_ff
export const STREAM_ID_MAX = 0x7f_ff_ff_ff
