//! `cachefront keys`: access keys of the API. Through the running installation, or, while none runs, on the home itself
//! under the lock that control would hold: the state has one writer, and the first key is there before the first start.
import { dirname } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Command, Option } from 'commander'
import { ROLES } from '../../domain/access-keys.ts'
import { Fault } from '../../domain/faults.ts'
import { KeyError } from '../../keeper/snapshots/key-file.ts'
import { systemClock } from '../../lib/clock.ts'
import { uuid } from '../../lib/ids.ts'
import type { MachineLock } from '../../lib/machine-lock.ts'
import { makePrivateDirectory } from '../../lib/private-directory.ts'
import { AuditLog } from '../../observe/audit-log.ts'
import { type AccessKeySeen, AccessKeys, CONFIGURED, type NewSecret } from '../../services/cachefront/access-keys.ts'
import { openSqliteState } from '../../state/sqlite.ts'
import { StateError } from '../../state/state-error.ts'
import { parseDuration } from '../duration.ts'
import { CliError, type CliHost } from '../host.ts'
import { type ClientOptions, controlLock, readInstallationFile } from '../installation-file.ts'
import { findApi, localDocument } from '../local-call.ts'
import { drawTable } from '../table.ts'

/** How long another command, or a start, may hold the lock, and between two looks. Milliseconds. */
const LOCK_MS = 10_000
const LOOK_MS = 50

/** The same through the API and on the home. */
interface Desk {
  create(name: string, role: string, expiresInMs: number | undefined): Promise<NewSecret>
  list(): Promise<readonly AccessKeySeen[]>
  rotate(key: string, overlapMs: number | undefined): Promise<NewSecret>
  revoke(key: string): Promise<AccessKeySeen>
}

export function keysCommand(host: CliHost, done: (code: number) => void): Command {
  /** Runs `act` and prints its words, or its document with --json. */
  const run = async <T>(options: ClientOptions, act: (desk: Desk) => Promise<T>, words: (made: T) => string) => {
    const made = await withDesk(host, options, act)
    host.out.print(options.json ? JSON.stringify(made, null, 2) : words(made))
    done(0)
  }
  const create = new Command('create')
    .requiredOption('--name <NAME>', 'whose it is, for people: no two keys have the same')
    .addOption(new Option('--role <ROLE>', 'what it may do').choices(ROLES).makeOptionMandatory())
    .option('--expires <DURATION>', 'how long it is good for, like 90d; for good without')
    .description('makes an access key; its secret is shown this once')
    .addHelpText('after', '\nExample:\n  cachefront keys create --name deploy --role invalidator --expires 90d')
    .action(({ name, role, expires, ...options }: { name: string; role: string; expires?: string } & ClientOptions) => {
      const expiresInMs = expires === undefined ? undefined : parseDuration(expires)
      return run(options, (desk) => desk.create(name, role, expiresInMs), drawSecret)
    })
  const list = new Command('list')
    .description('the keys, with their roles and when they were last used')
    .addHelpText('after', '\nExample:\n  cachefront keys list')
    .action((options: ClientOptions) => run(options, (desk) => desk.list(), drawKeys))
  const rotate = new Command('rotate')
    .argument('<KEY>', 'its id or its name')
    .option('--overlap <DURATION>', 'how long the secret before stays right, 0 for not at all; 24h without')
    .description('gives a key a new secret, shown this once')
    .addHelpText('after', '\nExample:\n  cachefront keys rotate deploy --overlap 1h')
    .action((key: string, { overlap, ...options }: { overlap?: string } & ClientOptions) => {
      const overlapMs = overlap === undefined ? undefined : overlap === '0' ? 0 : parseDuration(overlap)
      return run(options, (desk) => desk.rotate(key, overlapMs), drawSecret)
    })
  const revoke = new Command('revoke')
    .argument('<KEY>', 'its id or its name')
    .description('takes a key away: it opens nothing from now on')
    .addHelpText('after', '\nExample:\n  cachefront keys revoke deploy')
    .action((key: string, options: ClientOptions) =>
      run(
        options,
        (desk) => desk.revoke(key),
        ({ name, id }) => `${name} (${id}) is revoked.`,
      ),
    )
  const keys = new Command('keys').description('access keys of the API: create, list, rotate, revoke')
  return keys.addCommand(create).addCommand(list).addCommand(rotate).addCommand(revoke)
}

