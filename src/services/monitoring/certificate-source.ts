//! AWS/CertificateManager: the days until a certificate is over, by its ARN. ACM measures twice a day; here it is every
//! hour, and now, so that a new certificate has a value at once. It follows from the certificate: nothing is stored.
import { daysLeft } from '../../domain/certificates.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Reader } from '../../state/state.ts'
import type { MetricSource } from './source.ts'

const DIMENSION = 'CertificateArn'
const NAME = 'DaysToExpiry'
const HOUR_MS = 3_600_000

export const certificateSource = (state: Pick<Reader, 'get' | 'list'>, clock: Pick<Clock, 'now'>): MetricSource => ({
  namespace: 'AWS/CertificateManager',
  async list() {
    const now = clock.now()
    return (await state.list('certificate')).flatMap(({ id, doc: { material } }) =>
      material === undefined || Date.parse(material.notAfter) <= now
        ? []
        : [{ name: NAME, dimensions: [{ Name: DIMENSION, Value: id }] }],
    )
  },
  async read(name, dimensions, { from, to, period }) {
    const [only] = dimensions
    const isOurs = name === NAME && dimensions.length === 1 && only?.Name === DIMENSION
    const doc = isOurs ? (await state.get('certificate', only.Value ?? ''))?.doc : undefined
    if (doc?.material === undefined) return { unit: undefined, periods: [] }
    const { notAfter } = doc.material
    const now = clock.now()
    const since = Date.parse(doc.issuedAt ?? doc.importedAt ?? doc.createdAt)
    const begins = Math.max(Math.floor(from / period) * period, since)
    const ends = Math.min(to, now + 1, Date.parse(notAfter))
    const periods = new Map<number, number[]>()
    const take = (at: number): void => {
      if (at < begins || at >= ends) return
      const start = Math.floor(at / period) * period
      periods.set(start, [...(periods.get(start) ?? []), daysLeft(notAfter, at)])
    }
    for (let at = Math.ceil(begins / HOUR_MS) * HOUR_MS; at < ends && at < now; at += HOUR_MS) take(at)
    take(now)
    return { unit: 'None', periods: [...periods].map(([at, values]) => ({ at, values })) }
  },
})
