//! `cachefront explain URL`: sends the request to the edge, asks for its trace, draws it.
import { readFileSync } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { Command } from 'commander'
import { authorityFiles } from '../../lib/ca/authority.ts'
import { nodeHttp, nodeHttps } from '../../lib/node-http.ts'
import type { Trace } from '../../observe/trace.ts'
import type { Health } from '../../services/cachefront/installation.ts'
import { drawTrace } from '../draw-trace.ts'
import { edgeProblem } from '../edge-problem.ts'
import { CliError, type CliHost } from '../host.ts'
import type { ClientOptions } from '../installation-file.ts'
import { findApi, type LocalApi, localCall, localDocument } from '../local-call.ts'

/** Longest wait for the edge: longer than the origin timeouts of a distribution (120 s, three attempts). Milliseconds. */
const EDGE_MS = 400_000

interface ExplainOptions extends ClientOptions {
  readonly header: readonly string[]
  readonly request: string
  readonly pop?: string
}

interface EdgeAnswer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
}

export function explainCommand(host: CliHost, done: (code: number) => void): Command {
  return new Command('explain')
    .argument('<url>', 'as a viewer would ask for it; the name need not resolve')
    .option('-X, --request <METHOD>', 'method', 'GET')
    .option(
      '-H, --header <NAME: VALUE>',
      'a header of the viewer (again for more); User-Agent is cachefront-explain otherwise',
      collect,
      [],
    )
    .option('--pop <NAME>', 'the POP that is asked (the first one otherwise)')
    .description('ask the edge for a URL and show how the answer came about')
    .addHelpText('after', '\nExample:\n  cachefront explain http://d1234567890abc.cloudfront.localhost:8080/product/7')
    .action(async (text: string, options: ExplainOptions) => {
      const url = URL.parse(text)
      if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
        throw new CliError(`${JSON.stringify(text)} must be a whole URL that begins with http:// or https://.`, 2)
      }
      const api = findApi(host, options)
      const health = (await localCall(api, '/_cachefront/health')).document as Health
      const kind = url.protocol === 'https:' ? 'https' : 'http'
      const edge = edgeOf(health, kind, options.pop)
      const headers = viewerHeaders(url, options.header)
      const wish = await explainWish(api, url, headers.host ?? url.host, options.request)
      const asked = { ...headers, 'x-cachefront-explain': wish }
      const answer = await askEdge(edge, url, options.request, asked, kind === 'https' ? trusted(host, options) : null)
      const id = answer.headers['x-cachefront-trace']
      if (typeof id !== 'string') {
        throw new CliError(
          `The edge answered ${answer.status} without a trace: it explains when all listeners are on loopback and no proxy header is sent, and to admins (sign with the key of one).`,
        )
      }
      const path = `/_cachefront/traces/${encodeURIComponent(id)}`
      const { trace } = (await localDocument(api, path)) as { trace: Trace }
      host.out.print(options.json ? JSON.stringify(trace, null, 2) : drawTrace(trace))
      done(0)
    })
}

/** By lower-case name; the URL's own Host unless a line says another. @throws {CliError} a line is none */
function viewerHeaders(url: URL, lines: readonly string[]): Readonly<Record<string, string>> {
  // A User-Agent, as every client sends one: without it the managed rules of a web ACL refuse what they let viewers have.
  const headers: Record<string, string> = { host: url.host, 'user-agent': 'cachefront-explain' }
  for (const line of lines) {
    const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(line) ?? []
    if (name === undefined || value === undefined)
      throw new CliError(`${JSON.stringify(line)} is no header: write NAME: VALUE.`, 2)
    headers[name.toLowerCase()] = value
  }
  return headers
}

/** A token for this request, which edges beyond loopback want; without the right to one, the word that does on loopback. */
async function explainWish(api: LocalApi, url: URL, host: string, method: string): Promise<string> {
  const asked = { method, host, target: `${url.pathname}${url.search}` }
  const { status, document } = await localCall(api, '/_cachefront/explain-tokens', asked)
  return status === 200 ? (document as { readonly token: string }).token : '1'
}

/** `ADDRESS:PORT` of the POP of that name, or of the first one that listens. @throws {CliError} none does */
export function edgeOf({ pops }: Pick<Health, 'pops'>, kind: 'http' | 'https', name?: string): string {
  const pop = pops.find((one) => (name === undefined ? one[kind] !== null : one.name === name))
  if (name !== undefined && pop === undefined) {
    throw new CliError(`There is no POP ${name}: there are ${pops.map((one) => one.name).join(', ')}.`)
  }
  if (pop?.state === 'down') throw new CliError(`${name} is down: \`cachefront pops up ${name}\` ends that.`)
  const address = pop?.[kind] ?? null
  if (address === null) {
    const whose = name === undefined ? 'No POP listens' : `The POP ${name} does not listen`
    throw new CliError(`${whose} for ${kind}; see \`cachefront pops\` and \`cachefront status\`.`)
  }
  return address
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value]

interface Trust {
  /** PEM; absent for what Node trusts. */
  readonly ca?: string[]
}

/** What Node trusts (NODE_EXTRA_CA_CERTS too), and what this installation's own authority issues, if it is one of this host. */
function trusted(host: CliHost, options: ExplainOptions): Trust {
  try {
    const own = readFileSync(authorityFiles(host.files(host.home(options.home)).tls).certificate, 'utf8')
    return { ca: [own, ...process.getBuiltinModule('node:tls').getCACertificates('default')] }
  } catch {
    return {}
  }
}

/** The request goes to the edge's address whatever the URL's name resolves to: the name is what is asked for. */
function askEdge(
  edge: string,
  url: URL,
  method: string,
  headers: Readonly<Record<string, string>>,
  secure: Trust | null,
): Promise<EdgeAnswer> {
  const target = new URL(`http://${edge}`)
  return new Promise((resolve, reject) => {
    const asked = {
      host: target.hostname.replace(/^\[|\]$/g, ''),
      port: target.port,
      method,
      path: `${url.pathname}${url.search}`,
      headers,
      timeout: EDGE_MS,
    }
    const named = isIP(url.hostname.replace(/^\[|\]$/g, '')) === 0 ? { servername: url.hostname } : {}
    const call = secure === null ? nodeHttp().request(asked) : nodeHttps().request({ ...asked, ...named, ...secure })
    call.on('timeout', () => call.destroy(new Error(`no answer within ${EDGE_MS / 1000} s`)))
    call.on('error', (error) => reject(new CliError(edgeProblem(edge, url, error))))
    call.on('response', (response) => {
      const finish = (): void => resolve({ status: response.statusCode ?? 0, headers: response.headers })
      response.resume().on('end', finish)
      // A body that the origin did not finish is a thing to explain, not an error of this command.
      response.on('error', finish)
    })
    call.end()
  })
}
