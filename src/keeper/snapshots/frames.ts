//! The sealed format: a header of 32 bytes, then frames of AES-256-GCM. Nothing of a frame is handed out before all of it
//! was authenticated, and each is bound to its snapshot, its stream and its place: flipped, cut off, repeated, reordered
//! or foreign frames are an error, never other bytes.
//!
//! header: `CFSEAL01`, 16 random bytes that name the stream, the frame size (u32, big-endian), 4 bytes of zero
//! frame:  u32 big-endian: length of the text, highest bit set in the last frame; the encrypted text; a tag of 16 bytes
//!
//! Each frame but the last is exactly as long as the frame size; the last may be empty. The nonce is the number of the
//! frame (96 bits, big-endian, from 0): the key serves one stream only, so it never repeats. Authenticated beside the
//! text: the header, the number, the length word and the id of the snapshot.
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'

const MAGIC = Buffer.from('CFSEAL01')
const HEADER_BYTES = 32
/** Plaintext of a frame. Both sides hold one or two of them in memory. */
const FRAME_BYTES = 1024 * 1024
const LENGTH_BYTES = 4
const TAG_BYTES = 16
const NONCE_BYTES = 12
const FINAL_BIT = 0x8000_0000

/** The sealed stream is not what was written, or not by this key. */
export class SealError extends Error {
  override readonly name = 'SealError'
}

export interface StreamKey {
  /** 32 bytes, for this stream alone. */
  readonly key: Buffer
  /** Id of the snapshot that the stream belongs to. */
  readonly snapshot: string
}

/** What all frames of a stream have in common, and the number of the next. */
class Frames {
  readonly key: Buffer
  readonly #aad: Buffer
  #number = 0

  constructor({ key, snapshot }: StreamKey, header: Buffer) {
    this.key = key
    // header, number (8), length word (4), id: the fixed part first, so that no two of them read the same.
    this.#aad = Buffer.concat([header, Buffer.alloc(12), Buffer.from(snapshot)])
  }

  get number(): number {
    return this.#number
  }

  next(lengthWord: number): { readonly nonce: Buffer; readonly aad: Buffer } {
    const nonce = Buffer.alloc(NONCE_BYTES)
    nonce.writeBigUInt64BE(BigInt(this.#number), 4)
    this.#aad.writeBigUInt64BE(BigInt(this.#number), HEADER_BYTES)
    this.#aad.writeUInt32BE(lengthWord, HEADER_BYTES + 8)
    this.#number += 1
    return { nonce, aad: this.#aad }
  }
}

/** Seals a stream: `push` bytes in pieces of any size, `end` once. What they return goes to the file in order. */
export class Sealer {
  readonly header: Buffer
  readonly #frames: Frames
  readonly #frameBytes: number
  #held: Buffer
  #length = 0

  /** `frameBytes` is smaller in tests only. */
  constructor(key: StreamKey, frameBytes = FRAME_BYTES) {
    const size = Buffer.alloc(8)
    size.writeUInt32BE(frameBytes)
    this.header = Buffer.concat([MAGIC, randomBytes(16), size])
    this.#frames = new Frames(key, this.header)
    this.#frameBytes = frameBytes
    this.#held = Buffer.allocUnsafeSlow(frameBytes)
  }

  /** Frames that the bytes completed: a full one is sealed when it is known that more follows. */
  push(bytes: Buffer): readonly Buffer[] {
    const sealed: Buffer[] = []
    for (let at = 0; at < bytes.length; ) {
      if (this.#length === this.#frameBytes) sealed.push(...this.#seal(0))
      const copied = bytes.copy(this.#held, this.#length, at)
      this.#length += copied
      at += copied
    }
    return sealed
  }

  end(): readonly Buffer[] {
    const last = this.#seal(FINAL_BIT)
    this.#held.fill(0)
    return last
  }

  #seal(finalBit: number): readonly Buffer[] {
    const word = (this.#length | finalBit) >>> 0
    const { nonce, aad } = this.#frames.next(word)
    const cipher = createCipheriv('aes-256-gcm', this.#frames.key, nonce)
    cipher.setAAD(aad)
    const head = Buffer.alloc(LENGTH_BYTES)
    head.writeUInt32BE(word)
    const text = cipher.update(this.#held.subarray(0, this.#length))
    cipher.final()
    this.#length = 0
    return [head, text, cipher.getAuthTag()]
  }
}

/**
 * The plaintext of a sealed stream, frame by frame. `pieces` are its bytes, cut anywhere.
 * @throws SealError when the stream is damaged, incomplete, foreign, or sealed by another key; all that was handed out
 * before is authentic, but only the end of the iteration says that it was all.
 */
export async function* unseal(pieces: AsyncIterable<Buffer>, key: StreamKey): AsyncGenerator<Buffer, void> {
  const source = new Pieces(pieces)
  const header = await source.take(HEADER_BYTES)
  if (header === null || !header.subarray(0, MAGIC.length).equals(MAGIC)) {
    throw new SealError('it does not begin as a sealed snapshot does')
  }
  const frameBytes = header.readUInt32BE(24)
  // Of a damaged header: it would be found out by the first tag, but only after that much was read.
  if (frameBytes === 0 || frameBytes > FRAME_BYTES) throw new SealError('its header is damaged')
  const frames = new Frames(key, Buffer.from(header))
  for (let isLast = false; !isLast; ) {
    const head = await source.take(LENGTH_BYTES)
    if (head === null) throw new SealError(`it ends after frame ${frames.number}: it was cut off`)
    const word = head.readUInt32BE()
    isLast = word >= FINAL_BIT
    const length = word % FINAL_BIT
    if (length > frameBytes || (!isLast && length !== frameBytes)) {
      throw new SealError(`frame ${frames.number} has an impossible length: it is damaged`)
    }
    const body = await source.take(length + TAG_BYTES)
    if (body === null) throw new SealError(`it ends within frame ${frames.number}: it was cut off`)
    const text = open(frames, word, body)
    if (text.length > 0) yield text
  }
  if ((await source.take(1)) !== null) throw new SealError('something follows its last frame')
}

function open(frames: Frames, word: number, body: Buffer): Buffer {
  const number = frames.number
  const { nonce, aad } = frames.next(word)
  const decipher = createDecipheriv('aes-256-gcm', frames.key, nonce, { authTagLength: TAG_BYTES })
  decipher.setAAD(aad)
  decipher.setAuthTag(body.subarray(body.length - TAG_BYTES))
  const text = decipher.update(body.subarray(0, body.length - TAG_BYTES))
  try {
    decipher.final()
  } catch {
    text.fill(0)
    throw new SealError(`frame ${number} is not authentic: it was changed, moved, or sealed by another key`)
  }
  return text
}

/** Bytes by the number, whatever the pieces they come in. */
class Pieces {
  readonly #source: AsyncIterator<Buffer>
  #held: Buffer[] = []
  #length = 0

  constructor(pieces: AsyncIterable<Buffer>) {
    this.#source = pieces[Symbol.asyncIterator]()
  }

  /** Exactly `count` bytes; null when fewer are left. */
  async take(count: number): Promise<Buffer | null> {
    while (this.#length < count) {
      const { value, done } = await this.#source.next()
      if (done) return null
      this.#held.push(value)
      this.#length += value.length
    }
    const all = this.#held.length === 1 ? this.#held[0]! : Buffer.concat(this.#held, this.#length)
    this.#held = all.length === count ? [] : [all.subarray(count)]
    this.#length -= count
    return all.subarray(0, count)
  }
}
