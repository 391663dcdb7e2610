//! The HTTP server of the API: one call a request, walked through the pipeline, answered whatever happens.
import { randomUUID } from 'node:crypto'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { WireRequest } from '../aws/protocol.ts'
import { commonFault } from '../domain/faults.ts'
import { nodeHttp } from '../lib/node-http.ts'
import { walk } from '../lib/pipeline.ts'
import { StateError } from '../state/state-error.ts'
import type { Call } from './call.ts'
import type { ApiEnvironment } from './environment.ts'
import { API_TABLE, FIRST_STEP } from './pipeline.ts'

/** A client that has not sent its whole head by then is cut off. */
const HEADERS_TIMEOUT_MS = 10_000
/** The same for head and body together. */
const REQUEST_TIMEOUT_MS = 60_000
/** An idle connection is kept this long; longer than the SDKs keep theirs would be wasted. */
const KEEP_ALIVE_MS = 60_000
const HEAD_BYTES_MAX = 32 * 1024
/** Clients at a time; each may hold a body of `BODY_BYTES_MAX` (stages/receive.ts) in memory. */
const CONNECTIONS_MAX = 256

export function createApiServer(api: ApiEnvironment): Server {
  const server = nodeHttp().createServer({
    headersTimeout: HEADERS_TIMEOUT_MS,
    requestTimeout: REQUEST_TIMEOUT_MS,
    keepAliveTimeout: KEEP_ALIVE_MS,
    maxHeaderSize: HEAD_BYTES_MAX,
  })
  server.maxConnections = CONNECTIONS_MAX
  server.on('request', (message, response) => {
    void answer(message, response, api)
  })
  return server
}

async function answer(message: IncomingMessage, response: ServerResponse, api: ApiEnvironment): Promise<void> {
  const call = newCall(message, api)
  try {
    await walk(API_TABLE, FIRST_STEP, call, api)
  } catch (error) {
    // The client went away while it was sending: nobody is left to answer.
    if (message.destroyed && !message.complete) return
    await answerDefect(call, api, error)
  }
  if (call.answer === null || response.destroyed) return
  const { status, headers, body } = call.answer
  // A body that was not read to its end would be taken for the next request.
  const close = message.complete ? {} : { Connection: 'close' }
  if (call.stream !== null) {
    response.writeHead(status, { ...headers, ...close })
    await sendStream(call.stream, message.method === 'HEAD', response, api)
    return
  }
  // RFC 9110 section 8.6: no Content-Length in a 204.
  const length = status === 204 ? {} : { 'Content-Length': Buffer.byteLength(body) }
  response.writeHead(status, { ...headers, ...length, ...close })
  response.end(body)
}

/** Sends the pieces at the client's pace. What fails after the head was sent can only be told by a broken answer. */
async function sendStream(
  pieces: AsyncIterable<string | Uint8Array>,
  headOnly: boolean,
  response: ServerResponse,
  api: ApiEnvironment,
): Promise<void> {
  try {
    if (headOnly) response.end()
    else await pipeline(Readable.from(pieces, { objectMode: true, highWaterMark: 1 }), response)
  } catch (error) {
    if (response.destroyed && (error as NodeJS.ErrnoException).code === 'ERR_STREAM_PREMATURE_CLOSE') return
    const time = new Date(api.clock.wall()).toISOString()
    api.log(
      JSON.stringify({
        time,
        event: 'api-stream-broken',
        detail: error instanceof Error ? error.message : String(error),
      }),
    )
    response.destroy()
  }
}

/**
 * A defect of ours: the detail goes to the log, the caller gets the request id to find it by. A state that cannot be
 * used (a full disk) is none: the caller is told, as the log may be on the same disk.
 */
async function answerDefect(call: Call, api: ApiEnvironment, error: unknown): Promise<void> {
  const detail = error instanceof Error ? (error.stack ?? error.message) : String(error)
  const time = new Date(api.clock.wall()).toISOString()
  api.log(JSON.stringify({ time, event: 'api-defect', requestId: call.requestId, detail }))
  call.output = undefined
  const message =
    error instanceof StateError
      ? error.message
      : `An internal error; the log has it under request id ${call.requestId}.`
  call.fault = commonFault('InternalFailure', message)
  await walk(API_TABLE, 'encode', call, api)
}

function newCall(message: IncomingMessage, api: ApiEnvironment): Call {
  const request = requestOf(message)
  return {
    watcher: null,
    message,
    requestId: randomUUID(),
    startedAt: api.clock.monotonic(),
    peer: message.socket.remoteAddress ?? '',
    sent: request,
    request,
    service: null,
    target: null,
    authorization: null,
    caller: null,
    digest: null,
    denied: false,
    audited: false,
    isFirst: false,
    replayed: false,
    localBody: undefined,
    madeIds: {},
    input: {},
    output: undefined,
    fault: null,
    answer: null,
    stream: null,
  }
}

function requestOf(message: IncomingMessage): WireRequest {
  const url = message.url ?? '/'
  const question = url.indexOf('?')
  const headers = new Map<string, string>()
  for (const [name, values] of Object.entries(message.headersDistinct)) headers.set(name, (values ?? []).join(','))
  return {
    method: message.method ?? 'GET',
    rawPath: question < 0 ? url : url.slice(0, question),
    rawQuery: question < 0 ? '' : url.slice(question + 1),
    headers,
    body: new Uint8Array(),
  }
}
