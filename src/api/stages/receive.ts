//! Reads the body, bounded.
import type { IncomingMessage } from 'node:http'
import { commonFault } from '../../domain/faults.ts'
import { refuse } from '../call.ts'
import { stage } from '../stage.ts'

/** Largest body of a call. A DistributionConfig of 250 behaviors with every field filled has 840 KB. */
export const BODY_BYTES_MAX = 2 * 1024 * 1024
/** What is read and thrown away of a larger body, so that its sender gets to read the answer. */
const DISCARDED_BYTES_MAX = 4 * BODY_BYTES_MAX

export const receive = stage({
  name: 'receive',
  next: ['guard', 'encode'],
  async run(call) {
    const body = await readBody(call.message)
    if (body === null) {
      return refuse(call, commonFault('RequestEntityTooLarge', `The body is larger than ${BODY_BYTES_MAX} bytes.`))
    }
    call.sent = { ...call.sent, body }
    call.request = call.sent
    return 'guard'
  },
})

/** Null when it is too large. Rejects when the client goes away. */
async function readBody(message: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of message) {
    bytes += (chunk as Buffer).length
    if (bytes <= BODY_BYTES_MAX) chunks.push(chunk as Buffer)
    else {
      chunks.length = 0
      if (bytes > DISCARDED_BYTES_MAX) break
    }
  }
  return bytes > BODY_BYTES_MAX ? null : Buffer.concat(chunks, bytes)
}
