//! Random web ACLs and requests: the compiled plan against a reference that walks the document, statement by statement,
//! with nothing compiled, shared or remembered. No rule may fail.
import fc from 'fast-check'
import type { StoredRule, WebAclDoc } from '../../src/domain/waf/web-acl.ts'
import { compileWebAcl } from '../../src/edge/waf/compile.ts'
import { Evaluation, evaluate } from '../../src/edge/waf/evaluate.ts'
import { TRANSFORM } from '../../src/edge/waf/transformations/table.ts'
import {
  ACCOUNT,
  type AsksWaf,
  groupRule,
  inspected,
  ipSetArn,
  type RuleDraft,
  rule,
  ruleGroupArn,
  ruleGroupDoc,
  type StoredAction,
  type StoredField,
  type StoredStatement,
  webAclDoc,
} from '../support/web-acl.ts'

/** Few pieces, so that what is sought and what is sent meet. */
const PIECES = [
  'a',
  'B',
  'ab',
  '%61',
  '%',
  '+',
  ';',
  '=',
  '&',
  '/',
  '..',
  '//',
  '\\',
  '&#97;',
  '\xc3\xa9',
  '\0',
  ' ',
] as const
const text = fc.array(fc.constantFrom(...PIECES), { maxLength: 5 }).map((pieces) => pieces.join(''))
const inHeader = text.map((value) => value.replaceAll('\0', ''))
const name = fc.constantFrom('a', 'B', 'X-A', 'cookie')
const address = fc.constantFrom('10.0.0.1', '10.1.0.1', '192.0.2.1', '2001:db8::1', '::ffff:10.0.0.1')
const cidr = fc.constantFrom('10.0.0.0/8', '10.0.0.0/16', '10.0.0.1/32', '192.0.2.0/24', '2001:db8::/32', '0.0.0.0/0')
const labelName = fc.constantFrom('a', 'b', 'ns:a', 'ns:ns:b')

const field: fc.Arbitrary<StoredField> = fc.oneof(
  fc.constantFrom<StoredField>(
    { Method: {} },
    { UriPath: {} },
    { QueryString: {} },
    { AllQueryArguments: {} },
    { Body: {} },
  ),
  name.map((Name) => ({ SingleHeader: { Name } })),
  name.map((Name) => ({ SingleQueryArgument: { Name } })),
)
const transformationTypes = Object.keys(TRANSFORM) as (keyof typeof TRANSFORM)[]
const steps = fc
  .uniqueArray(fc.constantFrom(...transformationTypes), { maxLength: 4 })
  .map((types) => types.map((Type, Priority) => ({ Type, Priority })).reverse())

const leaf: fc.Arbitrary<StoredStatement> = fc.oneof(
  fc
    .record({
      SearchString: text.map((sought) => Buffer.from(sought, 'latin1').toString('base64')),
      FieldToMatch: field,
      TextTransformations: steps,
      PositionalConstraint: fc.constantFrom('CONTAINS', 'CONTAINS_WORD', 'ENDS_WITH', 'EXACTLY', 'STARTS_WITH'),
    })
    .map((ByteMatchStatement) => ({ ByteMatchStatement })),
  fc
    .record({
      FieldToMatch: field,
      TextTransformations: steps,
      ComparisonOperator: fc.constantFrom('EQ', 'NE', 'LE', 'LT', 'GE', 'GT'),
      Size: fc.nat(8),
    })
    .map((SizeConstraintStatement) => ({ SizeConstraintStatement })),
  fc.constantFrom('some', 'none').map((set) => ({ IPSetReferenceStatement: { ARN: ipSetArn(set) } })),
  fc.constantFrom(['DE'], ['US', 'XX']).map((codes) => ({ GeoMatchStatement: { CountryCodes: codes as never } })),
  fc
    .record({
      Scope: fc.constantFrom('LABEL', 'NAMESPACE'),
      Key: fc.oneof(labelName, fc.constantFrom('ns:', 'awswaf:clientip:geo:')),
    })
    .map((LabelMatchStatement) => ({ LabelMatchStatement })),
)

