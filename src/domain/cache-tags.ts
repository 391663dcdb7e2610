//! What a cache tag is (spec/cloudfront.md 8, by tag).

/** Tags kept of one object: the first ones. */
export const TAGS_PER_OBJECT_MAX = 50
export const CACHE_TAG_CHARS_MAX = 256
/** Visible ASCII without the comma (33-126). */
const CACHE_TAG = /^[\x21-\x2b\x2d-\x7e]+$/

/** True for a text that can be a cache tag. */
export const isCacheTag = (text: string): boolean => text.length <= CACHE_TAG_CHARS_MAX && CACHE_TAG.test(text)
