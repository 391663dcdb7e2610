//! An origin that speaks gRPC: a real server of grpc-js with one method of each kind, and the client of the same service.
//! Messages are bytes: no protoc, no .proto.
import type { EventEmitter } from 'node:events'
import {
  type CallOptions,
  type ClientOptions,
  type ClientReadableStream,
  type ClientWritableStream,
  credentials,
  Metadata,
  type MethodDefinition,
  makeGenericClientConstructor,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServerOptions,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type ServiceError,
  type StatusObject,
  type sendUnaryData,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js'
import type { ServerCertificate } from './certificates.ts'

const bytes = {
  requestSerialize: (message: Buffer) => message,
  requestDeserialize: (message: Buffer) => message,
  responseSerialize: (message: Buffer) => message,
  responseDeserialize: (message: Buffer) => message,
}
const method = (name: string, requestStream: boolean, responseStream: boolean): MethodDefinition<Buffer, Buffer> => ({
  path: `/test.Echo/${name}`,
  requestStream,
  responseStream,
  ...bytes,
})

export const ECHO = {
  /** The message, and metadata `x-sent` back as `x-seen` (initial) and `x-trailing` (trailing). */
  unary: method('Unary', false, false),
  /** `{"count": 3, "bytes": 10}`: so many messages of so many bytes. */
  download: method('Download', false, true),
  /** How many bytes came, as text. */
  upload: method('Upload', true, false),
  /** Each message at once. */
  chat: method('Chat', true, true),
  /** Fails with the code in the message. */
  fail: method('Fail', false, false),
  /** Answers one message, then never anything. */
  hang: method('Hang', false, true),
} satisfies ServiceDefinition

export interface GrpcOrigin {
  readonly port: number
  readonly server: Server
  /** Metadata of each call as it came, by its method. */
  readonly calls: { readonly path: string; readonly metadata: Metadata; readonly deadline: Date | number }[]
  /** Methods whose caller cancelled. */
  readonly cancelled: string[]
  /** Ends the connections at once. */
  kill(): void
}

export async function startGrpcOrigin(
  { cert, key }: ServerCertificate,
  { clientAuthority, port = 0, ...options }: ServerOptions & { clientAuthority?: string; port?: number } = {},
): Promise<GrpcOrigin> {
  const calls: { path: string; metadata: Metadata; deadline: Date | number }[] = []
  const cancelled: string[] = []
  const server = new Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1, ...options })
  server.addService(ECHO, service(calls, cancelled))
  const identity = ServerCredentials.createSsl(
    clientAuthority === undefined ? null : Buffer.from(clientAuthority),
    [{ cert_chain: Buffer.from(cert), private_key: Buffer.from(key) }],
    clientAuthority !== undefined,
  )
  const bound = await new Promise<number>((resolve, reject) => {
    server.bindAsync(`127.0.0.1:${port}`, identity, (error, number) => (error ? reject(error) : resolve(number)))
  })
  return { port: bound, server, calls, cancelled, kill: () => server.forceShutdown() }
}

interface AnyCall {
  readonly metadata: Metadata
  getPath(): string
  getDeadline(): Date | number
}

function service(calls: GrpcOrigin['calls'], cancelled: string[]): UntypedServiceImplementation {
  const note = (call: AnyCall): void => {
    calls.push({ path: call.getPath(), metadata: call.metadata, deadline: call.getDeadline() })
    const events = call as unknown as EventEmitter
    events.on('cancelled', () => cancelled.push(call.getPath())).on('error', () => {})
  }
  return {
    unary(call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) {
      note(call)
      const [initial, trailing] = [new Metadata(), new Metadata()]
      for (const value of call.metadata.get('x-sent')) {
        initial.add('x-seen', value)
        trailing.add('x-trailing', value)
      }
      call.sendMetadata(initial)
      answer(null, call.request, trailing)
    },
    download(call: ServerWritableStream<Buffer, Buffer>) {
      note(call)
      const { count, bytes: size } = JSON.parse(String(call.request)) as { count: number; bytes: number }
      let sent = 0
      const send = (): void => {
        while (sent < count) {
          sent++
          if (!call.write(Buffer.alloc(size, sent % 256))) {
            call.once('drain', send)
            return
          }
        }
        call.end()
      }
      send()
    },
    upload(call: ServerReadableStream<Buffer, Buffer>, answer: sendUnaryData<Buffer>) {
      note(call)
      let total = 0
      call.on('data', (message: Buffer) => {
        total += message.length
      })
      call.on('end', () => answer(null, Buffer.from(`${total}`)))
    },
    chat(call: ServerDuplexStream<Buffer, Buffer>) {
      note(call)
      call.on('data', (message: Buffer) => call.write(message))
      call.on('end', () => call.end())
    },
    fail(call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) {
      note(call)
      const code = Number(String(call.request))
      const metadata = new Metadata()
      metadata.set('x-why', 'asked for')
      answer({ code, details: `failed: ${status[code]} – ä`, metadata })
    },
    hang(call: ServerWritableStream<Buffer, Buffer>) {
      note(call)
      call.write(call.request)
    },
  }
}

