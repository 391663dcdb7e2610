//! RDB files made by hand, as redis 7.0 begins and ends one.
import { Crc64 } from '../../src/keeper/snapshots/crc64.ts'

/** With the string `value` under the key `name` in database 0; `checksum` as the engine writes it or not. */
export function rdbOf(name: string, value: Buffer, checksum: 'right' | 'none' | 'wrong' = 'right'): Buffer {
  const aux = (field: string, encoded: Buffer): Buffer =>
    Buffer.concat([Buffer.from([0xfa, field.length]), Buffer.from(field), encoded])
  const length = Buffer.alloc(5, 0x80)
  length.writeUInt32BE(value.length, 1)
  const all = Buffer.concat([
    Buffer.from('REDIS0010'),
    aux('redis-ver', Buffer.from('\x067.0.15')),
    aux('used-mem', Buffer.from([0xc2, 0, 0, 0x10, 0])),
    Buffer.from([0xfe, 0, 0xfb, 1, 0, 0, name.length]),
    Buffer.from(name),
    length,
    value,
    Buffer.from([0xff]),
  ])
  const crc = new Crc64()
  crc.update(all)
  const end = Buffer.alloc(8)
  if (checksum !== 'none') end.writeBigUInt64LE(crc.value ^ (checksum === 'wrong' ? 1n : 0n))
  return Buffer.concat([all, end])
}
