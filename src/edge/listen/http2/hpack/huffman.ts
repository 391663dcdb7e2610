//! Huffman-coded strings (RFC 7541 5.2): decoding four bits at a time by a table of states, encoding bit by bit.
import { EOS, HUFFMAN } from './huffman-code.ts'

/** What a transition also does. */
const EMITS = 1
const FAILS = 2

/**
 * By state * 16 + four bits. A state is a place in the code tree that is no symbol; there are 256 of them, the root is 0.
 * No code has fewer than five bits, so that four bits end one symbol at most.
 */
const NEXT = new Uint8Array(256 * 16)
const DOES = new Uint8Array(256 * 16)
const SYMBOL = new Uint8Array(256 * 16)
/** 1 for states in which a string may end: up to seven bits, all ones (the beginning of EOS), are padding. */
const MAY_END = new Uint8Array(256)

buildStates()

function buildStates(): void {
  /** Two children a state: another state, or -1 - symbol. */
  const children: [number, number][] = [[0, 0]]
  for (let symbol = 0; symbol <= EOS; symbol++) {
    let state = 0
    for (let bit = HUFFMAN.bits[symbol]! - 1; bit >= 0; bit--) {
      const side = (HUFFMAN.code[symbol]! >>> bit) & 1
      const node = children[state]!
      if (bit === 0) node[side] = -1 - symbol
      else {
        if (node[side] === 0) node[side] = children.push([0, 0]) - 1
        state = node[side]!
      }
    }
  }
  for (let state = 0; state < children.length; state++) {
    for (let four = 0; four < 16; four++) step(children, state, four)
  }
  for (let bits = 0, state = 0; bits < 8; bits++, state = children[state]![1]) MAY_END[state] = 1
}

function step(children: readonly (readonly [number, number])[], from: number, four: number): void {
  const at = from * 16 + four
  let state = from
  for (let bit = 3; bit >= 0; bit--) {
    const child = children[state]![((four >>> bit) & 1) as 0 | 1]
    if (child >= 0) state = child
    else {
      const symbol = -1 - child
      // EOS itself is an error (5.2).
      if (symbol === EOS) DOES[at] = FAILS
      else {
        DOES[at] = EMITS
        SYMBOL[at] = symbol
      }
      state = 0
    }
  }
  NEXT[at] = state
}

let scratch = Buffer.allocUnsafeSlow(4_096)

/** The text, one character a byte; null when it is not a string of this code. */
export function decodeHuffman(bytes: Uint8Array, from: number, end: number): string | null {
  // Five bits or more become one byte.
  if ((end - from) * 1.6 > scratch.length) scratch = Buffer.allocUnsafeSlow((end - from) * 2)
  let state = 0
  let length = 0
  for (let at = from; at < end; at++) {
    const byte = bytes[at]!
    const high = state * 16 + (byte >>> 4)
    const low = NEXT[high]! * 16 + (byte & 15)
    const does = DOES[high]! | DOES[low]!
    if (does !== 0) {
      if ((does & FAILS) !== 0) return null
      if (DOES[high] === EMITS) scratch[length++] = SYMBOL[high]!
      if (DOES[low] === EMITS) scratch[length++] = SYMBOL[low]!
    }
    state = NEXT[low]!
  }
  return MAY_END[state] === 1 ? scratch.toString('latin1', 0, length) : null
}

/** Bytes that `text` (latin1) takes in this code. */
export function huffmanLength(text: string): number {
  let bits = 0
  for (let at = 0; at < text.length; at++) bits += HUFFMAN.bits[text.charCodeAt(at) & 0xff]!
  return (bits + 7) >>> 3
}

/** Writes `text` (latin1) at `at`; returns where it ends. */
export function encodeHuffman(text: string, into: Uint8Array, at: number): number {
  let to = at
  /** Bits that are not written yet, right-aligned; fewer than eight between two symbols. */
  let pending = 0
  let pendingBits = 0
  for (let i = 0; i < text.length; i++) {
    const symbol = text.charCodeAt(i) & 0xff
    let left = HUFFMAN.bits[symbol]!
    const code = HUFFMAN.code[symbol]!
    while (left > 0) {
      const taken = Math.min(left, 8 - pendingBits)
      left -= taken
      pending = (pending << taken) | ((code >>> left) & ((1 << taken) - 1))
      pendingBits += taken
      if (pendingBits === 8) {
        into[to++] = pending
        pending = 0
        pendingBits = 0
      }
    }
  }
  if (pendingBits > 0) into[to++] = (pending << (8 - pendingBits)) | (0xff >>> pendingBits)
  return to
}
