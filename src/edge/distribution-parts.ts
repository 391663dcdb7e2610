//! The parts of a distribution document that others may have too: whatever a behavior, an origin or another row of a list
//! holds that is more than a text, a number or a flag; and its certificates. PURE.
import type { DistributionDoc } from '../domain/distribution.ts'

type Fields = Record<string, unknown>

/** A copy of the document with `map` applied to each of its parts. */
export function mapParts(document: DistributionDoc, map: (part: object) => object): DistributionDoc {
  const copy: Fields = { ...document }
  for (const name in copy) {
    const rows = copy[name]
    if (Array.isArray(rows)) copy[name] = rows.map((row) => (isFields(row) ? mapFields(row, map) : row))
  }
  const { viewerCertificate: viewer } = document
  if (viewer !== undefined) copy.viewerCertificate = { ...viewer, certificates: viewer.certificates.map(map) }
  return copy as unknown as DistributionDoc
}

function mapFields(row: Fields, map: (part: object) => object): Fields {
  const copy: Fields = { ...row }
  for (const name in copy) {
    const field = copy[name]
    if (typeof field === 'object' && field !== null) copy[name] = map(field)
  }
  return copy
}

const isFields = (row: unknown): row is Fields => typeof row === 'object' && row !== null && !Array.isArray(row)
