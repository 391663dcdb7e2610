//! What an order at an ACME server remembers from step to step. It is kept with the certificate's record, where it is as
//! secret as a private key, for it holds one.
import type { ChallengeDoc } from '../../../domain/challenge.ts'
import type { CertificateOrder } from '../issuer.ts'

export interface Memory {
  /** Of the server; an order of another one is void. */
  readonly directory: string
  /** Names of the order. */
  readonly names: readonly string[]
  /** Of the certificate to come, PEM; empty before it is made. */
  readonly privateKey: string
  /** PKCS #10, PEM. */
  readonly request: string
  /** Of the order; empty before there is one. */
  readonly url: string
  /** Looks since something was last done. */
  readonly looks: number
  /** URLs of challenges that the server was told to look at. */
  readonly told: readonly string[]
  /** What the hook has put up. */
  readonly presented: readonly ChallengeDoc[]
  /** Validations that did not reach us. */
  readonly refusals: number
  /** Orders that were lost. */
  readonly restarts: number
  /** Times that the server asked to come later. */
  readonly limited: number
}

export const NEW: Memory = {
  ...{ directory: '', names: [], privateKey: '', request: '', url: '' },
  ...{ looks: 0, told: [], presented: [], refusals: 0, restarts: 0, limited: 0 },
}

/** That of the order, if it is of this server and these names; a new one otherwise. */
export function remembered({ memory, names }: CertificateOrder, directory: string): Memory {
  const known = memory as Memory | undefined
  const isOurs = known?.directory === directory && known.names.join() === names.join()
  return isOurs ? { ...NEW, ...known } : { ...NEW, directory, names }
}
