//! THE TABLE of text transformations: pure functions from text to text, one character a byte.
import type { TextTransformationType } from '@aws-sdk/client-wafv2'

export type Transform = (text: string) => string

export const TRANSFORM: Readonly<Partial<Record<TextTransformationType, Transform>>> = {
  LOWERCASE: lowercase,
  NONE: (text) => text,
}

/** ASCII letters alone: a byte of 128 and above is part of a character in UTF-8, not a letter. */
function lowercase(text: string): string {
  return /[A-Z]/.test(text) ? text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase()) : text
}
