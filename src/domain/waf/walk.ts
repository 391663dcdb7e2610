//! The statements of rules, the nested ones too, one after the other. Nothing here is recursive: how deep statements are
//! nested is the caller's to bound, and no depth of a stored document may end a process.
import type { Statement } from '@aws-sdk/client-wafv2'
import { STATEMENTS, type StatementName } from './statements.ts'
import type { Stored, StoredRule } from './web-acl.ts'

export type StoredStatement = Stored<Statement>

/** One kind of statement that a Statement has: AWS takes exactly one. */
export type Found = {
  readonly [Name in StatementName]: {
    readonly name: Name
    readonly body: NonNullable<StoredStatement[Name]>
    /** From the rule: `Statement.AndStatement.Statements[0].NotStatement`. */
    readonly path: string
    /** Statements around it. */
    readonly depth: number
    /** The kind of statement that it stands in directly; null for the statement of a rule. */
    readonly within: StatementName | null
  }
}[StatementName]

interface Place {
  readonly statement: StoredStatement
  readonly path: string
  readonly depth: number
  readonly within: StatementName | null
}

/** Kinds that a Statement has, members that are no kinds left out. */
export const kindsOf = (statement: StoredStatement): StatementName[] =>
  (Object.keys(statement) as StatementName[]).filter(
    (name) => Object.hasOwn(STATEMENTS, name) && statement[name] !== undefined,
  )

/** Every statement in `rule`, each before those inside it. `onPlace` hears of each Statement, also of one of no kind. */
export function* statementsOf(
  rule: Pick<StoredRule, 'Statement'>,
  onPlace: (place: Place) => void = () => {},
): Generator<Found> {
  const open: Place[] = [{ statement: rule.Statement, path: 'Statement', depth: 0, within: null }]
  for (let place = open.pop(); place !== undefined; place = open.pop()) {
    onPlace(place)
    for (const name of kindsOf(place.statement)) {
      const body = place.statement[name]
      const found = { ...place, name, body, path: `${place.path}.${name}` } as unknown as Found
      yield found
      for (const [member, statement] of [...inside(found)].reverse()) {
        open.push({ statement, path: `${found.path}.${member}`, depth: place.depth + 1, within: name })
      }
    }
  }
}

/** Statements that one has, by the member that they stand in. */
function* inside({ name, body }: Found): Generator<readonly [member: string, statement: StoredStatement]> {
  if (name === 'NotStatement') yield ['Statement', body.Statement]
  if (name === 'AndStatement' || name === 'OrStatement') {
    for (const [at, statement] of body.Statements.entries()) yield [`Statements[${at}]`, statement]
  }
  if ((name === 'RateBasedStatement' || name === 'ManagedRuleGroupStatement') && body.ScopeDownStatement) {
    yield ['ScopeDownStatement', body.ScopeDownStatement]
  }
}
