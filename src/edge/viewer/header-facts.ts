//! A request as the table of generated headers takes it (domain/generated-headers.ts). What costs something is worked out
//! when a row asks for it.
import type { HeaderFacts } from '../../domain/generated-headers.ts'
import type { ViewerLocation } from '../../domain/viewer.ts'
import type { ErrorOf, HeaderBlock, ViewerTls } from '../listen/viewer.ts'
import { clientFacts } from './client-certificate.ts'
import { deviceOf } from './device.ts'
import { headerCount, headerOrder } from './header-order.ts'

export interface FactsRequest {
  readonly headers: HeaderBlock
  readonly httpVersion: string
  readonly scheme: 'http' | 'https'
  readonly errorOf?: ErrorOf | undefined
  readonly viewerAddress: string
  readonly viewerPort: number
  readonly location: ViewerLocation
  readonly tls: ViewerTls | null
  /** False for the first request of a connection. */
  readonly reused: boolean
}

export function headerFacts(request: FactsRequest): HeaderFacts {
  const { headers, scheme, httpVersion, location } = request
  return {
    scheme,
    httpVersion,
    address: request.viewerAddress,
    port: request.viewerPort,
    location,
    errorOf: request.errorOf ?? null,
    get tls() {
      return tlsText(request)
    },
    get headerOrder() {
      return headerOrder(headers)
    },
    get headerCount() {
      return headerCount(headerOrder(headers))
    },
    get client() {
      return clientFacts(request.tls?.client ?? null)
    },
    get device() {
      return deviceOf(headers)
    },
  }
}

function tlsText({ tls, reused }: FactsRequest): string {
  if (tls === null) return ''
  const handshake = reused ? 'connectionReused' : tls.resumed ? 'sessionResumed' : 'fullHandshake'
  return `${tls.protocol}:${tls.cipher}:${handshake}`
}
