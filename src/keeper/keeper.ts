//! The keeper of a host: a process of its own that owns engines and edge workers, and serves control on a Unix socket.
//! It keeps the newest wish in its ledger and goes on with it when control is away, and after its own death.
import { mkdirSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { tryMachineLock } from '../lib/machine-lock.ts'
import { Addresses } from './addresses.ts'
import { HostKeeper } from './host-keeper.ts'
import type { Keeper, KeeperOptions } from './keeper-options.ts'
import { KnownBinaries } from './known-binaries.ts'
import { Ledger } from './ledger.ts'
import { claimNetwork } from './network.ts'

/**
 * Starts the keeper of `home`: adopts what runs, starts again what died, and listens for control.
 * @throws when another keeper has this home, the ledger cannot be written, or no network is free.
 */
export async function startKeeper(given: KeeperOptions): Promise<Keeper> {
  mkdirSync(given.home, { recursive: true, mode: 0o700 })
  const options = { ...given, home: realpathSync(given.home) }
  const lock = await tryMachineLock(`keeper:${options.home}`)
  if (lock === null) throw new Error(`a keeper runs in ${options.home} already`)
  try {
    const ledger = new Ledger(join(options.home, 'keeper.db'))
    const network = await claimNetwork({
      home: options.home,
      remembered: ledger.fact<number>('network'),
      demanded: options.nodeNetwork,
      ...(options.claimsDir === undefined ? {} : { claimsDir: options.claimsDir }),
    })
    ledger.setFact('network', network)
    const binaries = await KnownBinaries.find(options.searchPath)
    const keeper = new HostKeeper(options, ledger, new Addresses(ledger, network), binaries, lock.release)
    await keeper.open()
    return keeper
  } catch (error) {
    await lock.release()
    throw error
  }
}
