//! The program of the signer.
//!
//!   SIGNER_KEY_PAIR_ID=K2JCJMDEHXQW5F SIGNER_PRIVATE_KEY=private.pem node examples/signer/server.ts
//!
//! SIGNER_PORT chooses the port (on 127.0.0.1; a free one by default, and when the chosen one is taken), SIGNER_SECONDS how
//! long signed cookies are good (900 by default), SIGNER_IMAGES the paths of the members' images, separated by commas. The
//! first line on standard output is JSON: {"port": PORT}. Started with an IPC channel, it ends when the channel closes.
import { readFileSync } from 'node:fs'
import { endWithParent, listen, needed } from '../storefront/program.ts'
import { Accounts } from './accounts.ts'
import { createSigner } from './signer.ts'

/** Longer than the edge keeps an idle connection (5 s by default), so that the edge is the one that closes it. */
const KEEP_ALIVE_MS = 65_000
const COOKIE_SECONDS = 900

const accounts = new Accounts(Date.now)
await accounts.add('ada', 'analytical engine', ['/images/*'])
const signer = createSigner({
  key: {
    keyPairId: needed('SIGNER_KEY_PAIR_ID'),
    privateKey: readFileSync(needed('SIGNER_PRIVATE_KEY'), 'utf8'),
  },
  accounts,
  cookieSeconds: Number(process.env.SIGNER_SECONDS ?? COOKIE_SECONDS),
  images: (process.env.SIGNER_IMAGES ?? '').split(',').filter(Boolean),
  now: Date.now,
})
signer.keepAliveTimeout = KEEP_ALIVE_MS

endWithParent(async () => {
  signer.close()
  signer.closeAllConnections()
})

const port = await listen(signer, Number(process.env.SIGNER_PORT ?? 0), { orAny: true })
console.log(JSON.stringify({ port }))
process.send?.({ port })
