//! THE TABLE: the steps of a viewer request in reading order. Which way a request takes is what each stage returns;
//! docs/request-flow.md is printed from here. A stage whose feature does not exist yet is not in the table.
import { linkTable, type Sound, walk } from '../lib/pipeline.ts'
import type { Edge } from './edge.ts'
import type { Exchange } from './exchange.ts'
import { type Step, to } from './stage.ts'
import { accessGeo } from './stages/access-geo.ts'
import { accessSigned } from './stages/access-signed.ts'
import { accessWaf } from './stages/access-waf.ts'
import { acmeChallenge } from './stages/acme-challenge.ts'
import { admitMiss } from './stages/admit-miss.ts'
import { cacheKey } from './stages/cache-key.ts'
import { cacheLookup } from './stages/cache-lookup.ts'
import { cacheStore } from './stages/cache-store.ts'
import { cacheWait } from './stages/cache-wait.ts'
import { chooseStagingStage } from './stages/choose-staging.ts'
import { chooseVariant } from './stages/choose-variant.ts'
import { customError } from './stages/custom-error.ts'
import { deliver } from './stages/deliver.ts'
import { deliverPart } from './stages/deliver-part.ts'
import { deliverSlices } from './stages/deliver-slices.ts'
import { diskLookup } from './stages/disk-lookup.ts'
import { encryptFields } from './stages/encrypt-fields.ts'
import { errorPage } from './stages/error-page.ts'
import { matchBehavior } from './stages/match-behavior.ts'
import { matchDistribution } from './stages/match-distribution.ts'
import { method } from './stages/method.ts'
import { originFetch } from './stages/origin-fetch.ts'
import { originRequest } from './stages/origin-request.ts'
import { originResponse } from './stages/origin-response.ts'
import { ownerLookup } from './stages/owner-lookup.ts'
import { purge } from './stages/purge.ts'
import { receive } from './stages/receive.ts'
import { record } from './stages/record.ts'
import { regionalLookup } from './stages/regional-lookup.ts'
import { rootObject } from './stages/root-object.ts'
import { serveStale } from './stages/serve-stale.ts'
import { shieldLookup } from './stages/shield-lookup.ts'
import { sliceResponse } from './stages/slice-response.ts'
import { tunnel } from './stages/tunnel.ts'
import { viewerProtocol } from './stages/viewer-protocol.ts'
import { wafPuzzle } from './stages/waf-puzzle.ts'

export const PIPELINE = [
  receive,
  acmeChallenge,
  matchDistribution,
  chooseStagingStage,
  accessWaf,
  wafPuzzle,
  accessGeo,
  rootObject,
  matchBehavior,
  viewerProtocol,
  method,
  accessSigned,
  cacheKey,
  cacheLookup,
  chooseVariant,
  diskLookup,
  cacheWait,
  admitMiss,
  ownerLookup,
  regionalLookup,
  shieldLookup,
  encryptFields,
  originRequest,
  originFetch,
  tunnel,
  originResponse,
  sliceResponse,
  purge,
  serveStale,
  cacheStore,
  deliver,
  deliverSlices,
  deliverPart,
  customError,
  errorPage,
  record,
] as const

/** Fails to compile when a stage names a step that is not in the table, or when a stage cannot be reached. */
const SOUND: Sound<typeof PIPELINE, 'receive'> = true

const TABLE = linkTable<Exchange, Edge>(SOUND ? PIPELINE : [])

/** Walks a request through the table; synchronous when nothing had to be waited for. */
export const runPipeline = (x: Exchange, edge: Edge): void | Promise<void> => walk(TABLE, to.receive, x, edge)

/** The same from a step in the middle, for what the edge asks of itself. */
export const runPipelineFrom = (step: Step, x: Exchange, edge: Edge): void | Promise<void> => walk(TABLE, step, x, edge)
