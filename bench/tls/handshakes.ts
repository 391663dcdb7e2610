//! Load of `npm run bench:tls`, a process of its own: TLS 1.3 handshakes one after the other on so many connections, each
//! with an orderly end: when the server has ended too, it has seen the viewer's Finished.
//! Arguments: port, server name, seconds, connections, `full` or `resumed`. Prints one JSON object.
import { connect } from 'node:tls'

const [port, servername = '', seconds, connections, kind] = process.argv.slice(2)
const over = performance.now() + Number(seconds) * 1_000
let handshakes = 0
let resumed = 0
let failed = ''

/** Shakes hands once; resolves with a session to resume, where the server gave one. */
const shake = (session: Buffer | undefined): Promise<Buffer | undefined> =>
  new Promise((resolve, reject) => {
    let given: Buffer | undefined
    let isSecure = false
    const socket = connect(
      {
        ...{ host: '127.0.0.1', port: Number(port), servername, session, rejectUnauthorized: false },
        ...{
          minVersion: 'TLSv1.3',
          ciphers: 'TLS_AES_128_GCM_SHA256',
          ecdhCurve: 'X25519',
          ALPNProtocols: ['http/1.1'],
        },
      },
      () => {
        isSecure = true
        if (socket.isSessionReused()) resumed++
        socket.end()
      },
    )
    socket.on('session', (ticket: Buffer) => {
      given = ticket
    })
    socket.on('error', reject)
    socket.once('close', () =>
      isSecure ? resolve(given) : reject(new Error('the server closed within the handshake')),
    )
    socket.resume()
  })

async function worker(): Promise<void> {
  // What it resumes; its own handshake is not counted.
  const session = kind === 'resumed' ? await shake(undefined) : undefined
  while (performance.now() < over) {
    await shake(session)
    handshakes++
  }
}

const began = performance.now()
await Promise.all(Array.from({ length: Number(connections) }, worker)).catch((error: Error) => {
  failed = error.message
})
const took = (performance.now() - began) / 1_000
process.stdout.write(`${JSON.stringify({ handshakes, resumed, seconds: took, failed })}\n`)
process.exit(0)
