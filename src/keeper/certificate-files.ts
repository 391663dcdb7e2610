//! Where the certificates of groups lie: `<keeper's home>/tls/<group>/<number>.pem`, key and chain in one file (0600), so
//! that an engine never reads a key of one and a certificate of another.
import { readdirSync } from 'node:fs'
import { join } from 'node:path'

/** The file of certificate `number` of a group. */
export const certificateFile = (directory: string, number: number): string => join(directory, `${number}.pem`)

/** Beside it: the authorities that engines accept each other's certificates by. */
export const authorityOf = (file: string): string => file.replace(/pem$/, 'ca')

/** Numbers of the certificates in the directory of a group, the newest first. */
export function certificateNumbers(directory: string): readonly number[] {
  let names: readonly string[]
  try {
    names = readdirSync(directory)
  } catch {
    return []
  }
  return names.flatMap((name) => (/^\d+\.pem$/.test(name) ? [Number.parseInt(name, 10)] : [])).sort((a, b) => b - a)
}

/** The newest certificate in the directory of a group; null when there is none. */
export function newestCertificate(directory: string): string | null {
  const [newest] = certificateNumbers(directory)
  return newest === undefined ? null : certificateFile(directory, newest)
}
