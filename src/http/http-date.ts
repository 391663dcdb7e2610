//! HTTP-date (RFC 9110 5.6.7): written as IMF-fixdate, read in the three forms that a recipient must understand, in any
//! case of letters (RFC 9111 4.2) and in no zone but GMT.

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const

const MONTHS_LOWER = MONTHS.map((month) => month.toLowerCase())

const two = (n: number): string => (n < 10 ? `0${n}` : `${n}`)

/** `Sun, 06 Nov 1994 08:49:37 GMT` of milliseconds since the epoch (years 0-9999). */
export function formatHttpDate(ms: number): string {
  const t = new Date(ms)
  const day = `${DAYS[t.getUTCDay()]}, ${two(t.getUTCDate())} ${MONTHS[t.getUTCMonth()]}`
  const year = `${t.getUTCFullYear()}`.padStart(4, '0')
  return `${day} ${year} ${two(t.getUTCHours())}:${two(t.getUTCMinutes())}:${two(t.getUTCSeconds())} GMT`
}

const TIME = '(\\d{2}):(\\d{2}):(\\d{2})'
const IMF_FIXDATE = new RegExp(`^(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat), (\\d{2}) ([a-z]{3}) (\\d{4}) ${TIME} GMT$`, 'i')
const RFC_850 = new RegExp(`^[a-z]+day, (\\d{2})-([a-z]{3})-(\\d{2}) ${TIME} GMT$`, 'i')
const ASCTIME = new RegExp(`^(?:Sun|Mon|Tue|Wed|Thu|Fri|Sat) ([a-z]{3}) ([ \\d]\\d) ${TIME} (\\d{4})$`, 'i')

/**
 * Milliseconds since the epoch, or null for anything that is not an HTTP-date. `nowMs` settles the century of the
 * obsolete two-digit year: a date over 50 years ahead means the past century.
 */
export function parseHttpDate(text: string, nowMs: number): number | null {
  const imf = IMF_FIXDATE.exec(text)
  if (imf !== null) return utc(imf[3], imf[2], imf[1], imf[4], imf[5], imf[6])
  const asctime = ASCTIME.exec(text)
  if (asctime !== null) return utc(asctime[6], asctime[1], asctime[2], asctime[3], asctime[4], asctime[5])
  const rfc850 = RFC_850.exec(text)
  if (rfc850 === null) return null
  const thisYear = new Date(nowMs).getUTCFullYear()
  let year = thisYear - (thisYear % 100) + Number(rfc850[3])
  if (year > thisYear + 50) year -= 100
  return utc(`${year}`, rfc850[2], rfc850[1], rfc850[4], rfc850[5], rfc850[6])
}

function utc(
  year: string | undefined,
  month: string | undefined,
  day: string | undefined,
  hour: string | undefined,
  minute: string | undefined,
  second: string | undefined,
): number | null {
  const at = MONTHS_LOWER.indexOf(month?.toLowerCase() ?? '')
  const [d, h, m, s] = [Number(day), Number(hour), Number(minute), Number(second)]
  // 60 is a leap second, which the grammar allows and Date.UTC carries over.
  if (at < 0 || d < 1 || d > 31 || h > 23 || m > 59 || s > 60) return null
  const date = new Date(0)
  date.setUTCFullYear(Number(year), at, d)
  if (date.getUTCMonth() !== at) return null
  return date.setUTCHours(h, m, s, 0)
}
