//! What is asked of the thread that makes certificates, and what it answers.

/** PEM texts. */
export interface MadeCertificate {
  /** PKCS #8. */
  readonly key: string
  readonly certificate: string
}

export type CertificateWish =
  | { readonly kind: 'authority'; readonly commonName: string }
  /** `names` are DNS names, a first label `*` among them, and IP addresses; one at least. */
  | {
      readonly kind: 'server'
      readonly names: readonly string[]
      readonly issuer: MadeCertificate
      /** ACM's word for a kind of key, e.g. `RSA_2048`; absent: EC_prime256v1. */
      readonly key?: string
      /** Milliseconds from which its days count, where that is not the wall clock's time: it is valid at once all the same. */
      readonly lifeFrom?: number
    }
  /** A request to an authority elsewhere (PKCS #10), which comes in the place of the certificate. DNS names. */
  | { readonly kind: 'request'; readonly names: readonly string[]; readonly key: string }

export interface IssueQuestion {
  readonly id: number
  readonly wish: CertificateWish
  /** Milliseconds, wall clock. */
  readonly now: number
}

export type IssueAnswer =
  | { readonly id: number; readonly made: MadeCertificate }
  | { readonly id: number; readonly error: string }
