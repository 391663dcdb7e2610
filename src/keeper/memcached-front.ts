//! The configuration endpoint of a memcached cluster: answers `config get cluster` itself (the exact bytes of
//! spec/elasticache.md 3.3) and pipes everything else to one node. Stock memcached answers ERROR to `config`.
import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { joinSockets } from '../lib/forward.ts'
import type { EngineLink } from './engine.ts'
import { connectFirst, type Front, FrontListener } from './front.ts'
import { CommandReader } from './memcached-commands.ts'
import type { ServedCertificate } from './transit.ts'

/** Key under which clients of engines before 1.4.14, and the Java client as a fallback, look for the same payload. */
const FALLBACK_KEY = 'AmazonElastiCache:cluster'
/** It can be evicted like any other key, so it is written again after this many calls of `publish`. */
const PUBLISH_AGAIN_EVERY = 50

export interface Membership {
  readonly version: number
  /** Addresses in order. */
  readonly members: readonly string[]
  /** Those of them whose engine answers now: they are tried first. */
  readonly answering: readonly string[]
}

export interface MembershipFront extends Front {
  /** Keeps the fallback key in the nodes. */
  publish(links: readonly EngineLink[]): Promise<void>
  /** Answers to `config get cluster` so far. */
  configReads(): number
}

/** `<version>\n<host>|<ip>|<port> ...\n`: the address stands in both fields, for clients resolve the first. */
export function membershipPayload(membership: Pick<Membership, 'version' | 'members'>, port: number): string {
  const nodes = membership.members.map((address) => `${address}|${address}|${port}`)
  return `${membership.version}\n${nodes.join(' ')}\n`
}

/** The answer to `config get cluster`; the length does not count the last line break. */
export function configAnswer(payload: string): string {
  return `CONFIG cluster 0 ${Buffer.byteLength(payload)}\r\n${payload}\r\nEND\r\n`
}

/** With a certificate it takes TLS alone, and speaks TLS to nodes that show one of `pins`. */
export interface MembershipTls {
  readonly certificate: () => ServedCertificate | null
  readonly pins: () => readonly string[]
}

export function membershipFront(
  address: string,
  port: number,
  now: () => Membership,
  tls: MembershipTls,
): MembershipFront {
  let turn = 0
  let configReads = 0
  const serve = (client: Socket): void => {
    const { members, answering } = now()
    const first = turn++
    const round = members.map((_, at) => members[(first + at) % members.length]!)
    // A frozen node takes connections and never answers: only when nobody else is there.
    const order = [
      ...round.filter((one) => answering.includes(one)),
      ...round.filter((one) => !answering.includes(one)),
    ]
    client.pause()
    client.on('error', () => client.destroy())
    const secure = tls.certificate() === null ? null : { pins: tls.pins() }
    const lead = (backend: Socket | null): void => {
      if (backend === null || client.destroyed) {
        backend?.destroy()
        client.destroy()
        return
      }
      serveClient(client, backend, (line) => {
        if (line !== 'config get cluster') return 'ERROR\r\n'
        configReads++
        return configAnswer(membershipPayload(now(), port))
      })
      client.resume()
    }
    connectFirst(order, port, lead, secure)
  }
  const listener = new FrontListener(address, port, serve, tls.certificate)
  const published = new Map<EngineLink, { payload: string; age: number }>()
  return {
    open: () => listener.open(),
    close: () => listener.close(),
    configReads: () => configReads,
    async publish(links) {
      const payload = membershipPayload(now(), port)
      for (const known of published.keys()) if (!links.includes(known)) published.delete(known)
      for (const link of links) {
        const last = published.get(link)
        if (last !== undefined && last.payload === payload && ++last.age < PUBLISH_AGAIN_EVERY) continue
        published.set(link, { payload, age: 0 })
        await link.store(FALLBACK_KEY, payload).catch(() => published.delete(link))
      }
    },
  }
}

/**
 * Passes bytes both ways, but takes `config` lines out of the client's stream. Answers must keep their order, so a
 * `config` line first sends a fence through the node (`md` of a random key, which no value can hold) and answers when that is back.
 */
function serveClient(client: Socket, backend: Socket, answer: (line: string) => string): void {
  const reader = new CommandReader()
  /** Answers owed at the place of each fence, oldest first. */
  const fences: { readonly mark: Buffer; readonly reply: string }[] = []
  let held = Buffer.alloc(0)
  const clientData = (chunk: Buffer): void => {
    for (const part of reader.read(chunk)) {
      if (part.kind === 'bytes') {
        if (!backend.write(part.bytes)) client.pause()
        continue
      }
      const key = randomBytes(12).toString('hex')
      backend.write(`md ${key} k\r\n`)
      fences.push({ mark: Buffer.from(`NF k${key}\r\n`), reply: answer(part.line) })
    }
    if (reader.isTooLong) client.destroy()
  }
  const backendData = (chunk: Buffer): void => {
    if (fences.length === 0) {
      if (!client.write(chunk)) backend.pause()
      return
    }
    held = Buffer.concat([held, chunk])
    for (let fence = fences[0]; fence !== undefined; fence = fences[0]) {
      const at = held.indexOf(fence.mark)
      if (at < 0) {
        // All but the possible beginning of the mark can go.
        const safe = Math.max(0, held.length - fence.mark.length + 1)
        if (safe > 0 && !client.write(held.subarray(0, safe))) backend.pause()
        held = held.subarray(safe)
        return
      }
      client.write(held.subarray(0, at))
      client.write(fence.reply)
      held = held.subarray(at + fence.mark.length)
      fences.shift()
    }
    if (held.length > 0) client.write(held)
    held = Buffer.alloc(0)
  }
  joinSockets(client, backend, { aToB: clientData, bToA: backendData })
}
