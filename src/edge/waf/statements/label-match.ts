//! LabelMatchStatement: labels that rules before this one have added
//! (https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-label-match-examples.html).
import type { StatementCompiler } from '../compile-context.ts'
import { LOOKS } from '../matcher.ts'

const FULLY_QUALIFIED = 'awswaf:'

/**
 * A key with a prefix is the whole label, or what it begins with. One without is of the labels of the rule's own web ACL or
 * group: LABEL, the last parts of the label; NAMESPACE, parts that follow each other, the last one of the label apart.
 */
export const labelMatch: StatementCompiler<'LabelMatchStatement'> = ({ Scope, Key }, { labelPrefix }) => {
  const inNamespaces = Scope === 'NAMESPACE'
  const key = inNamespaces && !Key.endsWith(':') ? `${Key}:` : Key
  const test = Key.startsWith(FULLY_QUALIFIED)
    ? (label: string) => (inNamespaces ? label.startsWith(key) : label === key)
    : (label: string) => {
        if (!label.startsWith(labelPrefix)) return false
        const own = `:${label.slice(labelPrefix.length)}`
        return inNamespaces ? own.includes(`:${key}`) : own.endsWith(`:${key}`)
      }
  // What they begin with: any label may follow.
  const mayBe = (doubtful: string) => (doubtful.endsWith(':') ? meets(doubtful) : test(doubtful))
  const meets = (namespace: string) =>
    Key.startsWith(FULLY_QUALIFIED) && (key.startsWith(namespace) || (inNamespaces && namespace.startsWith(key)))
  return {
    looks: LOOKS.other,
    matches({ labels, doubtful }) {
      const sure = doubtful.length === 0 ? labels : labels.filter((label) => !doubtful.includes(label))
      if (sure.some(test)) return true
      if (doubtful.some(mayBe)) throw new Error('a rule before it, which could not be evaluated, would tell')
      return false
    },
  }
}
