//! Draws the characters of a puzzle: strokes that are turned, slanted and bent, with curves of the same thickness across
//! them and noise over all. The same seed gives the same picture, so that asking again shows nothing new.
import { crc32, deflateSync } from 'node:zlib'
import type { SeededRandom } from './seeded-random.ts'

export const IMAGE_WIDTH = 260
export const IMAGE_HEIGHT = 90

/** Strokes of each character in a box of 4 by 6, as x, y, x, y ...; those that people take for one another are left out. */
const GLYPHS: Readonly<Record<string, readonly (readonly number[])[]>> = {
  A: [
    [0, 6, 2, 0, 4, 6],
    [0.8, 4, 3.2, 4],
  ],
  C: [[4, 1, 3, 0, 1, 0, 0, 1, 0, 5, 1, 6, 3, 6, 4, 5]],
  D: [[0, 0, 0, 6, 2.5, 6, 4, 4.5, 4, 1.5, 2.5, 0, 0, 0]],
  E: [
    [4, 0, 0, 0, 0, 6, 4, 6],
    [0, 3, 3, 3],
  ],
  F: [
    [4, 0, 0, 0, 0, 6],
    [0, 3, 3, 3],
  ],
  H: [
    [0, 0, 0, 6],
    [4, 0, 4, 6],
    [0, 3, 4, 3],
  ],
  J: [[3.5, 0, 3.5, 5, 2.5, 6, 1, 6, 0, 5]],
  K: [
    [0, 0, 0, 6],
    [4, 0, 0, 3.4],
    [1.2, 2.4, 4, 6],
  ],
  L: [[0, 0, 0, 6, 4, 6]],
  M: [[0, 6, 0, 0, 2, 3.5, 4, 0, 4, 6]],
  N: [[0, 6, 0, 0, 4, 6, 4, 0]],
  P: [[0, 6, 0, 0, 3, 0, 4, 1, 4, 2.3, 3, 3.3, 0, 3.3]],
  R: [
    [0, 6, 0, 0, 3, 0, 4, 1, 4, 2.3, 3, 3.3, 0, 3.3],
    [1.8, 3.3, 4, 6],
  ],
  T: [
    [0, 0, 4, 0],
    [2, 0, 2, 6],
  ],
  U: [[0, 0, 0, 5, 1, 6, 3, 6, 4, 5, 4, 0]],
  W: [[0, 0, 1, 6, 2, 2.5, 3, 6, 4, 0]],
  X: [
    [0, 0, 4, 6],
    [4, 0, 0, 6],
  ],
  Y: [
    [0, 0, 2, 3, 4, 0],
    [2, 3, 2, 6],
  ],
  3: [
    [0, 0.8, 1, 0, 3, 0, 4, 1, 4, 2, 3, 3, 1.5, 3],
    [3, 3, 4, 4, 4, 5, 3, 6, 1, 6, 0, 5.2],
  ],
  4: [[3, 6, 3, 0, 0, 4, 4, 4]],
  7: [[0, 0, 4, 0, 1.5, 6]],
  9: [[4, 2.5, 3, 3.4, 1, 3.4, 0, 2.4, 0, 1, 1, 0, 3, 0, 4, 1, 4, 4, 3, 6, 1, 6]],
}

export const CHARACTERS = Object.keys(GLYPHS).join('')

type Bend = (x: number, y: number) => readonly [number, number]

