//! A process of its own that attacks a port of 127.0.0.1 from many addresses until it is ended: `slow-loris` keeps a
//! thousand connections on which a request never ends, and opens those anew that were cut; `connections` opens new ones
//! without end and says nothing on them.
//! Says `attacking` to who started it once it does so in full.
import { connect, type Socket } from 'node:net'
import { setPriority } from 'node:os'

const [kind, port] = [process.argv[2], Number(process.argv[3])]
/** Addresses that the attack comes from. */
const SOURCES = 250
const LORIS = 1_000
/** Connections a second that a slow-loris opens: faster it would be a flood, which is the other kind. */
const LORIS_RATE = 200
/** Connections a second. */
const FLOOD = 1_000
/** Milliseconds between two bytes of a request. */
const DRIP_MS = 500
const TURN_MS = 10

// What is measured is what the attack costs the edge, not that the attacker sits on the viewers' processors.
setPriority(19)

const open = new Set<Socket>()
let opened = 0

function attack(first: string): void {
  const at = opened++ % SOURCES
  const socket = connect({ port, host: '127.0.0.1', localAddress: `127.77.0.${at + 1}` })
  open.add(socket)
  socket.on('connect', () => {
    if (first !== '') socket.write(first)
  })
  socket.on('data', () => {})
  socket.on('error', () => {})
  socket.on('close', () => open.delete(socket))
}

let isTold = false
const tell = (): void => {
  if (!isTold) process.send?.('attacking')
  isTold = true
}

if (kind === 'slow-loris') {
  setInterval(() => {
    for (let n = 0; n < (LORIS_RATE * TURN_MS) / 1_000 && open.size < LORIS; n++) attack('GET / HTTP/1.1\r\nHost: ')
    if (opened >= LORIS) tell()
  }, TURN_MS)
  setInterval(() => {
    for (const socket of open) if (socket.writable) socket.write('x')
  }, DRIP_MS)
} else {
  setInterval(() => {
    for (let n = 0; n < (FLOOD * TURN_MS) / 1_000; n++) attack('')
    if (opened >= FLOOD * 3) tell()
  }, TURN_MS)
}
