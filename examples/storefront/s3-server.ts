//! The bucket's server: s3rver, a real S3-compatible server, behind a door that lets nobody in who has not signed. s3rver
//! itself looks at a key's id and not at the signature; the door recomputes it (SigV4) from what came over the wire.
//!
//!   STOREFRONT_S3_DIRECTORY=DIR STOREFRONT_S3_PORT=4568 STOREFRONT_S3_ACCESS_KEY_ID=... STOREFRONT_S3_SECRET_ACCESS_KEY=... \
//!     node examples/storefront/s3-server.ts
//!
//! It stands for S3 on AWS: an application would not bring it. It ends with the program that started it.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import S3rver from 's3rver'
import { endWithParent, listen, needed } from './program.ts'
import { isSigned, isTimely, type S3Keys } from './s3-signature.ts'

const keys: S3Keys = {
  accessKeyId: needed('STOREFRONT_S3_ACCESS_KEY_ID'),
  secretAccessKey: needed('STOREFRONT_S3_SECRET_ACCESS_KEY'),
}
const s3rver = new S3rver({ directory: needed('STOREFRONT_S3_DIRECTORY'), silent: true, configureBuckets: [] })
const answer = s3rver.callback()

const server = createServer(async (request, response) => {
  if (!isTimely(request) || !(await isSigned(request, keys))) return refuse(request, response)
  // Behind the door everybody is known.
  delete request.headers.authorization
  answer(request, response)
})

function refuse(request: IncomingMessage, response: ServerResponse): void {
  const code = request.headers.authorization === undefined ? 'AccessDenied' : 'SignatureDoesNotMatch'
  const body = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>${code}</Message></Error>`
  response.writeHead(403, { 'Content-Type': 'application/xml', 'Content-Length': body.length, Connection: 'close' })
  response.end(body)
}

endWithParent(async () => {
  server.close()
  server.closeAllConnections()
})
// The address is part of the installation's settings: another port would be no use.
const port = await listen(server, Number(needed('STOREFRONT_S3_PORT')), { orAny: false })
process.send?.({ port })
