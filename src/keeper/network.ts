//! The 127.N.0.0/16 of an installation: the first free one from N = 16, never shared by two installations of a machine.
//! A claim is a small file that outlives its keeper, because engines do too; claims are changed under a machine lock.
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { machineLock } from '../lib/machine-lock.ts'
import { listeners } from './listeners.ts'

/** Where claims lie: one place for all users and installations, whatever their TMPDIR says. */
export const CLAIMS_DIR = '/tmp/cachefront-networks'
const FIRST = 16
const LAST = 254
const LOCK_TIMEOUT_MS = 10_000

export interface NetworkRequest {
  /** Home of the installation: owner of the claim. */
  readonly home: string
  /** Network that the ledger remembers; null on the first start. */
  readonly remembered: number | null
  /** Network that the operator demands (`CACHEFRONT_NODE_NETWORK`); null for the first free one. */
  readonly demanded: number | null
  readonly claimsDir?: string
}

/**
 * Claims a network and returns its N. The one that is remembered stays, unless another is demanded.
 * @throws when the demanded or remembered one belongs to another installation, or none is free.
 */
export async function claimNetwork(request: NetworkRequest): Promise<number> {
  const dir = request.claimsDir ?? CLAIMS_DIR
  const lock = await machineLock(`networks:${dir}`, LOCK_TIMEOUT_MS)
  try {
    if (!existsSync(dir)) {
      mkdirSync(dir, { recursive: true })
      // As /tmp itself: everyone may claim, nobody may take away another user's claim.
      chmodSync(dir, 0o1777)
    }
    const fixed = request.demanded ?? request.remembered
    if (fixed !== null) return claimOne(dir, fixed, request.home)
    return claimFirstFree(dir, request.home)
  } finally {
    await lock.release()
  }
}

/** Home of the installation that owns network `n`; null when it is free. A claim of a home that is gone is void. */
function ownerOf(dir: string, n: number): string | null {
  try {
    const { home } = JSON.parse(readFileSync(join(dir, `127.${n}`), 'utf8')) as { home: string }
    return existsSync(home) ? home : null
  } catch {
    return null
  }
}

function writeClaim(dir: string, n: number, home: string): number {
  const path = join(dir, `127.${n}`)
  rmSync(path, { force: true })
  writeFileSync(path, JSON.stringify({ home }), { mode: 0o644, flag: 'wx' })
  return n
}

function claimOne(dir: string, n: number, home: string): number {
  const owner = ownerOf(dir, n)
  if (owner !== null && owner !== home) {
    throw new Error(
      `network 127.${n}.0.0/16 belongs to the installation in ${owner}; choose another with CACHEFRONT_NODE_NETWORK`,
    )
  }
  return owner === home ? n : writeClaim(dir, n, home)
}

function claimFirstFree(dir: string, home: string): number {
  // A listener in a network without a claim is somebody who does not know of claims: keep away from it.
  const busy = new Set(listeners().map((l) => l.address.split('.').slice(0, 2).join('.')))
  for (let n = FIRST; n <= LAST; n++) {
    const owner = ownerOf(dir, n)
    if (owner === home) return n
    if (owner !== null || busy.has(`127.${n}`)) continue
    try {
      return writeClaim(dir, n, home)
    } catch {
      // The void claim of another user, which we may not remove.
    }
  }
  throw new Error(`no network from 127.${FIRST}.0.0/16 to 127.${LAST}.0.0/16 is free; claims are in ${dir}`)
}
