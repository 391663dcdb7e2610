//! TLS of memcached: one file with key and chain in the node's own directory, which the server reads at its start and at
//! each `refresh_certs`. It runs as another user where the keeper is root, so the file is that user's (0600), and it is
//! named relative to the directory: nobody but its owner may walk through the home.
import { chmodSync, chownSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ServedCertificate } from './transit.ts'

const FILE = 'tls.pem'

/** TLS 1.2 at least, as its option counts versions. */
export const TLS_OPTIONS: readonly string[] = ['-Z', '-o', `ssl_chain_cert=${FILE},ssl_key=${FILE},ssl_min_version=2`]

/** Puts the certificate where the server of the node in `dir` reads it. @throws the file system's error */
export function placeCertificate({ file }: ServedCertificate, dir: string): void {
  const owner = runsAs()
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  // It must find a file by its name in its own working directory, and nothing else.
  if (owner !== null) chmodSync(dir, 0o711)
  const next = join(dir, `${FILE}.new`)
  writeFileSync(next, readFileSync(file), { mode: 0o600 })
  if (owner !== null) chownSync(next, owner.uid, owner.gid)
  renameSync(next, join(dir, FILE))
}

interface User {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** The user that memcached becomes, for it refuses to run as root; null when the keeper is not root. */
export function runsAs(): User | null {
  if (process.getuid?.() !== 0) return null
  const users = readFileSync('/etc/passwd', 'utf8')
  for (const name of ['memcache', 'memcached', 'nobody']) {
    const [, uid, gid] = new RegExp(`^${name}:[^:]*:(\\d+):(\\d+):`, 'm').exec(users) ?? []
    if (uid !== undefined) return { name, uid: Number(uid), gid: Number(gid) }
  }
  throw new Error('memcached refuses to run as root, and there is no user memcache or nobody that it could become')
}
