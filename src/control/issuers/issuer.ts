//! What issues the certificates that ACM's RequestCertificate asks for: the installation's own authority (local.ts), or a
//! public one by ACME (acme.ts). control/tasks/acm-certificates.ts calls it and writes down what it says; an issuer reads
//! and writes no state of its own.
//!
//! The contract:
//! - `step` does what is next for one order and returns soon: it never waits for somebody outside longer than it takes to
//!   ask. What it wants to know next time is in `memory`, which is kept with the record (JSON; it may hold a private key) and
//!   given back unchanged. Control may die between two steps: a step that was done twice does no harm.
//! - `waiting` is not a failure: it is asked again at `retryAt`, and on `cachefront clock advance`.
//! - A throw is a failure that may pass (the server of the authority is down): asked again with a growing delay, the memory
//!   stays, the old certificate is served on, `DescribeCertificate` and the operator are told the message. It has no secret.
//! - `failed` is for good: a first issue ends as FAILED with the reason, a renewal is FAILED and is begun anew a day later.
//! - Times are milliseconds of the movable clock, which renewals are planned by.
import type { CertificateRequest, NameValidation, RequestedKey } from '../../domain/certificates.ts'

export interface CertificateOrder {
  readonly arn: string
  /** Lower case; the first is the DomainName. A first label `*` stands for one label. */
  readonly names: readonly string[]
  readonly keyAlgorithm: RequestedKey
  readonly validationMethod: CertificateRequest['validationMethod']
  readonly purpose: 'first' | 'renewal'
  /** What the last step left; undefined at the beginning. */
  readonly memory: unknown
}

export type IssueStep =
  | {
      readonly kind: 'issued'
      /** PEM. */
      readonly certificate: string
      /** PEM: issuers, nearest first; empty for none. */
      readonly chain: string
      /** PEM, PKCS #8, not encrypted. */
      readonly privateKey: string
    }
  | {
      readonly kind: 'waiting'
      readonly memory: unknown
      readonly retryAt: number
      /** What is waited for, for a person. */
      readonly why: string
      /** It waits because something failed, which `why` tells: counted and shown as a failure. */
      readonly isFailure?: true
      /** What has become of names meanwhile; those that are not among them stay. */
      readonly validations?: readonly NameValidation[]
    }
  | {
      readonly kind: 'failed'
      /** ACM's FailureReason. */
      readonly reason: string
      /** For a person. */
      readonly why: string
    }

export interface Issuer {
  readonly name: 'local' | 'acme'
  /** What is next for the order. @throws Error for a failure that may pass */
  step(order: CertificateOrder): Promise<IssueStep>
  close(): void
}
