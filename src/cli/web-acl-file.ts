//! The web ACL that `cachefront waf replay` is given: a file, or one of the installation by its name or ARN, with the sets and
//! groups that its rules name.
import { readFile, stat } from 'node:fs/promises'
import type { WAFV2 } from '@aws-sdk/client-wafv2'
import { statementsOf } from '../domain/waf/walk.ts'
import type { RuleGroupDoc, StoredRule, WebAclDoc } from '../domain/waf/web-acl.ts'
import { CliError, type CliHost } from './host.ts'
import type { ClientOptions } from './installation-file.ts'
import { sdkError, sdkSettings } from './sdk.ts'

const SCOPE = 'CLOUDFRONT'

/** @throws CliError when there is none */
export async function findWebAcl(host: CliHost, wanted: string, options: ClientOptions): Promise<WebAclDoc> {
  const isFile = await stat(wanted).then(
    (found) => found.isFile(),
    () => false,
  )
  if (isFile) return webAclOf(await readFile(wanted, 'utf8'), wanted)
  if (wanted.endsWith('.json')) throw new CliError(`There is no file ${wanted}.`)
  const settings = sdkSettings(host, options)
  const { WAFV2: Client } = await import('@aws-sdk/client-wafv2')
  const client = new Client(settings)
  try {
    return await ofInstallation(client, wanted)
  } catch (error) {
    throw sdkError(error, settings.endpoint)
  } finally {
    client.destroy()
  }
}

/**
 * What `aws wafv2 get-web-acl` prints, or its WebACL alone; it may have `ipSets`, `regexSets` and `ruleGroups` beside it, by
 * ARN (domain/waf/web-acl.ts, WebAclDoc). Bytes are base64, as the AWS CLI prints them.
 */
function webAclOf(text: string, named: string): WebAclDoc {
  let document: { WebACL?: WebAclDoc['acl'] } & Partial<WebAclDoc> & WebAclDoc['acl']
  try {
    document = JSON.parse(text)
  } catch (error) {
    throw new CliError(`${named} is no JSON: ${(error as Error).message}`)
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new CliError(`${named} holds no web ACL.`)
  const acl = document.acl ?? document.WebACL ?? document
  if (acl.DefaultAction === undefined)
    throw new CliError(`${named} holds no web ACL: it has neither DefaultAction nor WebACL.`)
  const { ipSets = {}, regexSets = {}, ruleGroups = {} } = document
  return { ...namesOf(acl), acl, ipSets, regexSets, ruleGroups }
}

function namesOf({ Name: name = 'file', ARN, Id: id = 'file' }: Partial<WebAclDoc['acl']>) {
  return { name, id, arn: ARN ?? `arn:aws:wafv2:us-east-1:123456789012:global/webacl/${name}/${id}` }
}

async function ofInstallation(client: WAFV2, wanted: string): Promise<WebAclDoc> {
  let found: { Name?: string | undefined; Id?: string | undefined } | undefined
  for (
    let marker: string | undefined, first = true;
    found === undefined && (first || marker !== undefined);
    first = false
  ) {
    const { WebACLs = [], NextMarker } = await client.listWebACLs({ Scope: SCOPE, NextMarker: marker, Limit: 100 })
    found = WebACLs.find(({ Name, ARN }) => Name === wanted || ARN === wanted)
    marker = NextMarker
  }
  if (found === undefined) throw new CliError(`There is neither a web ACL nor a file ${wanted}.`)
  const answer = await client.getWebACL({ Scope: SCOPE, Name: found.Name, Id: found.Id })
  const acl = stored(answer.WebACL) as WebAclDoc['acl']
  const named = namedBy(acl.Rules ?? [])
  const ruleGroups: Record<string, RuleGroupDoc> = {}
  for (const arn of named.ruleGroups) {
    const { RuleGroup } = await client.getRuleGroup({ ARN: arn })
    const rules = stored(RuleGroup?.Rules ?? []) as readonly StoredRule[]
    ruleGroups[arn] = {
      arn,
      name: RuleGroup?.Name ?? '',
      rules,
      customResponseBodies: (stored(RuleGroup?.CustomResponseBodies) ?? {}) as RuleGroupDoc['customResponseBodies'],
    }
    const inside = namedBy(rules)
    for (const kind of ['ipSets', 'regexSets'] as const) for (const one of inside[kind]) named[kind].add(one)
  }
  const ipSets: Record<string, readonly string[]> = {}
  for (const arn of named.ipSets)
    ipSets[arn] = (await client.getIPSet({ Scope: SCOPE, ...nameAndId(arn) })).IPSet?.Addresses ?? []
  const regexSets: Record<string, readonly string[]> = {}
  for (const arn of named.regexSets) {
    const { RegexPatternSet } = await client.getRegexPatternSet({ Scope: SCOPE, ...nameAndId(arn) })
    regexSets[arn] = (RegexPatternSet?.RegularExpressionList ?? []).flatMap(({ RegexString }) => RegexString ?? [])
  }
  return { ...namesOf(acl), acl, ipSets, regexSets, ruleGroups }
}

/** ARNs of what rules name. */
function namedBy(rules: readonly StoredRule[]) {
  const named = { ipSets: new Set<string>(), regexSets: new Set<string>(), ruleGroups: new Set<string>() }
  for (const rule of rules)
    for (const { name, body } of statementsOf(rule)) {
      if (name === 'IPSetReferenceStatement') named.ipSets.add(body.ARN)
      if (name === 'RegexPatternSetReferenceStatement') named.regexSets.add(body.ARN)
      if (name === 'RuleGroupReferenceStatement') named.ruleGroups.add(body.ARN)
    }
  return named
}

/** `arn:aws:wafv2:us-east-1:123456789012:global/ipset/NAME/ID` */
function nameAndId(arn: string) {
  const [, , Name = '', Id = ''] = arn.split('/')
  return { Name, Id }
}

/** Bytes as base64, which a Buffer would not become by itself. */
const stored = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value ?? null, function (this: Record<string, unknown>, key, shown: unknown) {
      const own = this[key]
      return own instanceof Uint8Array ? Buffer.from(own).toString('base64') : shown
    }),
  )
