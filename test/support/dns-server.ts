//! A real name server on loopback whose answers a test changes while it runs, and a way to resolve by it.
import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import * as packet from 'dns-packet'
import type { Lookup } from '../../src/edge/origin/resolve.ts'

/** What it says of a name: addresses of both families, or what goes wrong. */
export type NameAnswer = readonly string[] | 'NXDOMAIN' | 'SERVFAIL' | 'silent'

export interface DnsServer {
  /** By name; any other is NXDOMAIN. */
  readonly names: Map<string, NameAnswer>
  /** Names of the questions so far. */
  readonly asked: string[]
  readonly lookup: Lookup
  close(): Promise<void>
}

const RCODES = { NXDOMAIN: 3, SERVFAIL: 2 } as const
/** Milliseconds until a resolver gives up on a silent server. */
const TIMEOUT_MS = 300

export async function startDns(): Promise<DnsServer> {
  const names = new Map<string, NameAnswer>()
  const asked: string[] = []
  const socket = createSocket('udp4')
  socket.on('message', (message, from) => {
    const { id, questions = [] } = packet.decode(message)
    const [question] = questions
    if (question === undefined) return
    asked.push(question.name)
    const said = names.get(question.name) ?? 'NXDOMAIN'
    if (said === 'silent') return
    const family = question.type === 'AAAA' ? 6 : 4
    const addresses = typeof said === 'string' ? [] : said.filter((address) => isIP(address) === family)
    const answer = packet.encode({
      type: 'response',
      id,
      flags: packet.RECURSION_DESIRED | packet.RECURSION_AVAILABLE | (typeof said === 'string' ? RCODES[said] : 0),
      questions,
      answers: addresses.map((data) => ({ name: question.name, type: family === 6 ? 'AAAA' : 'A', ttl: 0, data })),
    })
    socket.send(answer, from.port, from.address)
  })
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: 1 })
  resolver.setServers([`127.0.0.1:${socket.address().port}`])
  return {
    names,
    asked,
    async lookup(hostname, family) {
      const families = family === 0 ? ([4, 6] as const) : [family]
      const found = await Promise.allSettled(
        families.map((one) => (one === 4 ? resolver.resolve4(hostname) : resolver.resolve6(hostname))),
      )
      const addresses = found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
      const failed = found.find((one) => one.status === 'rejected')
      if (addresses.length === 0 && failed !== undefined) throw failed.reason
      return addresses
    },
    close: () =>
      new Promise((resolve) => {
        resolver.cancel()
        socket.close(() => resolve())
      }),
  }
}
