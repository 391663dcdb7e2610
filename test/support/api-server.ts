//! An API server on a port of its own, with the operations and routes that a test gives it.
import { type Api, type ApiOptions, createApi } from '../../src/api/create-api.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { CONFIGURED } from '../../src/services/cachefront/access-keys.ts'
import { KeyRing } from '../../src/services/cachefront/key-ring.ts'
import type { ServiceContext } from '../../src/services/service.ts'

export const KEY_PAIR = { accessKeyId: 'AKIDCACHEFRONT', secretAccessKey: 'a/secret+of=the test' }

/** One line of the call log. */
export interface LogLine {
  readonly event: string
  readonly requestId: string
  readonly service: string | null
  readonly operation: string | null
  readonly change: boolean
  readonly status: number
  readonly code: string | null
  readonly accessKeyId: string | null
  readonly verified: boolean
  readonly peer: string
  readonly detail?: string
}

export interface TestApi {
  readonly api: Api
  readonly url: string
  readonly port: number
  /** Lines of the call log so far. */
  readonly log: LogLine[]
  /** The same as text, to look for what must not be in it. */
  readonly rawLog: string[]
}

/** Operations of these tests use nothing of the context but the account. */
export const CONTEXT = { accountId: '123456789012', region: 'us-east-1' } as ServiceContext

export async function startApi(options: Partial<ApiOptions> = {}): Promise<TestApi> {
  const log: LogLine[] = []
  const rawLog: string[] = []
  const clock: Clock = options.clock ?? systemClock
  const api = await createApi({
    listen: { host: '127.0.0.1', port: 0 },
    services: { cloudfront: {}, elasticache: {} },
    context: CONTEXT,
    localRoutes: [],
    keys: new KeyRing({ fixed: [{ name: CONFIGURED, role: 'admin', ...KEY_PAIR }], clock, problem: () => {} }),
    wait: async () => {},
    allowedHosts: [],
    log(line) {
      rawLog.push(line)
      log.push(JSON.parse(line) as LogLine)
    },
    ...options,
    clock,
  })
  return { api, url: `http://127.0.0.1:${api.address.port}`, port: api.address.port, log, rawLog }
}

/** What an SDK client needs to talk to it. One attempt: a test wants the answer, not the second try. */
export function clientOptions(url: string, credentials = KEY_PAIR) {
  return { endpoint: url, region: 'us-east-1', credentials, maxAttempts: 1 }
}
