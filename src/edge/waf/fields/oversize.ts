//! OversizeHandling, for what is larger than is looked at.
import type { OversizeHandling } from '@aws-sdk/client-wafv2'

/** MATCH, or NO_MATCH; CONTINUE looks at what there is. */
export const oversized = (handling: OversizeHandling): boolean => handling === 'MATCH'
