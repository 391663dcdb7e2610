//! Where an answer of an origin comes from: a server on the network, or something that this process serves itself. To those
//! who ask they are all the same.
import type { OriginRequest, OriginSink, SourceControl } from './attempts.ts'
import type { OriginFailure } from './failure.ts'
import type { Origins } from './pool.ts'
import { UnderWay } from './under-way.ts'

/** One kind of origin that is served in process. */
export interface OriginSource {
  /** Whether a request is for it; looked at on every miss. */
  serves(request: OriginRequest): boolean
  /** Sends the request; never throws. What the sink hears comes after `send` has returned. */
  send(request: OriginRequest, sink: OriginSink): SourceControl
}

export class OriginSources {
  readonly #network: Origins
  readonly #inProcess: readonly OriginSource[]
  /** Those of the network and those in process. */
  readonly underWay = new UnderWay()

  constructor(network: Origins, inProcess: readonly OriginSource[] = []) {
    this.#network = network
    this.#inProcess = inProcess
  }

  /** Sends the request; never throws. */
  send(request: OriginRequest, sink: OriginSink): SourceControl {
    if (request.refusal !== undefined) return refuse(request, request.refusal, sink)
    const watched = this.underWay.watch(request.origin.named, sink)
    watched.source = (this.#inProcess.find((source) => source.serves(request)) ?? this.#network).send(request, watched)
    return watched
  }

  close(): Promise<void> {
    return this.#network.close()
  }
}

function refuse({ body }: OriginRequest, refusal: OriginFailure, sink: OriginSink): SourceControl {
  body?.destroy()
  return new Refused(refusal, sink)
}

/** A request that cannot be made ends as one that failed. */
class Refused implements SourceControl {
  #wanted = true

  constructor(refusal: OriginFailure, sink: OriginSink) {
    queueMicrotask(() => {
      if (this.#wanted) sink.onFailure(refusal)
    })
  }

  pause(): void {}

  resume(): void {}

  abort(): void {
    this.#wanted = false
  }
}