const { statement } = fc.letrec<{ statement: StoredStatement }>((tie) => ({
  statement: fc.oneof(
    { maxDepth: 5, depthSize: 'small' },
    leaf,
    fc.array(tie('statement'), { minLength: 1, maxLength: 3 }).map((Statements) => ({ AndStatement: { Statements } })),
    fc.array(tie('statement'), { minLength: 1, maxLength: 3 }).map((Statements) => ({ OrStatement: { Statements } })),
    tie('statement').map((inside) => ({ NotStatement: { Statement: inside } })),
  ),
}))
/** As deep as the API takes them. */
const deep = fc
  .tuple(leaf, fc.array(fc.boolean(), { minLength: 15, maxLength: 20 }))
  .map(([inside, turns]) =>
    turns.reduce<StoredStatement>(
      (Statement, turn) => (turn ? { NotStatement: { Statement } } : { AndStatement: { Statements: [Statement] } }),
      inside,
    ),
  )

const handling = fc
  .constantFrom(undefined, 'one', 'two')
  .map((Name) => (Name === undefined ? {} : { CustomRequestHandling: { InsertHeaders: [{ Name, Value: Name }] } }))
const action: fc.Arbitrary<StoredAction> = fc.oneof(
  { weight: 3, arbitrary: handling.map((Count) => ({ Count })) },
  { weight: 1, arbitrary: handling.map((Allow) => ({ Allow })) },
  { weight: 1, arbitrary: fc.constant({ Block: {} }) },
)
const plainRule = fc
  .tuple(
    fc.oneof({ weight: 9, arbitrary: statement }, { weight: 1, arbitrary: deep }),
    action,
    fc.array(labelName, { maxLength: 2 }),
  )
  .map(([of, does, labels]) => rule('', of, does, { RuleLabels: labels.map((Name) => ({ Name })) }))
const named = (rules: readonly RuleDraft[]): RuleDraft[] => rules.map((one, at) => ({ ...one, Name: `r${at}` }))

const document: fc.Arbitrary<WebAclDoc> = fc
  .record({
    rules: fc.array(plainRule, { maxLength: 6 }),
    group: fc.array(plainRule, { minLength: 1, maxLength: 3 }),
    groupAt: fc.nat(6),
    counts: fc.boolean(),
    excluded: fc.boolean(),
    cidrs: fc.array(cidr, { maxLength: 4 }),
    allows: fc.boolean(),
  })
  .map(({ rules, group, groupAt, counts, excluded, cidrs, allows }) => {
    const reference = groupRule(
      '',
      {
        RuleGroupReferenceStatement: {
          ARN: ruleGroupArn('g'),
          ...(excluded ? { ExcludedRules: [{ Name: 'r0' }] } : {}),
        },
      },
      { OverrideAction: counts ? { Count: {} } : { None: {} } },
    )
    return webAclDoc(named(rules.toSpliced(groupAt, 0, reference)), {
      ipSets: { [ipSetArn('some')]: cidrs, [ipSetArn('none')]: [] },
      ruleGroups: ruleGroupDoc('g', named(group)),
      acl: { DefaultAction: allows ? { Allow: {} } : { Block: {} } } as never,
    })
  })

const request: fc.Arbitrary<AsksWaf> = fc.record({
  method: fc.constantFrom('GET', 'POST', 'a'),
  target: fc
    .tuple(text, fc.option(text))
    .map(([path, query]) => `/${path.replaceAll('?', '')}${query === null ? '' : `?${query}`}`),
  headers: fc.array(fc.tuple(name, inHeader), { maxLength: 4 }).map((pairs) => pairs.flat()),
  body: text,
  address,
})
const PLACES = { '10.0.0.1': { country: 'DE', region: 'BE' }, '192.0.2.1': { country: 'US' } }

interface Said {
  readonly action: string
  readonly rule: string | null
  readonly counted: readonly string[]
  readonly labels: readonly string[]
  readonly inserts: readonly string[]
}

function compiledSays(doc: WebAclDoc, asks: AsksWaf): Said {
  const plan = compileWebAcl(doc)
  if (plan.broken !== null) throw new Error(`cannot be compiled: ${plan.broken}`)
  const once = (): Said => {
    const seen = inspected({ ...asks, places: PLACES })
    const evaluation = new Evaluation(seen)
    const verdict = evaluate(plan, evaluation, {
      challenges: null,
      failed: (_plan, of, error) => {
        throw new Error(`the rule ${of.name} failed: ${(error as Error).stack}`)
      },
    })
    if (verdict === null) throw new Error('it waits for a body that is there')
    return {
      action: verdict.action,
      rule: verdict.rule?.name ?? null,
      counted: evaluation.counted.map(({ rule: of }) => of.name),
      labels: seen.labels,
      inserts: verdict.inserts.map(([of]) => of),
    }
  }
  return once()
}

