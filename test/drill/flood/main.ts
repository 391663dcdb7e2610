//! `npm run drill:flood`: what a slow-loris and a flood of connections do to other viewers of a real installation on this
//! host. Quiet and attacked rounds alternate; viewers come at a steady pace from addresses of their own, half of them on a
//! new connection each. Prints the 99th percentile of each kind and their ratio. Attackers, viewers and the edge share the
//! processors, so that the ratio is an upper bound; exit code 1 when a viewer was not answered.
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { CloudFront } from '@aws-sdk/client-cloudfront'
import { startOrigin } from '../../support/edge-origin.ts'
import { oneOrigin } from '../../support/one-origin.ts'
import { distributionIsDeployed, endAll, healthOf, newHome, up } from '../../support/program-installation.ts'

const ATTACKS = ['slow-loris', 'connections'] as const
const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, requests: { type: 'string', default: '400' } },
})
const ROUNDS = Number(values.rounds)
const REQUESTS = Number(values.requests)
/** Between two requests of viewers. Milliseconds. */
const PACE_MS = 10
/** What viewers wait for before they give up. Milliseconds. */
const ANSWER_MS = 10_000
const VIEWERS = 50
/** Bounds of the edge: less than the attacks have, more than the viewers need. */
const FLAGS = ['--limit-loopback', '--connections', '800', '--address-connections', '50', '--address-handshakes', '20']

interface Round {
  readonly kind: string
  readonly ms: readonly number[]
  readonly unanswered: number
}

const agents = Array.from({ length: VIEWERS }, (_, at) => {
  return new Agent({ keepAlive: true, localAddress: `127.88.0.${at + 1}` } as ConstructorParameters<typeof Agent>[0])
})

/** Milliseconds from the wish to the last byte; null without an answer of 200. */
function look(edge: string, host: string, at: number): Promise<number | null> {
  const [address, port] = edge.split(':')
  const since = performance.now()
  const localAddress = `127.88.0.${(at % VIEWERS) + 1}`
  const agent = at % 2 === 0 ? agents[at % VIEWERS] : false
  return new Promise((resolve) => {
    const asked = request({ host: address, port, path: '/page', headers: { host }, agent, localAddress }, (answer) => {
      answer.resume()
      answer.on('error', () => resolve(null))
      answer.on('end', () => resolve(answer.statusCode === 200 ? performance.now() - since : null))
    })
    asked.setTimeout(ANSWER_MS, () => asked.destroy())
    // A browser asks again, once, when a connection that it had kept was closed meanwhile.
    asked.on('error', () => {
      if (asked.reusedSocket) look(edge, host, at + 1).then(resolve)
      else resolve(null)
    })
    asked.end()
  })
}

async function measure(kind: string, edge: string, host: string): Promise<Round> {
  const looks: Promise<number | null>[] = []
  const since = performance.now()
  for (let at = 0; at < REQUESTS; at++) {
    looks.push(look(edge, host, at))
    await sleep(Math.max(0, since + (at + 1) * PACE_MS - performance.now()))
  }
  const took = await Promise.all(looks)
  const ms = took.filter((one) => one !== null).sort((one, other) => one - other)
  return { kind, ms, unanswered: took.length - ms.length }
}

async function attacked(kind: string, edge: string, host: string): Promise<Round> {
  const attacker = fork(fileURLToPath(new URL('./attacker.ts', import.meta.url)), [kind, edge.split(':')[1] ?? ''])
  try {
    await once(attacker, 'message')
    return await measure(kind, edge, host)
  } finally {
    const gone = once(attacker, 'exit')
    attacker.kill('SIGKILL')
    await gone
  }
}

const at = (ms: readonly number[], share: number): number =>
  ms[Math.min(ms.length - 1, Math.floor(ms.length * share))] ?? 0
const middle = (values: readonly number[]): number =>
  at(
    [...values].sort((one, other) => one - other),
    0.5,
  )
const shown = (value: number): string => value.toFixed(1).padStart(8)

const home = await newHome()
const origin = await startOrigin((_asked, response) => response.setHeader('cache-control', 'max-age=86400').end('page'))
const rounds: Round[] = []
let told = ''
try {
  const { api, edge } = await up(home, ...FLAGS)
  const client = new CloudFront({
    ...{ endpoint: api, region: 'us-east-1' },
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  })
  const { Distribution } = await client.createDistribution({ DistributionConfig: oneOrigin('flood', origin.port) })
  await distributionIsDeployed(api, Distribution?.Id ?? '')
  const host = Distribution?.DomainName ?? ''
  await measure('warm', edge, host)
  console.log('round kind           p50 ms   p99 ms  unanswered')
  for (let number = 1; number <= ROUNDS; number++) {
    for (const kind of ATTACKS) {
      // Quiet is what comes after the end of an attack is over, with its thousand connections that break.
      await measure('settling', edge, host)
      for (const round of [await measure('quiet', edge, host), await attacked(kind, edge, host)]) {
        rounds.push(round)
        const { ms, unanswered } = round
        console.log(
          `${String(number).padStart(5)} ${round.kind.padEnd(12)} ${shown(at(ms, 0.5))} ${shown(at(ms, 0.99))}  ${unanswered}`,
        )
      }
    }
  }
  const { attacks = [] } = await healthOf(api)
  told = attacks.map((attack) => JSON.stringify(attack)).join('\n')
  client.destroy()
} finally {
  for (const agent of agents) agent.destroy()
  await endAll(home)
  await origin.close()
}
for (const kind of ATTACKS) {
  // Each attacked round against the quiet one before it.
  const ratios = rounds.flatMap((round, index) => {
    const before = rounds[index - 1]
    return round.kind === kind && before !== undefined ? [at(round.ms, 0.99) / at(before.ms, 0.99)] : []
  })
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)]
  console.log(
    `${kind}: p99 of other viewers ${middle(ratios).toFixed(2)}x that of the quiet round before (${least.toFixed(2)}-${most.toFixed(2)})`,
  )
}
console.log(`health says: ${told === '' ? 'no attack' : told}`)
process.exitCode = rounds.some(({ unanswered }) => unanswered > 0) ? 1 : 0
