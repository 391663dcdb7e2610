//! `cachefront waf`: what rules of web ACLs did at the edge, and what they would have done to the requests of a log.
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { Command } from 'commander'
import type { RuleCount } from '../../domain/waf/seen.ts'
import type { Replay, Replayed, ReplayTotals } from '../../edge/waf/replay/replay.ts'
import type { WafRulesDocument } from '../../services/cachefront/waf-rules.ts'
import { CliError, type CliHost } from '../host.ts'
import type { ClientOptions } from '../installation-file.ts'
import { findApi, localDocument } from '../local-call.ts'
import { drawTable } from '../table.ts'
import { findWebAcl } from '../web-acl-file.ts'

interface ReplayOptions extends ClientOptions {
  readonly webAcl: string
  readonly limit: string
}

/** Lines between two words of progress. */
const PROGRESS_LINES = 50_000

export function wafCommand(host: CliHost, done: (code: number) => void): Command {
  const rules = new Command('rules')
    .description('how often each rule of each web ACL allowed, blocked, counted or challenged, since the workers began')
    .addHelpText('after', '\nExample:\n  cachefront waf rules')
    .action(async (options: ClientOptions) => {
      const document = (await localDocument(findApi(host, options), '/_cachefront/waf/rules')) as WafRulesDocument
      host.out.print(options.json ? JSON.stringify(document, null, 2) : drawRules(document.rules))
      for (const worker of document.missing) host.out.complain(`${worker} does not answer: its requests are missing.`)
      done(document.missing.length > 0 ? 1 : 0)
    })
  const replay = new Command('replay')
    .argument(
      '<log>',
      "an access log in CloudFront's standard format, or a web ACL's log; .gz too; - for standard input",
    )
    .requiredOption('--web-acl <ACL>', 'name or ARN of a web ACL of the installation, or a file with its JSON')
    .option('--limit <N>', 'requests that are shown one by one (all are counted)', '20')
    .description('what a web ACL would have done to the requests of a log')
    .addHelpText(
      'after',
      `
Nothing is changed, and nobody is asked again. A log has neither bodies nor most headers: rules that look at them find
nothing. Rate-based rules count by the times of the log; nobody is thought to solve a CAPTCHA or challenge.

Examples:
  cachefront waf replay ~/.cachefront/logs/access-worker-0.log --web-acl shop
  aws wafv2 get-web-acl --scope CLOUDFRONT --name shop --id ID > shop.json
  cachefront waf replay E123.2026-11-30-09.gz --web-acl shop.json --json | jq .totals.rules`,
    )
    .action(async (log: string, options: ReplayOptions) => done(await replayLog(host, log, options)))
  return new Command('waf')
    .description('web ACLs: what their rules did, and would have done (rules, replay)')
    .addCommand(rules)
    .addCommand(replay)
}

function drawRules(rules: readonly RuleCount[]): string {
  if (rules.length === 0) return 'No web ACL has looked at a request yet.'
  const rows = rules.map(({ webAcl, rule, counts: { allow, block, count, captcha, challenge } }) =>
    [webAcl.split('/')[2] ?? webAcl, rule, allow, block, count, captcha, challenge].map(String),
  )
  return drawTable([['WEB ACL', 'RULE', 'ALLOWED', 'BLOCKED', 'COUNTED', 'CAPTCHA', 'CHALLENGE'], ...rows])
}

async function replayLog(host: CliHost, log: string, options: ReplayOptions): Promise<number> {
  if (!/^\d{1,6}$/.test(options.limit)) throw new CliError('--limit must be a whole number.', 2)
  const limit = Number(options.limit)
  const input = await openLog(log)
  const doc = await findWebAcl(host, options.webAcl, options)
  const [{ Replay: Replaying }, { Geo }] = await Promise.all([
    import('../../edge/waf/replay/replay.ts'),
    import('../../edge/geo/geo.ts'),
  ])
  let replay: Replay
  try {
    replay = new Replaying(doc, new Geo([], (problem) => host.out.complain(problem)))
  } catch (error) {
    throw new CliError(`The web ACL ${doc.name} cannot be evaluated: ${(error as Error).message}.`)
  }
  const shown: Replayed[] = []
  let found = 0
  let lines = 0
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      const replayed = replay.line(line)
      if (replayed !== null && ++found <= limit) shown.push(replayed)
      if (++lines % PROGRESS_LINES === 0 && host.out.interactive) host.out.complain(`${lines} lines ...`)
    }
  } catch (error) {
    throw new CliError(`${log} cannot be read: ${(error as Error).message}.`)
  }
  const { totals } = replay
  replay.close()
  if (options.json) host.out.print(JSON.stringify({ webAcl: doc.arn, totals, requests: shown.map(asJson) }, null, 2))
  else draw(host, totals, shown, found - shown.length)
  if (totals.requests === 0) throw new CliError(`No line of ${log} tells of a request: is it an access log?`)
  return 0
}

async function openLog(log: string): Promise<Readable> {
  // One character a byte, as requests are compared.
  if (log === '-') return process.stdin.setEncoding('latin1')
  const found = await stat(log).catch(() => null)
  if (found === null || found.isDirectory()) throw new CliError(`There is no log ${log}.`)
  const file = createReadStream(log)
  if (!log.endsWith('.gz')) return file.setEncoding('latin1')
  const unpacked = createGunzip()
  file.on('error', (error) => unpacked.destroy(error))
  return file.pipe(unpacked).setEncoding('latin1')
}

const asJson = ({ line, logged, action, rule, counted }: Replayed) => ({
  line,
  time: logged.at === null ? null : new Date(logged.at).toISOString(),
  address: logged.address,
  method: logged.request.method,
  path: logged.request.path,
  status: logged.status,
  requestId: logged.requestId,
  action,
  rule,
  counted,
})

/** `more`: how many requests are counted, and not shown. */
function draw(host: CliHost, totals: ReplayTotals, shown: readonly Replayed[], more: number): void {
  const rows = shown.map(({ line, logged, action, rule, counted }) => [
    String(line),
    logged.address,
    logged.request.method,
    // Without its query, which may hold a signature.
    printable(logged.request.path),
    String(logged.status || '-'),
    action === 'ALLOW' ? 'COUNT' : action,
    action === 'ALLOW' ? counted.join(', ') : (rule ?? 'the default action'),
  ])
  if (rows.length > 0) {
    host.out.print(drawTable([['LINE', 'ADDRESS', 'METHOD', 'PATH', 'STATUS', 'NOW', 'RULE'], ...rows]))
    host.out.print(more > 0 ? `... and ${more} more (--limit)\n` : '')
  }
  host.out.print(drawRules(totals.rules))
  const { requests, blocked, challenged, counted, wouldHaveLost, unreadable, bodyRules, failures } = totals
  host.out.print(
    `\n${requests} requests: ${blocked} blocked, ${challenged} challenged, ${counted} counted. ` +
      `${wouldHaveLost} of the blocked and challenged had been answered with a status below 400.`,
  )
  if (unreadable > 0) host.out.print(`${unreadable} lines could not be read.`)
  if (bodyRules.length > 0)
    host.out.print(`A log has no bodies, and these rules look at them: ${bodyRules.join(', ')}.`)
  host.out.print('An access log does not have most headers: rules that look at others than the log has find nothing.')
  for (const [rule, why] of Object.entries(failures))
    host.out.print(`The rule ${rule} could not be evaluated for some requests, which counts as a match: ${why}.`)
}

const printable = (path: string): string => path.replace(/[^\x20-\x7e]/g, '?').slice(0, 60)
