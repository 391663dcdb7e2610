//! The certificates of a PEM text. By searching forward alone: a regular expression that looks for each block's end anew
//! takes time with the square of a text in which many begin and none ends.

const BEGIN = '-----BEGIN CERTIFICATE-----'
const END = '-----END CERTIFICATE-----'

/** In their order; null when there is anything beside them but blanks. */
export function certificateBlocks(pem: string): readonly string[] | null {
  const blocks: string[] = []
  for (let at = 0; at < pem.length; ) {
    const begin = pem.indexOf(BEGIN, at)
    if (pem.slice(at, begin < 0 ? pem.length : begin).trim() !== '') return null
    if (begin < 0) break
    const end = pem.indexOf(END, begin)
    if (end < 0) return null
    at = end + END.length
    blocks.push(pem.slice(begin, at))
  }
  return blocks
}
