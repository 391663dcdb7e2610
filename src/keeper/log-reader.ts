//! Reads on in the log of a node from where somebody has read it before, over its rotation.
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs'
import { logAside, rotationsOf } from './log-rotation.ts'

/** Most that one reading gives. Bytes. */
const READ_BYTES_MAX = 256 * 1024
const LINE_END = 0x0a

/** A place in the log of a node. */
export interface LogPosition {
  /** How often the log had been set aside. */
  readonly rotations: number
  /** Bytes from the beginning of the file. */
  readonly offset: number
}

export interface LogReading {
  /** Whole lines, a character (latin1) for each byte; empty when there is nothing new. */
  readonly text: string
  /** Behind them. */
  readonly position: LogPosition
  /** Lines before the text are gone: the log was set aside more than once since. */
  readonly gap: boolean
}

/** @param from null for the present end, without a text */
export function readLog(dir: string, from: LogPosition | null): LogReading {
  const rotations = rotationsOf(dir)
  const log = `${dir}/log`
  if (from === null) return { text: '', position: { rotations, offset: lineEndBefore(log) }, gap: false }
  // More rotations than there are: the directory of the node was made anew.
  if (from.rotations > rotations) return read(log, rotations, 0, false)
  if (from.rotations === rotations) return read(log, rotations, from.offset > sizeOf(log) ? 0 : from.offset, false)
  const gap = from.rotations < rotations - 1
  const aside = read(logAside(dir, rotations), rotations - 1, gap ? 0 : from.offset, gap)
  return aside.text === '' ? read(log, rotations, 0, gap) : aside
}

function read(file: string, rotations: number, offset: number, gap: boolean): LogReading {
  const text = linesFrom(file, offset)
  return { text, position: { rotations, offset: offset + text.length }, gap }
}

function sizeOf(file: string): number {
  try {
    return statSync(file).size
  } catch {
    return 0
  }
}

/** Whole lines from `offset`, a bounded number of them; a line that is longer than a reading comes in pieces. */
function linesFrom(file: string, offset: number): string {
  const bytes = bytesFrom(file, offset)
  const end = bytes.lastIndexOf(LINE_END)
  if (end < 0 && bytes.length < READ_BYTES_MAX) return ''
  return bytes.toString('latin1', 0, end < 0 ? bytes.length : end + 1)
}

function bytesFrom(file: string, offset: number): Buffer {
  let descriptor: number
  try {
    descriptor = openSync(file, 'r')
  } catch {
    return Buffer.alloc(0)
  }
  try {
    const length = Math.min(READ_BYTES_MAX, Math.max(0, fstatSync(descriptor).size - offset))
    const bytes = Buffer.alloc(length)
    return bytes.subarray(0, readSync(descriptor, bytes, 0, length, offset))
  } finally {
    closeSync(descriptor)
  }
}

/** End of the last whole line. */
function lineEndBefore(file: string): number {
  const start = Math.max(0, sizeOf(file) - READ_BYTES_MAX)
  return start + bytesFrom(file, start).lastIndexOf(LINE_END) + 1
}
