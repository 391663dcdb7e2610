//! THE TABLE of text transformations: pure functions from text to text, one character a byte, each in time linear in the
//! text (https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-transformation.html). What AWS's words
//! leave open follows ModSecurity's functions of the same names, from which they come. CMD_LINE_UNIX, CMD_LINE_WIN and
//! JS_DECODE_EXT are not here: nothing says what they do.
import type { TextTransformationType } from '@aws-sdk/client-wafv2'
import { removeCommentsChar, replaceComments } from './comments.ts'
import { base64Decode, base64DecodeExt, hexDecode, md5, sha256, sqlHexDecode, utf8ToUnicode } from './encodings.ts'
import { htmlEntityDecode } from './entities.ts'
import { cssDecode, escapeSeqDecode, jsDecode } from './escapes.ts'
import { normalizePath, normalizePathWin } from './paths.ts'
import {
  cmdLine,
  compressWhiteSpace,
  lowercase,
  removeNulls,
  removeWhitespace,
  replaceNulls,
  trim,
  trimLeft,
  trimRight,
  uppercase,
} from './spaces.ts'
import { urlDecode, urlDecodeUni } from './url.ts'

export type Transform = (text: string) => string

export const TRANSFORM: Readonly<Partial<Record<TextTransformationType, Transform>>> = {
  BASE64_DECODE: base64Decode,
  BASE64_DECODE_EXT: base64DecodeExt,
  CMD_LINE: cmdLine,
  COMPRESS_WHITE_SPACE: compressWhiteSpace,
  CSS_DECODE: cssDecode,
  ESCAPE_SEQ_DECODE: escapeSeqDecode,
  HEX_DECODE: hexDecode,
  HTML_ENTITY_DECODE: htmlEntityDecode,
  JS_DECODE: jsDecode,
  LOWERCASE: lowercase,
  MD5: md5,
  NONE: (text) => text,
  NORMALIZE_PATH: normalizePath,
  NORMALIZE_PATH_WIN: normalizePathWin,
  REMOVE_COMMENTS_CHAR: removeCommentsChar,
  REMOVE_NULLS: removeNulls,
  REMOVE_WHITESPACE: removeWhitespace,
  REPLACE_COMMENTS: replaceComments,
  REPLACE_NULLS: replaceNulls,
  SHA256: sha256,
  SQL_HEX_DECODE: sqlHexDecode,
  TRIM: trim,
  TRIM_LEFT: trimLeft,
  TRIM_RIGHT: trimRight,
  UPPERCASE: uppercase,
  URL_DECODE: urlDecode,
  URL_DECODE_UNI: urlDecodeUni,
  UTF8_TO_UNICODE: utf8ToUnicode,
}