/** @throws CliError with what went wrong */
async function withDesk<T>(host: CliHost, options: ClientOptions, act: (desk: Desk) => Promise<T>): Promise<T> {
  const elsewhere = options.endpoint ?? host.endpoint
  const home = host.home(options.home)
  const files = host.files(home)
  const lock = elsewhere === undefined ? await lockUnlessRunning(home, files.installation) : null
  if (lock === null) return act(throughApi(host, options))
  try {
    const state = await openSqliteState(files.state, systemClock)
    try {
      // Nothing runs that could shut somebody out.
      const keys = new AccessKeys({ state, clock: systemClock, file: files.accessKeys, adminMustStay: false })
      return await act(onHome(keys, new AuditLog({ file: files.auditLog, clock: systemClock, problem: () => {} })))
    } finally {
      await state.close()
    }
  } catch (error) {
    const isForPeople = error instanceof Fault || error instanceof KeyError || error instanceof StateError
    throw isForPeople ? new CliError(error.message) : error
  } finally {
    await lock.release()
  }
}

/** Null while something runs on the home. Another command that holds the lock is waited for, as long as it may take. */
async function lockUnlessRunning(home: string, installation: string): Promise<MachineLock | null> {
  for (let waited = 0; ; waited += LOOK_MS) {
    const lock = await controlLock(home)
    if (lock !== null || readInstallationFile(installation) !== null || waited >= LOCK_MS) return lock
    await sleep(LOOK_MS)
  }
}

/** Each change stands in the audit log, as one by the API would. */
function onHome(keys: AccessKeys, audit: AuditLog): Desk {
  const caller = { keyId: null, name: CONFIGURED, role: 'admin', verified: false, address: 'home' }
  const audited = async <T extends AccessKeySeen>(
    operation: string,
    resources: Record<string, string>,
    run: () => Promise<T>,
  ): Promise<T> => {
    const requestId = uuid()
    await makePrivateDirectory(dirname(audit.file))
    await audit.change({ requestId, caller, service: 'cachefront', operation, resources })
    try {
      const made = await run()
      await audit.outcome({ requestId, status: 200, code: null, resources: { id: made.id } })
      return made
    } catch (error) {
      const { status = 500, code = 'InternalFailure' } = error instanceof Fault ? error : {}
      await audit.outcome({ requestId, status, code, resources: {} })
      throw error
    }
  }
  return {
    create: (name, role, expiresInMs) =>
      audited('POST /_cachefront/keys', { name, role }, () =>
        keys.create({ name, role, ...(expiresInMs === undefined ? {} : { expiresInMs }) }),
      ),
    list: () => keys.list(),
    rotate: (key, overlapMs) => audited('POST /_cachefront/keys/rotate', { key }, () => keys.rotate(key, overlapMs)),
    revoke: (key) => audited('POST /_cachefront/keys/revoke', { key }, () => keys.revoke(key)),
  }
}

function throughApi(host: CliHost, options: ClientOptions): Desk {
  const api = findApi(host, options)
  return {
    create: async (name, role, expiresInMs) =>
      (await localDocument(api, '/_cachefront/keys', { name, role, expiresInMs })) as NewSecret,
    list: async () =>
      ((await localDocument(api, '/_cachefront/keys')) as { readonly keys: readonly AccessKeySeen[] }).keys,
    rotate: async (key, overlapMs) =>
      (await localDocument(api, '/_cachefront/keys/rotate', { key, overlapMs })) as NewSecret,
    revoke: async (key) => (await localDocument(api, '/_cachefront/keys/revoke', { key })) as AccessKeySeen,
  }
}

function drawSecret({ id, secretAccessKey, name, role, expiresAt, overlapUntil }: NewSecret): string {
  return [
    `access key id      ${id}`,
    `secret access key  ${secretAccessKey}`,
    `name, role         ${name}, ${role}${expiresAt === null ? '' : `, until ${expiresAt}`}`,
    ...(overlapUntil === null ? [] : [`secret before      right until ${overlapUntil}`]),
    'The secret is not shown again.',
  ].join('\n')
}

function drawKeys(keys: readonly AccessKeySeen[]): string {
  if (keys.length === 0) return 'No keys yet: cachefront keys create --name NAME --role admin makes one.'
  return drawTable([
    ['NAME', 'ID', 'ROLE', 'CREATED', 'EXPIRES', 'LAST USED'],
    ...keys.map((key) => [
      ...[key.name, key.id, key.role, key.createdAt],
      ...[key.expiresAt ?? 'never', key.lastUsedAt ?? 'never'],
    ]),
  ])
}
