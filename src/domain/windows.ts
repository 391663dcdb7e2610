//! Weekly maintenance windows and daily snapshot windows (spec/elasticache.md 1.6). Times are UTC.
import { invalidValue } from './elasticache-faults.ts'

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const
const DAY_MINUTES = 24 * 60
const MINUTE_MS = 60_000
export const DAY_MS = DAY_MINUTES * MINUTE_MS
const WEEK_MINUTES = 7 * DAY_MINUTES
/** Shortest window of either kind, in minutes. */
const WINDOW_MINUTES_MIN = 60
/** AWS chooses the maintenance window within the region's 8-hour night; us-east-1's is 03:00-11:00. */
const NIGHT_FROM = 3 * 60
const NIGHT_MINUTES = 8 * 60

const MAINTENANCE = /^([a-z]{3}):(\d\d):(\d\d)-([a-z]{3}):(\d\d):(\d\d)$/
const SNAPSHOT = /^(\d\d):(\d\d)-(\d\d):(\d\d)$/

/**
 * The stored form of `ddd:hh24:mi-ddd:hh24:mi`.
 * @throws InvalidParameterValue for another shape or under 60 minutes.
 */
export function maintenanceWindow(text: string): string {
  const window = text.trim().toLowerCase()
  const [, fromDay = '', fromHour, fromMinute, toDay = '', toHour, toMinute] = MAINTENANCE.exec(window) ?? []
  const from = minutes(fromHour, fromMinute, (DAYS as readonly string[]).indexOf(fromDay))
  const to = minutes(toHour, toMinute, (DAYS as readonly string[]).indexOf(toDay))
  if (from === null || to === null || (to - from + WEEK_MINUTES) % WEEK_MINUTES < WINDOW_MINUTES_MIN) {
    throw invalidValue(
      `PreferredMaintenanceWindow is not valid: "${window.slice(0, 40)}". Give ddd:hh24:mi-ddd:hh24:mi in UTC, at least 60 minutes, e.g. sun:05:00-sun:06:00.`,
    )
  }
  return window
}

/**
 * The stored form of `hh24:mi-hh24:mi`.
 * @throws InvalidParameterValue for another shape or under 60 minutes.
 */
export function snapshotWindow(text: string): string {
  const window = text.trim()
  const [, fromHour, fromMinute, toHour, toMinute] = SNAPSHOT.exec(window) ?? []
  const from = minutes(fromHour, fromMinute, 0)
  const to = minutes(toHour, toMinute, 0)
  if (from === null || to === null || (to - from + DAY_MINUTES) % DAY_MINUTES < WINDOW_MINUTES_MIN) {
    throw invalidValue(
      `SnapshotWindow is not valid: "${window.slice(0, 40)}". Give hh24:mi-hh24:mi in UTC, at least 60 minutes, e.g. 05:00-06:00.`,
    )
  }
  return window
}

/** A window that AWS would choose: 60 minutes in the night, on a weekday; `pick` in [0, 1) chooses. */
export function chosenMaintenanceWindow(pick: number): string {
  const day = DAYS[1 + Math.floor(pick * 5)] ?? 'mon'
  const from = NIGHT_FROM + Math.floor(((pick * 5) % 1) * (NIGHT_MINUTES / 30 - 1)) * 30
  return `${day}:${clock(from)}-${day}:${clock(from + 60)}`
}

/**
 * A snapshot window that AWS would choose; `pick` in [0, 1) chooses. It lies before the night of the maintenance, or at
 * the next time that does not overlap the window that the maintenance has.
 */
export function chosenSnapshotWindow(pick: number, maintenance: string): string {
  const first = Math.floor(pick * 4) * 30
  const begins = Array.from({ length: DAY_MINUTES / 30 }, (_, at) => (first + at * 30) % DAY_MINUTES)
  const windows = begins.map((from) => `${clock(from)}-${clock((from + 60) % DAY_MINUTES)}`)
  return windows.find((window) => !windowsOverlap(maintenance, window)) ?? (windows[0] as string)
}

/** Whether a stored maintenance window and a stored snapshot window have a minute in common on any day. */
export function windowsOverlap(maintenance: string, snapshot: string): boolean {
  const [, fromDay = '', fromHour, fromMinute, toDay = '', toHour, toMinute] = MAINTENANCE.exec(maintenance) ?? []
  const from = minutes(fromHour, fromMinute, (DAYS as readonly string[]).indexOf(fromDay)) ?? 0
  const to = minutes(toHour, toMinute, (DAYS as readonly string[]).indexOf(toDay)) ?? 0
  const length = (to - from + WEEK_MINUTES) % WEEK_MINUTES
  const daily = dailyWindow(snapshot)
  // Minutes from the begin of the maintenance to the next begin of the daily window, and from there to the next ...
  const untilDaily = (daily.from - (from % DAY_MINUTES) + DAY_MINUTES) % DAY_MINUTES
  return untilDaily < length || untilDaily + daily.length > DAY_MINUTES
}

/** Whether a stored maintenance window is open at `now` (milliseconds). */
export function isInMaintenance(window: string, now: number): boolean {
  const [, fromDay = '', fromHour, fromMinute, toDay = '', toHour, toMinute] = MAINTENANCE.exec(window) ?? []
  const from = minutes(fromHour, fromMinute, (DAYS as readonly string[]).indexOf(fromDay)) ?? 0
  const to = minutes(toHour, toMinute, (DAYS as readonly string[]).indexOf(toDay)) ?? 0
  const at = new Date(now)
  const minute = at.getUTCDay() * DAY_MINUTES + at.getUTCHours() * 60 + at.getUTCMinutes()
  return (minute - from + WEEK_MINUTES) % WEEK_MINUTES < (to - from + WEEK_MINUTES) % WEEK_MINUTES
}

/** When the daily window that is open at `now` began, or the last one before; milliseconds. */
export function lastWindowStart(snapshot: string, now: number): number {
  const midnight = Math.floor(now / DAY_MS) * DAY_MS
  const today = midnight + dailyWindow(snapshot).from * MINUTE_MS
  return today <= now ? today : today - DAY_MS
}

function dailyWindow(window: string): { readonly from: number; readonly length: number } {
  const [, fromHour, fromMinute, toHour, toMinute] = SNAPSHOT.exec(window) ?? []
  const from = minutes(fromHour, fromMinute, 0) ?? 0
  const to = minutes(toHour, toMinute, 0) ?? 0
  return { from, length: (to - from + DAY_MINUTES) % DAY_MINUTES }
}

function minutes(hour: string | undefined, minute: string | undefined, day: number): number | null {
  if (hour === undefined || minute === undefined || day < 0) return null
  if (Number(hour) > 23 || Number(minute) > 59) return null
  return day * DAY_MINUTES + Number(hour) * 60 + Number(minute)
}

const clock = (at: number): string =>
  `${String(Math.floor(at / 60)).padStart(2, '0')}:${String(at % 60).padStart(2, '0')}`
