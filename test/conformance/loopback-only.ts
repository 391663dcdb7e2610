//! Loaded before the suite's own server, which gives `listen` no host and would listen on every address of the machine:
//! here it listens on loopback.
import { Server } from 'node:http'

const listen = Server.prototype.listen as (this: Server, port: number, host: string) => Server
Object.defineProperty(Server.prototype, 'listen', {
  value(this: Server, port: number | string) {
    return listen.call(this, Number(port), '127.0.0.1')
  },
})
