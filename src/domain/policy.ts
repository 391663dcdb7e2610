//! Cache policies and origin request policies as the edge applies them (spec/cloudfront.md 4.1-4.2).

export interface CachePolicyDoc {
  readonly id: string
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
  readonly headers: NameList
  readonly cookies: NameList
  readonly queryStrings: NameList
}

/**
 * Which headers, cookies or query strings. `allViewer` and `allViewerAndWhitelistCloudFront` occur for headers of
 * origin request policies only; `all` for cookies and query strings only. Names of headers are in lower case.
 */
export interface NameList {
  readonly behavior: 'none' | 'whitelist' | 'allExcept' | 'all' | 'allViewer' | 'allViewerAndWhitelistCloudFront'
  readonly names: readonly string[]
}
