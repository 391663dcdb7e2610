//! An origin that speaks HTTP/2 in frames, for what a real server does not do.
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { createServer, type TLSSocket } from 'node:tls'
import type { ServerCertificate } from './certificates.ts'

const PREFACE_BYTES = 24

/** RFC 9113 4.1. */
export function frame(type: number, flags: number, stream: number, payload: readonly number[]): Buffer {
  return Buffer.from([0, 0, payload.length, type, flags, 0, 0, 0, stream, ...payload])
}

/** Answers the first HEADERS frame of each connection with these frames, a turn each. */
export async function startFrameOrigin(
  t: Pick<TestContext, 'after'>,
  certificate: ServerCertificate,
  answer: readonly Buffer[],
): Promise<{ readonly port: number; readonly sockets: readonly TLSSocket[] }> {
  const sockets: TLSSocket[] = []
  const server = createServer({ ...certificate, ALPNProtocols: ['h2'] }, (socket) => {
    let held = Buffer.alloc(0)
    sockets.push(socket)
    socket.on('error', () => {}).write(frame(4, 0, 0, []))
    const onData = (bytes: Buffer): void => {
      held = Buffer.concat([held, bytes])
      let at = PREFACE_BYTES
      while (held.length >= at + 9 && held.length >= at + 9 + held.readUIntBE(at, 3)) {
        if (held[at + 3] === 1) {
          socket.off('data', onData).resume()
          void send()
          return
        }
        at += 9 + held.readUIntBE(at, 3)
      }
    }
    const send = async (): Promise<void> => {
      for (const one of answer) await new Promise((resolve) => socket.write(one, resolve))
    }
    socket.on('data', onData)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return { port: (server.address() as AddressInfo).port, sockets }
}
