//! An API beyond loopback with keys in a state of its own, an audit log, and a clock that a test moves.
import { readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { ApiOptions } from '../../src/api/create-api.ts'
import type { Role } from '../../src/domain/access-keys.ts'
import { quotasWith } from '../../src/domain/quotas.ts'
import { type Clock, systemClock } from '../../src/lib/clock.ts'
import { AuditLog } from '../../src/observe/audit-log.ts'
import { AccessKeys } from '../../src/services/cachefront/access-keys.ts'
import { DoorMetrics } from '../../src/services/cachefront/door-metrics.ts'
import { KeyRing } from '../../src/services/cachefront/key-ring.ts'
import { keyRoutes } from '../../src/services/cachefront/key-routes.ts'
import { openSqliteState } from '../../src/state/sqlite.ts'
import type { State } from '../../src/state/state.ts'
import { CONTEXT, startApi, type TestApi } from './api-server.ts'

export interface AuditLine {
  readonly event: 'change' | 'denied' | 'outcome'
  readonly requestId: string
  readonly caller?: {
    readonly keyId: string | null
    readonly name: string
    readonly role: string
    readonly verified: boolean
  }
  readonly service?: string
  readonly operation?: string
  readonly resources: Readonly<Record<string, string>>
  readonly status?: number
  readonly code?: string | null
}

export interface TestDoor extends TestApi {
  readonly directory: string
  readonly state: State
  readonly keys: AccessKeys
  readonly metrics: DoorMetrics
  /** A key with this role. */
  keyOf(role: Role, name?: string): Promise<{ accessKeyId: string; secretAccessKey: string }>
  /** Lines of the audit log so far. */
  audited(): readonly AuditLine[]
  /** Moves the wall clock of the API. */
  forward(ms: number): void
  end(): Promise<void>
}

/** `near`: listens on loopback; otherwise on all interfaces, which makes every caller one from beyond. */
export async function startDoor({
  near = false,
  ...options
}: { near?: boolean } & Partial<ApiOptions> = {}): Promise<TestDoor> {
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-door-'))
  let ahead = 0
  const clock: Clock = { ...systemClock, wall: () => systemClock.wall() + ahead }
  const state = await openSqliteState(join(directory, 'state.db'), clock)
  const keys = new AccessKeys({ state, clock, file: join(directory, 'keys', 'access-keys.json'), adminMustStay: !near })
  // Whoever starts it has a key already.
  await keys.create({ name: 'first', role: 'admin' })
  const problem = () => {}
  const ring = new KeyRing({ fixed: [], stored: { state, keys }, clock, problem })
  const file = join(directory, 'audit.log')
  const audit = new AuditLog({ file, clock, problem })
  const metrics = new DoorMetrics()
  const server = await startApi({
    listen: { host: near ? '127.0.0.1' : '0.0.0.0', port: 0 },
    context: { ...CONTEXT, state, clock, quotas: quotasWith() },
    clock,
    keys: ring,
    audit,
    metrics,
    localRoutes: keyRoutes(keys),
    ...options,
  })
  return {
    ...server,
    url: `http://127.0.0.1:${server.port}`,
    directory,
    state,
    keys,
    metrics,
    async keyOf(role, name = role) {
      const { id, secretAccessKey } = await keys.create({ name, role })
      return { accessKeyId: id, secretAccessKey }
    },
    audited() {
      const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
      return lines.map((line) => JSON.parse(line) as AuditLine)
    },
    forward(ms) {
      ahead += ms
    },
    async end() {
      await server.api.close()
      await ring.close()
      await audit.close()
      await state.close()
      await rm(directory, { recursive: true, force: true })
    },
  }
}
