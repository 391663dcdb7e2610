//! Fields of the header block.
import { LOOKS } from '../matcher.ts'
import type { FieldCompiler } from './field.ts'

/**
 * Each value of a header that came more than once, and all of them joined as whoever is behind the edge may join them: an
 * attack hides neither in the second copy nor across two of them.
 */
export const singleHeader: FieldCompiler<'SingleHeader'> = ({ Name = '' }) => {
  const name = Name.toLowerCase()
  const separator = name === 'cookie' ? '; ' : ', '
  return {
    looks: LOOKS.headers,
    read({ headers }) {
      const values = headers.getAll(name)
      return values.length > 1 ? [...values, values.join(separator)] : values
    },
  }
}
