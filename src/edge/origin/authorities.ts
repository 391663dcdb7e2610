//! Certificates of authorities that origins may have theirs from, besides the public ones (`--origin-ca`).
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/**
 * The certificates of a PEM file, in its order.
 * @throws Error that names the file, when it cannot be read or has no certificate, or one that is none
 */
export function readAuthorities(file: string): readonly string[] {
  const found = readFileSync(file, 'utf8').match(CERTIFICATE) ?? []
  if (found.length === 0) throw new Error(`${file} has no certificate in PEM`)
  for (const [at, pem] of found.entries()) {
    try {
      new X509Certificate(pem)
    } catch (error) {
      throw new Error(`${file}: certificate ${at + 1} is none: ${(error as Error).message}`)
    }
  }
  return found
}

/** Of all files; one that cannot be read now must not keep a worker from serving: its origins fail, and say why. */
export function readableAuthorities(files: readonly string[], problem: (message: string) => void): readonly string[] {
  return files.flatMap((file) => {
    try {
      return readAuthorities(file)
    } catch (error) {
      problem(`--origin-ca: ${(error as Error).message}`)
      return []
    }
  })
}
