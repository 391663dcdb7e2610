//! Every AWS error that this program answers, once: its wire code, its HTTP status, the service it belongs to.
//! A contract test compares each row with the SDK's own error schemas.

/** HTTP status by wire code, for each service (spec/cloudfront.md 1.5, spec/elasticache.md 1.8). */
const STATUS = {
  common: {
    AccessDenied: 403,
    IncompleteSignature: 400,
    InternalFailure: 500,
    InvalidAction: 400,
    InvalidClientTokenId: 403,
    MalformedInput: 400,
    MissingAction: 400,
    MissingAuthenticationToken: 403,
    MissingParameter: 400,
    NotImplemented: 501,
    RequestEntityTooLarge: 413,
    RequestExpired: 400,
    ServiceUnavailable: 503,
    SignatureDoesNotMatch: 403,
    Throttling: 400,
    UnknownOperationException: 404,
  },
  /** Of `/_cachefront`, whose errors are JSON. */
  cachefront: {
    Conflict: 409,
    InvalidRequest: 400,
    MethodNotAllowed: 405,
    NotFound: 404,
    TooManyRequests: 429,
    UnsupportedMediaType: 415,
  },
} as const

export type CommonCode = keyof (typeof STATUS)['common']
export type CachefrontCode = keyof (typeof STATUS)['cachefront']

/** An error that the caller is to see, in the shape of the service that was called. */
export class Fault extends Error {
  readonly code: string
  /** HTTP status. */
  readonly status: number
  /** Further members of the error's structure, for protocols that send it whole (JSON). */
  readonly details: Readonly<Record<string, string>>

  constructor(code: string, status: number, message: string, details: Readonly<Record<string, string>> = {}) {
    super(message)
    this.name = 'Fault'
    this.code = code
    this.status = status
    this.details = details
  }
}

/** A fault that any service may answer. */
export function commonFault(code: CommonCode, message: string): Fault {
  return new Fault(code, STATUS.common[code], message)
}

/** A fault of the installation's own paths under `/_cachefront`. */
export function cachefrontFault(code: CachefrontCode, message: string): Fault {
  return new Fault(code, STATUS.cachefront[code], message)
}

/** 501: an operation or a field that is accepted by AWS and not built here. Nothing is accepted and ignored. */
export function notImplemented(what: string): Fault {
  return commonFault('NotImplemented', `${what} is not implemented by Cachefront yet; nothing was changed.`)
}
