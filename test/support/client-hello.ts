//! ClientHellos by hand: what a viewer might send, and what none should.

export interface HelloParts {
  /** Version of the message; TLS 1.2 (and 1.3 behind it) unless told otherwise. */
  readonly version?: number
  readonly cipherSuites?: readonly number[]
  readonly sessionId?: Buffer
  /** Null for a message that ends before its extensions. */
  readonly extensions?: readonly Buffer[] | null
  /** Behind the last field. */
  readonly trailing?: Buffer
}

export const vector8 = (bytes: Uint8Array): Buffer => Buffer.concat([Buffer.from([bytes.length]), bytes])
export const vector16 = (bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 255]), bytes])
const words = (...numbers: readonly number[]): Buffer =>
  Buffer.from(numbers.flatMap((number) => [number >> 8, number & 255]))

export const extension = (type: number, data: Uint8Array): Buffer => Buffer.concat([words(type), vector16(data)])
export const serverName = (name: string): Buffer =>
  extension(0, vector16(Buffer.concat([Buffer.from([0]), vector16(Buffer.from(name, 'latin1'))])))
export const alpn = (...protocols: readonly string[]): Buffer =>
  extension(16, vector16(Buffer.concat(protocols.map((protocol) => vector8(Buffer.from(protocol, 'latin1'))))))
export const versions = (...numbers: readonly number[]): Buffer => extension(43, vector8(words(...numbers)))
export const groups = (...numbers: readonly number[]): Buffer => extension(10, vector16(words(...numbers)))
export const signatureSchemes = (...numbers: readonly number[]): Buffer => extension(13, vector16(words(...numbers)))

/** The message without records. */
export function helloMessage(parts: HelloParts = {}): Buffer {
  const { version = 0x0303, cipherSuites = [0x1301, 0xc02b], sessionId = Buffer.alloc(0), extensions = [] } = parts
  const body = Buffer.concat([
    words(version),
    Buffer.alloc(32, 7),
    vector8(sessionId),
    vector16(words(...cipherSuites)),
    Buffer.from([1, 0]),
    ...(extensions === null ? [] : [vector16(Buffer.concat(extensions))]),
    parts.trailing ?? Buffer.alloc(0),
  ])
  return Buffer.concat([Buffer.from([1, body.length >> 16, (body.length >> 8) & 255, body.length & 255]), body])
}

/** In records of so many bytes each. */
export function inRecords(message: Buffer, bytes = 16_384): Buffer {
  const records: Buffer[] = []
  for (let at = 0; at < message.length; at += bytes) {
    records.push(Buffer.from([22, 3, 1]), vector16(message.subarray(at, at + bytes)))
  }
  return Buffer.concat(records)
}
