//! Which file of a folder a path means. No link and no spelling of a path leads out of the folder: what is opened is
//! looked at where it really lies.
import { constants } from 'node:fs'
import { type FileHandle, open, readlink, realpath } from 'node:fs/promises'
import { platform } from 'node:os'
import { join, sep } from 'node:path'

export type Located =
  | { readonly kind: 'file'; readonly file: FileHandle; readonly name: string }
  /** A directory that has a page, asked for without its last slash. */
  | { readonly kind: 'directory' }
  | { readonly kind: 'missing' }

const MISSING: Located = { kind: 'missing' }
/** What stands for a directory. */
const INDEX = 'index.html'

/**
 * The file of `path`, which is a request's path as it came; the caller closes it.
 * @param root where the folder really lies (`realpath`)
 * @throws the file system's error for anything but a file that is not there or may not be read
 */
export async function locate(root: string, path: string): Promise<Located> {
  const names = namesOf(path)
  if (names === null) return MISSING
  const last = names.at(-1) ?? ''
  const inside = last === '' ? [...names.slice(0, -1), INDEX] : names
  const file = await openInside(root, inside)
  if (file !== null) return { kind: 'file', file, name: inside.at(-1) ?? '' }
  if (last === '') return MISSING
  const page = await openInside(root, [...names, INDEX])
  if (page === null) return MISSING
  await page.close()
  return { kind: 'directory' }
}

/** Names that Windows has for devices, wherever they stand and whatever follows the dot. */
const DEVICES = /^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$/i

/**
 * The names between the slashes, decoded once; the last is empty for a directory. Null for what names nothing: as in S3,
 * dot segments and doubled slashes are not resolved. Hidden files stay hidden, but for `.well-known` (RFC 8615).
 */
function namesOf(path: string): string[] | null {
  let decoded: string
  try {
    decoded = decodeURIComponent(path)
  } catch {
    return null
  }
  const names = decoded.slice(1).split('/')
  const named = names.at(-1) === '' ? names.slice(0, -1) : names
  for (const [at, name] of named.entries()) {
    if (name === '' || /[\0\\]/.test(name)) return null
    if (name.startsWith('.') && !(at === 0 && name === '.well-known')) return null
    if (platform() === 'win32' && (/[<>:"|?*]|[. ]$/.test(name) || DEVICES.test(name))) return null
  }
  return names
}

/** A regular file that lies below the root; null for everything else. */
async function openInside(root: string, names: readonly string[]): Promise<FileHandle | null> {
  try {
    const real = await realpath(join(root, ...names))
    if (!isBelow(root, real)) return null
    // Not blocked by a pipe, and not by a link that was put there since.
    const file = await open(real, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0))
    try {
      if ((await file.stat()).isFile() && isBelow(root, await placeOf(file, real))) return file
    } catch (error) {
      await file.close()
      throw error
    }
    await file.close()
    return null
  } catch (error) {
    if (NOT_THERE.has((error as NodeJS.ErrnoException).code ?? '')) return null
    throw error
  }
}

const NOT_THERE: ReadonlySet<string> = new Set([
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'EACCES',
  'EPERM',
  'ENXIO',
])

const isBelow = (root: string, place: string): boolean => place.startsWith(root.endsWith(sep) ? root : root + sep)

/** Where an open file lies: a directory on the way may have become a link after `realpath` had looked at it. */
const placeOf = (file: FileHandle, real: string): Promise<string> =>
  platform() === 'linux' ? readlink(`/proc/self/fd/${file.fd}`) : realpath(real)
