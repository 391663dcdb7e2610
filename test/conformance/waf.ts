//! `npm run conformance:waf`: attacks and harmless requests of public test data go through the front door of an edge whose
//! web ACL has all of AWS's managed rule groups that are built. Exit codes: 0 above the floors, 1 below, 2 usage.
import type { TestContext } from 'node:test'
import { parseArgs } from 'node:util'
import { startOrigin } from '../support/edge-origin.ts'
import { behaviorDoc, distributionDoc, EdgeScenario, HOST } from '../support/edge-scenario.ts'
import { ACL_ARN } from '../support/web-acl.ts'
import { type CorpusRequest, loadCorpus } from './waf/corpus.ts'
import { managedAcl } from './waf/managed-acl.ts'
import { byCategory, type Classified, isWrong, score } from './waf/score.ts'

/** A little below what was measured when the rules were last changed: raise them with the rules. */
const FLOORS = { precision: 0.95, recall: 0.8 }

const USAGE = `Usage: npm run conformance:waf -- [--verbose] [--json]
  --verbose  every attack that went through and every harmless request that was refused
  --json     counts and those requests as JSON`

const METHODS = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'POST', 'PATCH', 'DELETE']

async function main(): Promise<number> {
  const options = optionsOf()
  if (options === null) return 2
  const ends: (() => unknown)[] = []
  const t = { after: (end: () => unknown) => ends.push(end) } as unknown as TestContext
  try {
    const all = await classified(t, loadCorpus())
    const parts = { all, tuning: partOf(all, 'tuning'), 'held-out': partOf(all, 'held-out') }
    const scores = Object.entries(parts).map(([part, of]) => ({ part, ...score(of) }))
    const wrong = all.filter(isWrong)
    if (options.json)
      console.log(JSON.stringify({ floors: FLOORS, scores, categories: byCategory(all), wrong }, null, 2))
    else print(scores, all, options.verbose ? wrong : [])
    const { precision, recall } = score(all)
    if (precision >= FLOORS.precision && recall >= FLOORS.recall) return 0
    console.error(`Below a floor: precision ${FLOORS.precision}, recall ${FLOORS.recall}.`)
    return 1
  } finally {
    for (const end of ends.reverse()) await end()
  }
}

function optionsOf() {
  try {
    const flag = { type: 'boolean', default: false } as const
    const { values } = parseArgs({ options: { verbose: flag, json: flag, help: flag } })
    if (!values.help) return values
    console.error(USAGE)
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`)
  }
  return null
}

const partOf = (all: readonly Classified[], part: string) => all.filter(({ request }) => request.part === part)

async function classified(t: TestContext, corpus: readonly CorpusRequest[]): Promise<Classified[]> {
  const origin = await startOrigin((_, response) => response.end('origin'))
  t.after(() => origin.close())
  const edge = await EdgeScenario.start(t, [])
  await edge.feed.change(() => ({ kind: 'web-acl', arn: ACL_ARN, webAcl: managedAcl() }))
  const behaviors = [behaviorDoc({ allowedMethods: METHODS })]
  await edge.feed.put(distributionDoc(origin.port, { behaviors, webAclArn: ACL_ARN }))
  const all: Classified[] = []
  for (const request of corpus) {
    const text = await edge.raw(wireText(request))
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1])
    const refused = status === 403 && /Request blocked\./.test(text)
    if (status !== 200 && !refused && request.method !== 'HEAD')
      throw new Error(`${request.id} was answered: ${text.slice(0, 300)}`)
    all.push({ request, refused: status === 403 })
  }
  if (edge.problems.length > 0) throw new Error(edge.problems.join('\n'))
  return all
}

function wireText({ method, url, headers, body }: CorpusRequest): string {
  const lines = [`${method} ${url} HTTP/1.1`, `Host: ${HOST}`, 'Connection: close']
  for (const [name, value] of headers) lines.push(`${name}: ${value}`)
  if (body !== undefined) lines.push(`Content-Length: ${body.length}`)
  return `${lines.join('\r\n')}\r\n\r\n${body ?? ''}`
}

function print(
  scores: readonly (ReturnType<typeof score> & { part: string })[],
  all: readonly Classified[],
  wrong: readonly Classified[],
): void {
  for (const { request, refused } of wrong) {
    const { id, category, method, url, body = '' } = request
    const what = refused ? 'was refused' : 'went through'
    console.log(`${what}: ${category} (${id}): ${method} ${url.slice(0, 200)} ${JSON.stringify(body.slice(0, 200))}`)
  }
  for (const { name, refused, of } of byCategory(all)) console.log(`${name.padEnd(24)} ${refused} of ${of} refused`)
  for (const { part, attacks, harmless, precision, recall } of scores) {
    const figures = `precision ${precision.toFixed(3)}, recall ${recall.toFixed(3)}`
    console.log(`${part}: ${attacks} attacks, ${harmless} harmless: ${figures}`)
  }
}

process.exitCode = await main()
