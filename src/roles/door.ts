//! Who may call the API of this installation: its keys, whether they are required, and where changes are written down.
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { keysNeeded } from '../api/keys-needed.ts'
import type { KeyPair } from '../aws/sigv4.ts'
import type { Config, HomePaths } from '../config.ts'
import { ConfigError } from '../config-values.ts'
import type { IamWish } from '../keeper/protocol.ts'
import type { Clock } from '../lib/clock.ts'
import { keyId } from '../lib/ids.ts'
import { isLoopback } from '../lib/loopback.ts'
import { AuditLog } from '../observe/audit-log.ts'
import { AccessKeys, CONFIGURED, isAdmin } from '../services/cachefront/access-keys.ts'
import { DoorMetrics } from '../services/cachefront/door-metrics.ts'
import { type FixedKey, KeyRing } from '../services/cachefront/key-ring.ts'
import { keyRoutes } from '../services/cachefront/key-routes.ts'
import type { LocalRoute } from '../services/cachefront/local-route.ts'
import { openSqliteState } from '../state/sqlite.ts'
import type { State } from '../state/state.ts'

export interface Door {
  readonly keys: KeyRing
  readonly requireKeys: boolean
  readonly audit: AuditLog
  readonly metrics: DoorMetrics
  readonly routes: readonly LocalRoute[]
  /** What this program signs its own calls with where keys are required; null where any will do. */
  readonly ownKeys: KeyPair | null
  /** How tokens of IAM users of caches are verified. */
  readonly iam: IamWish
  /** Before the state closes. */
  close(): Promise<void>
}

const keysRequired = ({ requireKeys, apiListen }: Config): boolean => requireKeys || !isLoopback(apiListen.host)

/**
 * Before anything is started: whether somebody may call, where keys are required. The home is locked.
 * @throws ConfigError
 */
export async function checkKeys(config: Config, paths: HomePaths, clock: Clock): Promise<void> {
  if (!keysRequired(config) || config.credentials !== null) return
  if (!existsSync(paths.state) || !(await hasStoredAdmin(paths.state, clock))) {
    throw new ConfigError(keysNeeded(config.requireKeys ? null : config.apiListen.host))
  }
}

async function hasStoredAdmin(file: string, clock: Clock): Promise<boolean> {
  const state = await openSqliteState(file, clock)
  try {
    return (await state.list('access-key')).some(({ doc }) => isAdmin(doc, clock.wall()))
  } finally {
    await state.close()
  }
}

export interface DoorOptions {
  readonly config: Config
  readonly paths: HomePaths
  readonly state: State
  readonly clock: Clock
  /** One line for the operator. */
  readonly log: (line: string) => void
}

export async function openDoor({ config, paths, state, clock, log }: DoorOptions): Promise<Door> {
  const { credentials, requireKeys, region } = config
  const required = keysRequired(config)
  const stored = new AccessKeys({
    state,
    clock,
    file: paths.accessKeys,
    adminMustStay: required && credentials === null,
  })
  // Made anew for each run, and known to nobody else.
  const ownKeys = required ? { accessKeyId: keyId(), secretAccessKey: randomBytes(30).toString('base64') } : null
  const fixed: FixedKey[] = []
  if (credentials !== null) fixed.push({ name: CONFIGURED, role: 'admin', ...credentials })
  if (ownKeys !== null) fixed.push({ name: 'cachefront', role: 'operator', ...ownKeys })
  const keys = new KeyRing({ fixed, stored: { state, keys: stored }, clock, problem: log })
  const audit = new AuditLog({ file: paths.auditLog, clock, problem: log })
  return {
    keys,
    requireKeys,
    audit,
    metrics: new DoorMetrics(),
    routes: keyRoutes(stored),
    ownKeys,
    iam: { keyPair: credentials, region, ...(required && credentials === null ? { nobody: true } : {}) },
    async close() {
      await keys.close()
      await audit.close()
    },
  }
}
