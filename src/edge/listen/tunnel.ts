//! A viewer connection after `101 Switching Protocols`: bytes go both ways between viewer and origin as they come, each
//! side at the pace of the other. Nothing of them is understood, so that extensions (permessage-deflate) are the two ends' own.
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'

/** Who ended it, or why it was ended. */
export type TunnelEnd = 'viewer' | 'origin' | 'viewer-broke' | 'origin-broke' | 'idle' | 'drain'

export interface TunnelHooks {
  /** Bytes came from the origin: the idle limit begins anew (spec/cloudfront.md 13.4). */
  alive(): void
  /** Bytes went to the viewer. */
  sent(bytes: number): void
}

export class Tunnel {
  /** Bytes that the viewer sent. */
  received = 0
  /** Resolves when both connections are closed. */
  readonly over: Promise<TunnelEnd>
  readonly #viewer: Socket
  readonly #origin: Duplex
  #end: TunnelEnd | null = null

  /** `early`: what the viewer sent behind its request. */
  constructor(viewer: Socket, origin: Duplex, early: Buffer | null, hooks: TunnelHooks) {
    this.#viewer = viewer
    this.#origin = origin
    // Each direction ends by itself: who has said all may still listen.
    origin.allowHalfOpen = true
    const toOrigin = (bytes: Buffer): void => {
      this.received += bytes.length
      if (!origin.write(bytes)) viewer.pause()
    }
    const toViewer = (bytes: Buffer): void => {
      hooks.alive()
      hooks.sent(bytes.length)
      if (!viewer.write(bytes)) origin.pause()
    }
    viewer.on('data', toOrigin)
    origin.on('data', toViewer)
    viewer.on('drain', () => origin.resume())
    origin.on('drain', () => viewer.resume())
    viewer.on('end', () => {
      this.#end ??= 'viewer'
      origin.end()
    })
    origin.on('end', () => {
      this.#end ??= 'origin'
      viewer.end()
    })
    viewer.on('error', () => {
      this.#end ??= 'viewer-broke'
    })
    origin.on('error', () => {
      this.#end ??= 'origin-broke'
    })
    this.over = new Promise((resolve) => {
      let open = 2
      const closed = (): void => {
        if (--open === 0) resolve(this.#end ?? 'viewer-broke')
      }
      viewer.once('close', () => {
        this.#end ??= 'viewer-broke'
        leave(origin, this.#end)
        closed()
      })
      origin.once('close', () => {
        this.#end ??= 'origin-broke'
        leave(viewer, this.#end)
        closed()
      })
      // It went while its last bytes were on the way to us.
      if (viewer.destroyed) viewer.emit('close', false)
    })
    if (early !== null) toOrigin(early)
    viewer.resume()
    origin.resume()
  }

  /** Ends both sides; what was there to be sent is sent. */
  end(why: 'idle' | 'drain'): void {
    this.#end ??= why
    this.#viewer.destroySoon()
    this.#origin.end()
  }
}

/** The other side has gone: what is on its way may still arrive, unless it broke off. */
function leave(socket: Duplex & { destroySoon?: () => void }, end: TunnelEnd): void {
  if (end.endsWith('-broke') || socket.destroySoon === undefined) socket.destroy()
  else socket.destroySoon()
}
