//! The log of an engine is a file that the engine appends to: one that is too long is copied aside and begun anew. The
//! copies are numbered, so that a reader (log-reader.ts) knows whether it has missed one; the newest is kept.
import { copyFileSync, readdirSync, rmSync, statSync, truncateSync } from 'node:fs'

/** A log that is longer is set aside. Bytes. */
export const ENGINE_LOG_BYTES_MAX = 16 * 1024 * 1024

/** How often the log of `dir` was set aside: the number of the copy that is there; 0 for none. */
export function rotationsOf(dir: string): number {
  try {
    return Math.max(0, ...readdirSync(dir).map((name) => Number(/^log\.(\d+)$/.exec(name)?.[1] ?? 0)))
  } catch {
    return 0
  }
}

/** File of the copy with that number. */
export const logAside = (dir: string, number: number): string => `${dir}/log.${number}`

/** Sets the log of `dir` aside when it has grown too long. The engine, which appends, writes on from its beginning. */
export function limitLog(dir: string): void {
  try {
    if (statSync(`${dir}/log`).size > ENGINE_LOG_BYTES_MAX) setAside(dir)
  } catch {
    // No log yet, or the disk is full: the next look tries again.
  }
}

/** A line that is written between the copy and the new beginning is lost: the engine has no better way. */
export function setAside(dir: string): void {
  const number = rotationsOf(dir)
  copyFileSync(`${dir}/log`, logAside(dir, number + 1))
  truncateSync(`${dir}/log`)
  rmSync(logAside(dir, number), { force: true })
}
