//! SETTINGS (RFC 9113 6.5.2, RFC 9218 2.1): what the viewer asks of us, checked; and ours.
import type { ErrorName } from './frames.ts'
import { FRAME_BYTES, FRAME_BYTES_MAX, SETTING, WINDOW_BYTES_MAX } from './frames.ts'

export interface SettingsTaker {
  /** SETTINGS_HEADER_TABLE_SIZE */
  tableBytes(bytes: number): void
  /** SETTINGS_INITIAL_WINDOW_SIZE; false when a stream's window becomes too large by it. */
  initialWindow(bytes: number): boolean
  /** SETTINGS_MAX_FRAME_SIZE */
  frameBytes(bytes: number): void
}

export class ViewerSettings {
  /** The first frame of them has come. */
  haveCome = false
  #noPriorities = 0

  /** Takes the settings of one frame in their order; the error that one of them is, null for none. */
  read(bytes: Buffer, from: number, end: number, taker: SettingsTaker): ErrorName | null {
    for (let at = from; at < end; at += 6) {
      const wrong = this.#take(bytes.readUInt16BE(at), bytes.readUInt32BE(at + 2), taker)
      if (wrong !== null) return wrong
    }
    this.haveCome = true
    return null
  }

  #take(setting: number, value: number, taker: SettingsTaker): ErrorName | null {
    switch (setting) {
      case SETTING.headerTableSize:
        taker.tableBytes(value)
        return null
      case SETTING.enablePush:
        return value > 1 ? 'PROTOCOL_ERROR' : null
      case SETTING.initialWindowSize:
        return value > WINDOW_BYTES_MAX || !taker.initialWindow(value) ? 'FLOW_CONTROL_ERROR' : null
      case SETTING.maxFrameSize:
        if (value < FRAME_BYTES || value > FRAME_BYTES_MAX) return 'PROTOCOL_ERROR'
        taker.frameBytes(value)
        return null
      case SETTING.noRfc7540Priorities:
        // It may not change after the first frame (RFC 9218 2.1).
        if (value > 1 || (this.haveCome && value !== this.#noPriorities)) return 'PROTOCOL_ERROR'
        this.#noPriorities = value
        return null
      default:
        // MAX_CONCURRENT_STREAMS and MAX_HEADER_LIST_SIZE are about pushes and advice; others are unknown (6.5.2).
        return null
    }
  }
}

/** The payload of our SETTINGS frame: number and value of each. */
export function settingsPayload(settings: readonly (readonly [setting: number, value: number])[]): Buffer {
  const bytes = Buffer.alloc(settings.length * 6)
  settings.forEach(([setting, value], at) => {
    bytes.writeUInt16BE(setting, at * 6)
    bytes.writeUInt32BE(value, at * 6 + 2)
  })
  return bytes
}
