//! NORMALIZE_PATH: slashes one at a time, no `.` and no `..`, but those that lead out of a relative path.

export function normalizePath(text: string): string {
  if (!text.includes('//') && !text.includes('.')) return text
  const isAbsolute = text.startsWith('/')
  const segments = text.split('/')
  const last = segments.at(-1) as string
  const kept: string[] = []
  for (const segment of segments) {
    if (segment === '' || segment === '.') continue
    if (segment !== '..') kept.push(segment)
    else if (kept.length > 0 && kept.at(-1) !== '..') kept.pop()
    else if (!isAbsolute) kept.push(segment)
  }
  const path = kept.join('/')
  const isFolder = kept.length > 0 && (last === '' || last === '.' || (last === '..' && kept.at(-1) !== '..'))
  return `${isAbsolute ? '/' : ''}${path}${isFolder ? '/' : ''}`
}

export const normalizePathWin = (text: string): string => normalizePath(text.replaceAll('\\', '/'))
