//! What a log group or a delivery stream of AWS leads to here.

export type LogDestination =
  /** Files below the logs of the home. */
  | { readonly kind: 'file' }
  | { readonly kind: 's3'; readonly bucket: string; readonly prefix: string }
  /** A stream; the host may be the id of a cache of this installation. */
  | { readonly kind: 'redis'; readonly url: string; readonly key: string }
