//! Comments.

/** Each C-style comment is a space, also one that does not end. */
export function replaceComments(text: string): string {
  let from = text.indexOf('/*')
  if (from < 0) return text
  let out = ''
  let at = 0
  while (from >= 0) {
    out += `${text.slice(at, from)} `
    const end = text.indexOf('*/', from + 2)
    if (end < 0) return out
    at = end + 2
    from = text.indexOf('/*', at)
  }
  return out + text.slice(at)
}

/** The marks alone. */
export const removeCommentsChar = (text: string): string => text.replace(/\/\*|\*\/|<!--|-->|--|#/g, '')
