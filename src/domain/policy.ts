//! Policies as the edge applies them (spec/cloudfront.md 4.1, 4.2, 4.9).

export interface CachePolicyDoc {
  readonly id: string
  /** As the API shows it, for people who read a trace; absent in documents of earlier versions. */
  readonly name?: string
  /** Seconds. */
  readonly minTtl: number
  readonly defaultTtl: number
  readonly maxTtl: number
  readonly headers: NameList
  readonly cookies: NameList
  readonly queryStrings: NameList
  readonly gzip: boolean
  readonly brotli: boolean
}

export interface OriginRequestPolicyDoc {
  readonly id: string
  /** As of CachePolicyDoc. */
  readonly name?: string
  readonly headers: NameList
  readonly cookies: NameList
  readonly queryStrings: NameList
}

/**
 * Which headers, cookies or query strings. `allViewer` and `allViewerAndWhitelistCloudFront` occur for headers of
 * origin request policies only; `all` for cookies and query strings only. Names of headers are in lower case.
 */
export interface NameList {
  readonly behavior:
    | 'none'
    | 'whitelist'
    | 'allExcept'
    | 'all'
    | 'allViewer'
    | 'allViewerAndWhitelistCloudFront'
    /** What ForwardedValues passes without listing it (spec 6.1, "legacy pass"). */
    | 'legacy'
  readonly names: readonly string[]
  /** `*` and `?` in names stand for other characters: cookies of ForwardedValues. */
  readonly wildcards?: true
}

/** A response headers policy (spec 4.9). Names of headers as they are to be written. */
export interface ResponseHeadersPolicyDoc {
  readonly id: string
  readonly cors: CorsDoc | null
  readonly security: SecurityHeadersDoc
  readonly custom: readonly CustomHeaderDoc[]
  readonly remove: readonly string[]
  /** Percent of the answers that get Server-Timing without being asked for it; null when it is not enabled. */
  readonly serverTimingRate: number | null
}

export interface CorsDoc {
  /** `*`, an origin, or one with `*.` as the leftmost label; with or without its scheme. */
  readonly allowOrigins: readonly string[]
  readonly allowHeaders: readonly string[]
  /** Methods, or `ALL`. */
  readonly allowMethods: readonly string[]
  readonly exposeHeaders: readonly string[]
  readonly allowCredentials: boolean
  /** Null adds no Access-Control-Max-Age. */
  readonly maxAgeSec: number | null
  /** The policy's value goes before the origin's. */
  readonly override: boolean
}

/** Which of the security headers are added; each with its own override. */
export interface SecurityHeadersDoc {
  readonly contentSecurityPolicy?: { readonly value: string; readonly override: boolean }
  readonly contentTypeOptions?: { readonly override: boolean }
  readonly frameOptions?: { readonly value: string; readonly override: boolean }
  readonly referrerPolicy?: { readonly value: string; readonly override: boolean }
  readonly strictTransportSecurity?: {
    readonly maxAgeSec: number
    readonly includeSubdomains: boolean
    readonly preload: boolean
    readonly override: boolean
  }
  readonly xssProtection?: {
    readonly protection: boolean
    readonly modeBlock: boolean
    /** Empty for none. */
    readonly reportUri: string
    readonly override: boolean
  }
}

export interface CustomHeaderDoc {
  readonly name: string
  readonly value: string
  readonly override: boolean
}
