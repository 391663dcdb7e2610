//! What control needs for snapshots, put together: the vault below the home, the places outside, what carries data
//! between the two, and the task.
import { resolve } from 'node:path'
import type { Config } from '../config.ts'
import { showEndpoint } from '../config-values.ts'
import { Desk } from '../control/snapshot-desk.ts'
import { Stores } from '../control/stores/stores.ts'
import { SNAPSHOT_KINDS, type SnapshotsKeeper, snapshotsTask } from '../control/tasks/snapshots.ts'
import { Transfers } from '../control/transfers.ts'
import type { KeySettings } from '../keeper/snapshots/keys.ts'
import { Vault } from '../keeper/snapshots/vault.ts'
import type { Clock } from '../lib/clock.ts'
import { snapshotRoutes } from '../services/cachefront/snapshot-routes.ts'
import type { State } from '../state/state.ts'

/** `poke` runs the task soon. */
export async function openSnapshots(
  config: Config,
  state: State,
  keeper: SnapshotsKeeper,
  clock: Clock,
  poke: () => void,
) {
  const vault = new Vault(config.home)
  await vault.keys.configure(keySettings(config))
  const { endpoint, region, keys } = config.s3
  const stores = new Stores({
    s3: { endpoint: endpoint === null ? null : showEndpoint(endpoint), region, keys },
    folders: new Map(config.folders.map(({ name, directory }) => [name, directory])),
  })
  const transfers = new Transfers({ vault, stores, clock, onEnd: poke })
  const task = snapshotsTask({ state, keeper, clock, owner: config, transfers, vault })
  const desk = new Desk({ state, clock, owner: config, keeper, vault, transfers })
  return {
    keys: vault.keys,
    stores,
    routes: snapshotRoutes(desk),
    poked: { task, kinds: SNAPSHOT_KINDS },
    async close() {
      await desk.close()
      await transfers.close()
    },
  }
}

/** What the keeper reads as well: it may run since before these were given. */
function keySettings({ encryption, region, accountId }: Config): KeySettings {
  const { keyFile, kmsEndpoint, kmsKeyId, kmsKeys } = encryption
  const kms =
    kmsKeys === null
      ? null
      : { endpoint: kmsEndpoint === null ? null : showEndpoint(kmsEndpoint), region, keyId: kmsKeyId, ...kmsKeys }
  return { keyFile: keyFile === null ? null : resolve(keyFile), region, accountId, kms }
}
