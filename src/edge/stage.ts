//! The steps of a viewer request by name, and the shape of a stage bound to the edge.
import { stageOf } from '../lib/pipeline.ts'
import type { Edge } from './edge.ts'
import type { Exchange } from './exchange.ts'

/** `return to.deliver` keeps its literal type even in an async stage. */
export const to = {
  receive: 'receive',
  acmeChallenge: 'acme-challenge',
  matchDistribution: 'match-distribution',
  chooseStaging: 'choose-staging',
  accessWaf: 'access-waf',
  wafPuzzle: 'waf-puzzle',
  accessGeo: 'access-geo',
  rootObject: 'root-object',
  matchBehavior: 'match-behavior',
  viewerProtocol: 'viewer-protocol',
  method: 'method',
  accessSigned: 'access-signed',
  cacheKey: 'cache-key',
  cacheLookup: 'cache-lookup',
  chooseVariant: 'choose-variant',
  diskLookup: 'disk-lookup',
  cacheWait: 'cache-wait',
  admitMiss: 'admit-miss',
  ownerLookup: 'owner-lookup',
  regionalLookup: 'regional-lookup',
  shieldLookup: 'shield-lookup',
  encryptFields: 'encrypt-fields',
  originRequest: 'origin-request',
  originFetch: 'origin-fetch',
  tunnel: 'tunnel',
  originResponse: 'origin-response',
  sliceResponse: 'slice-response',
  purge: 'purge',
  serveStale: 'serve-stale',
  cacheStore: 'cache-store',
  deliver: 'deliver',
  deliverSlices: 'deliver-slices',
  deliverPart: 'deliver-part',
  customError: 'custom-error',
  errorPage: 'error-page',
  record: 'record',
  done: 'done',
} as const
export type Step = (typeof to)[keyof typeof to]

export const stage = stageOf<Exchange, Edge, Step>()
