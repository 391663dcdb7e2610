//! PURE: on which ports an engine listens in each mode of encryption in transit, how it is reached then, and what is known
//! of the certificate that it serves.

/** `preferred`: clients with and without TLS at the same address and port (spec/elasticache.md 6.6). */
export type TransitMode = 'off' | 'preferred' | 'required'

/** Ports of an engine; 0 for none. Two of one number are refused by stock engines. */
export interface Listening {
  readonly plain: number
  readonly tls: number
}

const PORT_MAX = 65_535

/**
 * Behind a front that tells the two kinds of clients apart, an engine has two ports of its own beside the group's. Its
 * address is its own, so nobody else has them.
 */
export function portsBehindFront(port: number): Listening {
  return port + 2 <= PORT_MAX ? { plain: port + 1, tls: port + 2 } : { plain: port - 2, tls: port - 1 }
}

/** `verified`: a front stands before TLS, too, because it verifies the tokens of IAM users. */
export function listeningOf(mode: TransitMode, port: number, verified = false): Listening {
  if (mode === 'required' && verified) return { plain: 0, tls: portsBehindFront(port).tls }
  switch (mode) {
    case 'off':
      return { plain: port, tls: 0 }
    case 'preferred':
      return portsBehindFront(port)
    case 'required':
      return { plain: 0, tls: port }
  }
}

export const sameListening = (a: Listening, b: Listening): boolean => a.plain === b.plain && a.tls === b.tls

/**
 * Where an engine may be reached, the wished port first: one that was adopted listens as in another mode yet, or as
 * between two of them (resp-transit.ts).
 */
export function possiblePorts(
  mode: TransitMode,
  port: number,
  verified = false,
): readonly Pick<Source, 'port' | 'tls'>[] {
  const hidden = portsBehindFront(port)
  const all = [
    { port, tls: true },
    { port: hidden.tls, tls: true },
    { port, tls: false },
    { port: hidden.plain, tls: false },
  ]
  const wished = sourceAt('', listeningOf(mode, port, verified))
  return [
    { port: wished.port, tls: wished.tls },
    ...all.filter((one) => one.port !== wished.port || one.tls !== wished.tls),
  ]
}

/** The mode that all of these are in; null while they differ. */
export function modeOf(all: readonly Listening[], port: number): TransitMode | null {
  const modes = ['off', 'preferred', 'required'] as const
  const isOf = (mode: TransitMode, one: Listening): boolean =>
    sameListening(one, listeningOf(mode, port)) || sameListening(one, listeningOf(mode, port, true))
  return modes.find((mode) => all.every((one) => isOf(mode, one))) ?? null
}

/** Where a replica reaches its primary: over TLS as soon as the primary has it. */
export interface Source {
  readonly address: string
  readonly port: number
  readonly tls: boolean
}

export const sourceAt = (address: string, { plain, tls }: Listening): Source =>
  tls === 0 ? { address, port: plain, tls: false } : { address, port: tls, tls: true }

export interface ServedCertificate {
  readonly number: number
  /** Key and chain, PEM. */
  readonly file: string
  /** Authorities that the engines accept each other's certificates by, PEM. */
  readonly authorityFile: string
  readonly fingerprint256: string
  /** DNS names and IP addresses. */
  readonly names: ReadonlySet<string>
  readonly notBefore: Date
  readonly notAfter: Date
}

/** What the files do not tell of the newest certificate. Kept in the ledger. */
export interface CertificateOrigin {
  readonly number: number
  /** The wish's number of the renewal that it fulfils. */
  readonly renewal: number
  /** Directory that it was imported from; null for one of ours. */
  readonly imported: string | null
  /** The event of its renewal was given; true for the first one, which renews nothing. */
  readonly told: boolean
}
