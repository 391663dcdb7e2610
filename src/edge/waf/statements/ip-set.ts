//! IPSetReferenceStatement: the viewer's address, or those that a header names, in a set of CIDRs.
import { AddressRanges, addressWords } from '../address-ranges.ts'
import type { StatementCompiler } from '../compile-context.ts'
import { CannotCompile } from '../compile-context.ts'
import { LOOKS } from '../matcher.ts'
import { forwardedAddresses } from './forwarded-ip.ts'

export const ipSetReference: StatementCompiler<'IPSetReferenceStatement'> = (statement, context) => {
  const { ARN = '', IPSetForwardedIPConfig: forwarded } = statement
  const members = context.doc.ipSets[ARN]
  if (members === undefined) throw new CannotCompile(`the IP set ${ARN} of the rule ${context.rule} is not there`)
  const ranges = new AddressRanges(members)
  if (forwarded === undefined) {
    return {
      looks: LOOKS.other,
      matches({ address }) {
        const words = addressWords(address)
        if (words === null) throw new Error('the address of the viewer is not known')
        return ranges.has(words)
      },
    }
  }
  const addresses = forwardedAddresses(forwarded)
  return context.shared.remembered({
    looks: LOOKS.headers,
    matches(request) {
      const found = addresses(request)
      return typeof found === 'boolean' ? found : found.some((words) => ranges.has(words))
    },
  })
}