/** What stands in the document, done as it stands there. */
class Reference {
  readonly #doc: WebAclDoc
  readonly #asks: AsksWaf
  readonly labels: string[] = []
  readonly counted: string[] = []
  inserts: string[] = []
  #prefix = ''

  constructor(doc: WebAclDoc, asks: AsksWaf) {
    this.#doc = doc
    this.#asks = asks
  }

  says(): Said {
    const ended = this.#rules(this.#doc.acl.Rules ?? [], `awswaf:${ACCOUNT}:webacl:acl:`, new Set())
    const byDefault = this.#doc.acl.DefaultAction.Allow === undefined ? 'BLOCK' : 'ALLOW'
    const { action: does, rule: by, inserted } = ended ?? { action: byDefault, rule: null, inserted: [] }
    this.#insert(inserted)
    const { labels, counted } = this
    return { action: does, rule: by, counted, labels, inserts: does === 'BLOCK' ? [] : this.inserts }
  }

  #rules(
    rules: readonly StoredRule[],
    prefix: string,
    excluded: ReadonlySet<string>,
  ): { action: string; rule: string; inserted: readonly string[] } | null {
    for (const one of rules) {
      const group = one.Statement.RuleGroupReferenceStatement
      if (group !== undefined) {
        const names = new Set((group.ExcludedRules ?? []).map(({ Name }) => Name))
        const { rules: inside = [] } = this.#doc.ruleGroups[group.ARN] ?? {}
        const ended = this.#rules(inside, `awswaf:${ACCOUNT}:rulegroup:g:`, names)
        if (ended === null) continue
        if (one.OverrideAction?.Count === undefined) return ended
        this.counted.push(ended.rule)
        continue
      }
      this.#prefix = prefix
      if (!this.#matches(one.Statement)) continue
      for (const { Name } of one.RuleLabels ?? []) this.#label(`${prefix}${Name}`)
      const does = excluded.has(one.Name) ? { Count: {} } : (one.Action ?? {})
      const inserted = ((does.Count ?? does.Allow)?.CustomRequestHandling?.InsertHeaders ?? []).map(({ Name }) => Name)
      if (does.Block !== undefined) return { action: 'BLOCK', rule: one.Name, inserted }
      if (does.Allow !== undefined) return { action: 'ALLOW', rule: one.Name, inserted }
      this.#insert(inserted)
      this.counted.push(one.Name)
    }
    return null
  }

  #insert(names: readonly string[]): void {
    const added = names.map((of) => `x-amzn-waf-${of}`)
    this.inserts = [...this.inserts.filter((of) => !added.includes(of)), ...added]
  }

  #label(label: string): void {
    if (!this.labels.includes(label)) this.labels.push(label)
  }

  #matches(of: StoredStatement): boolean {
    if (of.AndStatement !== undefined) return of.AndStatement.Statements.every((one) => this.#matches(one))
    if (of.OrStatement !== undefined) return of.OrStatement.Statements.some((one) => this.#matches(one))
    if (of.NotStatement !== undefined) return !this.#matches(of.NotStatement.Statement)
    if (of.LabelMatchStatement !== undefined) return this.#labelled(of.LabelMatchStatement)
    if (of.IPSetReferenceStatement !== undefined) return this.#inSet(of.IPSetReferenceStatement.ARN)
    if (of.GeoMatchStatement !== undefined) return this.#isIn(of.GeoMatchStatement.CountryCodes ?? [])
    const { ByteMatchStatement: bytes, SizeConstraintStatement: size } = of
    const { FieldToMatch, TextTransformations } = (bytes ?? size)!
    const ordered = [...TextTransformations].sort((one, other) => one.Priority - other.Priority)
    const texts = this.#field(FieldToMatch).map((found) =>
      ordered.reduce((so, { Type }) => TRANSFORM[Type]!(so), found),
    )
    if (size !== undefined) {
      return texts.some(({ length }) => {
        const by = Math.sign(length - size.Size)
        return { EQ: by === 0, NE: by !== 0, LE: by <= 0, LT: by < 0, GE: by >= 0, GT: by > 0 }[size.ComparisonOperator]
      })
    }
    const sought = Buffer.from(bytes!.SearchString, 'base64').toString('latin1')
    const escaped = sought.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
    const expression = {
      CONTAINS: escaped,
      CONTAINS_WORD: sought === '' ? '(?!)' : `(?<![A-Za-z0-9_])${escaped}(?![A-Za-z0-9_])`,
      ENDS_WITH: `${escaped}$`,
      EXACTLY: `^${escaped}$`,
      STARTS_WITH: `^${escaped}`,
    }[bytes!.PositionalConstraint]
    return texts.some((found) => new RegExp(expression, 's').test(found))
  }

  #labelled({ Scope, Key }: NonNullable<StoredStatement['LabelMatchStatement']>): boolean {
    const parts = Key.split(':').filter((part) => part !== '')
    return this.labels.some((label) => {
      if (Key.startsWith('awswaf:')) return Scope === 'LABEL' ? label === Key : label.startsWith(`${parts.join(':')}:`)
      if (!label.startsWith(this.#prefix)) return false
      const own = label.slice(this.#prefix.length).split(':')
      if (Scope === 'LABEL') return Key === own.slice(-Key.split(':').length).join(':')
      const spaces = own.slice(0, -1)
      return spaces.some((_, at) => parts.every((part, further) => spaces[at + further] === part))
    })
  }

  #inSet(arn: string): boolean {
    const plain = this.#asks.address!.replace('::ffff:', '')
    return (this.#doc.ipSets[arn] ?? []).some((range) => {
      const [first = '', bits] = range.split('/')
      if (first.includes(':') || plain.includes(':')) return first.includes(':') && plain.startsWith('2001:db8:')
      const binary = (of: string) =>
        of
          .split('.')
          .map((part) => Number(part).toString(2).padStart(8, '0'))
          .join('')
      return binary(plain).slice(0, Number(bits)) === binary(first).slice(0, Number(bits))
    })
  }

  #isIn(codes: readonly string[]): boolean {
    const { country = 'XX', region = 'XX' } =
      (PLACES as Record<string, { country?: string; region?: string }>)[this.#asks.address!] ?? {}
    this.#label(`awswaf:clientip:geo:country:${country}`)
    this.#label(`awswaf:clientip:geo:region:${country}-${region}`)
    return codes.includes(country)
  }

  #field(of: StoredField): string[] {
    const { method = '', target = '', headers = [], body } = this.#asks
    const mark = target.indexOf('?')
    const query = mark < 0 ? '' : target.slice(mark + 1)
    if (of.Method !== undefined) return [method]
    if (of.UriPath !== undefined) return [mark < 0 ? target : target.slice(0, mark)]
    if (of.QueryString !== undefined) return [query]
    if (of.Body !== undefined) return [body as string]
    if (of.SingleHeader !== undefined) {
      const sought = of.SingleHeader.Name.toLowerCase()
      const values = headers.filter((_, at) => at % 2 === 1 && headers[at - 1]!.toLowerCase() === sought)
      return values.length > 1 ? [...values, values.join(sought === 'cookie' ? '; ' : ', ')] : values
    }
    const pairs = query
      .split('&')
      .filter((part) => part !== '')
      .map((part) =>
        part.includes('=') ? [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)] : [part, part],
      )
    const sought = of.SingleQueryArgument?.Name.toLowerCase()
    return pairs
      .filter(
        ([sent = '']) =>
          sought === undefined || [sent, TRANSFORM.URL_DECODE!(sent)].some((one) => one.toLowerCase() === sought),
      )
      .map(([, value = '']) => value)
  }
}

export interface WafFinding {
  readonly seed: number
  readonly what: string
}

/** Compares so many cases from the seed on; null when nothing was found. */
export function fuzzWaf(
  seed: number,
  cases: number,
): { readonly finding: WafFinding | null; readonly ended: Record<string, number> } {
  const ended: Record<string, number> = {}
  const property = fc.property(document, fc.array(request, { minLength: 1, maxLength: 4 }), (doc, all) => {
    for (const asks of all) {
      const expected = new Reference(doc, asks).says()
      const said = compiledSays(doc, asks)
      ended[`${said.action} by ${said.rule === null ? 'default' : 'rule'}`] =
        (ended[`${said.action} by ${said.rule === null ? 'default' : 'rule'}`] ?? 0) + 1
      const [one, other] = [JSON.stringify(said), JSON.stringify(expected)]
      if (one !== other) throw new Error(`said ${one}, the document says ${other}`)
    }
  })
  const result = fc.check(property, { seed, numRuns: cases, endOnFailure: false })
  if (!result.failed) return { finding: null, ended }
  const what = `${JSON.stringify(result.counterexample, null, 1)}\n${result.errorInstance}`
  return { finding: { seed, what }, ended }
}