/** PNG of `text`, whose characters are of CHARACTERS. */
export function drawCaptcha(text: string, random: SeededRandom): Buffer {
  const pixels = new Uint8Array(IMAGE_WIDTH * IMAGE_HEIGHT)
  const between = (low: number, high: number): number => low + random.next() * (high - low)
  const [waveX, waveY] = [between(2.5, 4.5), between(3, 5.5)]
  const [lengthX, lengthY] = [between(14, 22), between(24, 40)]
  const [phaseX, phaseY] = [between(0, 6.3), between(0, 6.3)]
  const bend: Bend = (x, y) => [x + waveX * Math.sin(y / lengthX + phaseX), y + waveY * Math.sin(x / lengthY + phaseY)]
  const step = (IMAGE_WIDTH - 30) / text.length
  const radius = between(1.9, 2.5)
  for (let at = 0; at < text.length; at++) {
    const [turn, slant] = [between(-0.38, 0.38), between(-0.3, 0.3)]
    const [wide, high] = [between(7, 9), between(7, 8.8)]
    const [centreX, centreY] = [18 + step * (at + 0.5) + between(-4, 4), IMAGE_HEIGHT / 2 + between(-7, 7)]
    const [cos, sin] = [Math.cos(turn), Math.sin(turn)]
    const place: Bend = (x, y) => {
      const fromX = (x - 2) * wide + slant * (y - 3) * high
      const fromY = (y - 3) * high
      return bend(centreX + fromX * cos - fromY * sin, centreY + fromX * sin + fromY * cos)
    }
    for (const stroke of GLYPHS[text[at] as string] ?? []) drawStroke(pixels, stroke, place, radius, 230)
  }
  for (let curve = 0; curve < 3; curve++) {
    const [from, to] = [between(12, IMAGE_HEIGHT - 12), between(12, IMAGE_HEIGHT - 12)]
    const [height, length, phase] = [between(5, 16), between(18, 45), between(0, 6.3)]
    const points: number[] = []
    for (let x = -4; x <= IMAGE_WIDTH + 4; x += 6)
      points.push(x, from + ((to - from) * x) / IMAGE_WIDTH + height * Math.sin(x / length + phase))
    // The last one is of the ground's colour, and cuts the strokes.
    drawStroke(pixels, points, (x, y) => [x, y], curve === 2 ? 1 : between(0.9, 1.5), curve === 2 ? 0 : 230)
  }
  for (let at = 0; at < pixels.length; at++) {
    const noise = random.next()
    const shade = (pixels[at] as number) * between(0.75, 1) + noise * 46 + (noise > 0.97 ? 120 : 0)
    pixels[at] = 255 - Math.min(255, shade)
  }
  return png(pixels)
}

function drawStroke(pixels: Uint8Array, stroke: readonly number[], place: Bend, radius: number, shade: number): void {
  let before: readonly [number, number] | null = null
  for (let at = 0; at + 3 < stroke.length; at += 2) {
    const [x0, y0, x1, y1] = stroke.slice(at, at + 4) as [number, number, number, number]
    for (let part = before === null ? 0 : 1; part <= 6; part++) {
      const point = place(x0 + ((x1 - x0) * part) / 6, y0 + ((y1 - y0) * part) / 6)
      if (before !== null) drawLine(pixels, before, point, radius, shade)
      before = point
    }
  }
}

type Point = readonly [number, number]

/** A line with round ends; its edge is as soft as one pixel. */
function drawLine(pixels: Uint8Array, [x0, y0]: Point, [x1, y1]: Point, radius: number, shade: number): void {
  const margin = radius + 1
  const [left, right] = [Math.max(0, Math.floor(Math.min(x0, x1) - margin)), Math.max(x0, x1) + margin]
  const [top, bottom] = [Math.max(0, Math.floor(Math.min(y0, y1) - margin)), Math.max(y0, y1) + margin]
  const [dx, dy] = [x1 - x0, y1 - y0]
  const length = dx * dx + dy * dy || 1
  for (let y = top; y <= bottom && y < IMAGE_HEIGHT; y++) {
    for (let x = left; x <= right && x < IMAGE_WIDTH; x++) {
      const along = Math.max(0, Math.min(1, ((x - x0) * dx + (y - y0) * dy) / length))
      const cover = Math.max(0, Math.min(1, radius + 0.5 - Math.hypot(x - x0 - along * dx, y - y0 - along * dy)))
      const at = y * IMAGE_WIDTH + x
      const was = pixels[at] as number
      pixels[at] = shade === 0 ? was * (1 - cover) : Math.max(was, cover * shade)
    }
  }
}

/** Grey, 8 bits a pixel (RFC 2083). */
function png(pixels: Uint8Array): Buffer {
  const rows = Buffer.alloc((IMAGE_WIDTH + 1) * IMAGE_HEIGHT)
  for (let y = 0; y < IMAGE_HEIGHT; y++)
    rows.set(pixels.subarray(y * IMAGE_WIDTH, (y + 1) * IMAGE_WIDTH), y * (IMAGE_WIDTH + 1) + 1)
  const header = Buffer.alloc(13)
  header.writeUInt32BE(IMAGE_WIDTH, 0)
  header.writeUInt32BE(IMAGE_HEIGHT, 4)
  header[8] = 8
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(rows, { level: 4 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const whole = Buffer.alloc(body.length + 8)
  whole.writeUInt32BE(data.length, 0)
  whole.set(body, 4)
  whole.writeUInt32BE(crc32(body), body.length + 4)
  return whole
}
