//! `up --user NAME` as root: the process becomes that user for good, and with it all that it starts. Of root's rights one is
//! left, to bind ports below 1024: a worker that the keeper starts anew, a POP that is up again and an address that is
//! dedicated later need it, and no process that has root's others need stay to lend it. util-linux's setpriv does it, with
//! which a bounding set and no_new_privs can be set, and the program begins anew as that user.
import { execFileSync } from 'node:child_process'
import { chownSync, lchownSync, lstatSync, mkdirSync, readdirSync } from 'node:fs'
import { userInfo } from 'node:os'
import { delimiter, dirname, isAbsolute, join } from 'node:path'
import { fileProblem, StartError } from './errors.ts'

export interface SystemUser {
  readonly name: string
  readonly uid: number
  readonly gid: number
  /** Home directory; it need not exist. */
  readonly directory: string
}

/** The only capability that is left. */
const KEPT = '-all,+net_bind_service'
const WANTED =
  'util-linux (its setpriv) must be installed, and root have CAP_SETUID, CAP_SETGID, CAP_SETPCAP, CAP_CHOWN'

/** Null when this process is that user already. @throws StartError when there is none, or this process is not root's */
export function userToBecome(name: string): SystemUser | null {
  const user = systemUser(name)
  if (user.uid === process.getuid?.()) return null
  if (process.getuid?.() === 0) return user
  throw new StartError(
    `--user ${name}: only root can become another user, this is ${userInfo().username}. Leave --user out; ports below 1024 ` +
      'need CAP_NET_BIND_SERVICE then (docs/listeners.md).',
  )
}

function systemUser(name: string): SystemUser {
  let line = ''
  try {
    line = execFileSync('getent', ['passwd', '--', name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  } catch {}
  const [found = '', , uid, gid, , directory = ''] = line.trim().split(':')
  if (found === '' || !/^\d+$/.test(uid ?? '') || !/^\d+$/.test(gid ?? '')) {
    throw new StartError(`--user ${name}: this system has no such user. Make one (useradd --system ${name}).`)
  }
  if (Number(uid) === 0) throw new StartError(`--user ${name}: that is root itself. Name a user without rights.`)
  return { name: found, uid: Number(uid), gid: Number(gid), directory }
}

/**
 * Gives the user the home (one that root made: with all that is in it) and becomes the user, in this program from its
 * beginning: does not return.
 * @throws StartError when one of them cannot be
 */
export function becomeUser(user: SystemUser, home: string, mainFile: string): never {
  giveHome(user, home)
  const setpriv = found('setpriv')
  const rights = [
    ...[`--reuid=${user.uid}`, `--regid=${user.gid}`, '--init-groups', '--no-new-privs'],
    ...[`--inh-caps=${KEPT}`, `--ambient-caps=${KEPT}`, `--bounding-set=${KEPT}`],
  ]
  mustRun(setpriv, rights, 'true', [], `root cannot become ${user.name} here: ${WANTED}`)
  for (const [file, right] of [
    [process.execPath, '-x'],
    [mainFile, '-r'],
    [home, '-w'],
  ] as const) {
    const why = `${user.name} may not ${right === '-x' ? 'run' : right === '-r' ? 'read' : 'write to'} ${file}: install it, or choose another, where that user may`
    mustRun(setpriv, rights, 'test', [right, file], why)
  }
  const { SUDO_USER: _, XDG_CACHE_HOME: __, ...environment } = process.env
  const program = [process.execPath, ...process.execArgv, ...process.argv.slice(1)]
  return process.execve?.(setpriv, ['setpriv', ...rights, '--', ...program], {
    ...(environment as Record<string, string>),
    ...{ HOME: user.directory, USER: user.name, LOGNAME: user.name },
  }) as never
}

function mustRun(setpriv: string, rights: readonly string[], command: string, args: readonly string[], why: string) {
  try {
    execFileSync(setpriv, [...rights, '--', command, ...args], { stdio: ['ignore', 'ignore', 'pipe'] })
  } catch (error) {
    const said = String((error as { stderr?: unknown }).stderr ?? '').trim()
    throw new StartError(`--user: ${why}${said === '' ? '' : ` (${said})`}.`, error)
  }
}

function found(program: string): string {
  const directories = [...(process.env.PATH ?? '').split(delimiter), '/usr/bin', '/bin'].filter(isAbsolute)
  const path = directories
    .map((directory) => join(directory, program))
    .find((file) => lstatSync(file, { throwIfNoEntry: false }))
  if (path === undefined || process.execve === undefined) throw new StartError(`--user: ${WANTED}.`)
  return path
}

/** Nobody but root could write where root alone has been: nothing there leads elsewhere. */
function giveHome({ uid, gid, name }: SystemUser, home: string): void {
  try {
    const before = lstatSync(home, { throwIfNoEntry: false })
    if (before?.uid === uid) return
    if (before !== undefined && before.uid !== 0) {
      throw new StartError(`--user ${name}: the home ${home} is neither root's nor ${name}'s. Choose another --home.`)
    }
    if (before !== undefined && (before.mode & 0o022) !== 0) {
      throw new StartError(`--user ${name}: others than root may write to the home ${home}. Choose another --home.`)
    }
    if (before === undefined) mkdirSync(home, { mode: 0o700 })
    giveAll(home, uid, gid)
    chownSync(home, uid, gid)
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
    const why = isMissing ? `${dirname(home)} is not there (choose another --home)` : fileProblem(error)
    if (why === null) throw error
    throw new StartError(`--user ${name}: the home ${home} cannot be given to that user: ${why}.`, error)
  }
}

function giveAll(directory: string, uid: number, gid: number): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name)
    if (entry.isDirectory()) giveAll(path, uid, gid)
    lchownSync(path, uid, gid)
  }
}