const Client = makeGenericClientConstructor(ECHO, 'Echo')

/** How a call ended, and what came with it. */
export interface Called {
  readonly code: status
  readonly details: string
  readonly messages: Buffer[]
  readonly initial: Metadata | null
  readonly trailing: Metadata | null
}

/** A client of grpc-js at an address, which takes it for `host`. */
export class EchoCaller {
  readonly #client: InstanceType<typeof Client>

  constructor(address: string, host: string, trust: string, options: ClientOptions = {}) {
    this.#client = new Client(address, credentials.createSsl(Buffer.from(trust)), {
      'grpc.ssl_target_name_override': host,
      'grpc.default_authority': host,
      'grpc.max_receive_message_length': -1,
      'grpc.max_send_message_length': -1,
      // A connection of its own, and no second attempt behind our back.
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_retries': 0,
      ...options,
    })
  }

  close(): void {
    this.#client.close()
  }

  unary(
    name: 'unary' | 'fail',
    message: Buffer | string,
    metadata = new Metadata(),
    options: CallOptions = {},
  ): Promise<Called> {
    const { path, ...how } = ECHO[name]
    return new Promise((resolve) => {
      let initial: Metadata | null = null
      let end: StatusObject | null = null
      const messages: Buffer[] = []
      const call = this.#client.makeUnaryRequest(
        path,
        how.requestSerialize,
        how.responseDeserialize,
        Buffer.from(message),
        metadata,
        options,
        (_error: ServiceError | null, answer?: Buffer) => {
          if (answer !== undefined) messages.push(answer)
          if (end !== null) resolve(called(end, messages, initial))
        },
      )
      call.on('metadata', (heard: Metadata) => {
        initial = heard
      })
      call.on('status', (heard: StatusObject) => {
        end = heard
        // The callback comes before it or after it.
        setImmediate(() => resolve(called(heard, messages, initial)))
      })
    })
  }

  download(name: 'download' | 'hang', message: Buffer | string, options: CallOptions = {}) {
    const { path, ...how } = ECHO[name]
    return heard(
      this.#client.makeServerStreamRequest(
        path,
        how.requestSerialize,
        how.responseDeserialize,
        Buffer.from(message),
        options,
      ),
    )
  }

  upload(options: CallOptions = {}): { call: ClientWritableStream<Buffer>; answer: Promise<Buffer> } {
    const { path, ...how } = ECHO.upload
    const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
    const call = this.#client.makeClientStreamRequest(
      path,
      how.requestSerialize,
      how.responseDeserialize,
      options,
      (error: ServiceError | null, answer?: Buffer) => (error === null ? resolve(answer as Buffer) : reject(error)),
    )
    return { call, answer: promise }
  }

  chat(options: CallOptions = {}) {
    const { path, ...how } = ECHO.chat
    return heard(this.#client.makeBidiStreamRequest(path, how.requestSerialize, how.responseDeserialize, options))
  }
}

const called = ({ code, details, metadata }: StatusObject, messages: Buffer[], initial: Metadata | null): Called => ({
  code,
  details,
  messages,
  initial,
  trailing: metadata,
})

/** A call with a stream of answers, and how it ends. */
function heard<C extends ClientReadableStream<Buffer>>(call: C): { call: C; messages: Buffer[]; end: Promise<Called> } {
  const messages: Buffer[] = []
  let initial: Metadata | null = null
  call.on('data', (message: Buffer) => messages.push(message))
  call.on('metadata', (metadata: Metadata) => {
    initial = metadata
  })
  call.on('error', () => {})
  const end = new Promise<Called>((resolve) => {
    call.on('status', (heard: StatusObject) => resolve(called(heard, messages, initial)))
  })
  return { call, messages, end }
}
