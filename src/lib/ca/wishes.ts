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
  | { readonly kind: 'server'; readonly names: readonly string[]; readonly issuer: MadeCertificate }

export interface IssueQuestion {
  readonly id: number
  readonly wish: CertificateWish
  /** Milliseconds, wall clock. */
  readonly now: number
}

export type IssueAnswer =
  | { readonly id: number; readonly made: MadeCertificate }
  | { readonly id: number; readonly error: string }
