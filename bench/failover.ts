//! How long writers notice a failover: SIGKILL of the primary of a group of three to the first accepted write at its
//! endpoint, 20 times, with the keeper as a process of its own; and from a wish for one node to `available`.
//! `npm run bench:failover -- --help` names the options.
import { connect } from 'node:net'
import { systemClock } from '../src/lib/clock.ts'
import { KeeperHost, primaryOf, redisGroup } from '../test/support/keeper-host.ts'
import { readOptions, wholeNumber } from './options.ts'

const flags = readOptions({
  command: 'npm run bench:failover --',
  about: 'From SIGKILL of a primary to the first accepted write, and from a wished node to available.',
  example: 'npm run bench:failover -- --rounds 5',
  options: { rounds: { value: 'N', about: 'primaries that are killed', default: '20' } },
})
const rounds = wholeNumber('rounds', flags.rounds)
const ATTEMPT_TIMEOUT_MS = 200
const RETRY_MS = 1
const elapsed = (since: number): number => systemClock.monotonic() - since

/** One SET on a connection of its own; true when it was accepted. */
function write(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port: 6379, noDelay: true })
    const end = (accepted: boolean): void => {
      clearTimeout(timer)
      socket.destroy()
      resolve(accepted)
    }
    const timer = setTimeout(end, ATTEMPT_TIMEOUT_MS, false)
    socket.on('connect', () => socket.write('SET bench 1\r\n'))
    socket.on('data', (chunk) => end(chunk.toString().startsWith('+OK')))
    socket.on('error', () => end(false))
    socket.on('close', () => end(false))
  })
}

function summary(name: string, values: readonly number[]): string {
  const sorted = [...values].sort((a, b) => a - b)
  const median = sorted[Math.floor(sorted.length / 2)]!
  return `${name.padEnd(52)} median ${median.toFixed(1)} ms, max ${sorted.at(-1)!.toFixed(1)} ms of ${sorted.length}`
}

const host = await KeeperHost.start()
try {
  const toAvailable: number[] = []
  for (let round = 0; round < 5; round++) {
    const since = systemClock.monotonic()
    host.wish([redisGroup(`single-${round}`, 1)])
    await host.settled(`single-${round}`)
    toAvailable.push(elapsed(since))
  }
  process.stdout.write(`${summary('wish for one node to available', toAvailable)}\n`)

  const since = systemClock.monotonic()
  host.wish([redisGroup('bench', 3)])
  let group = await host.settled('bench')
  process.stdout.write(`${summary('wish for a group of three to available', [elapsed(since)])}\n`)

  const toWrite: number[] = []
  for (let round = 0; round < rounds; round++) {
    const old = primaryOf(group)
    const killed = systemClock.monotonic()
    process.kill(old.pid!, 'SIGKILL')
    while (!(await write(group.endpoint))) await new Promise((resolve) => setTimeout(resolve, RETRY_MS))
    toWrite.push(elapsed(killed))
    group = await host.settled('bench', (g) => primaryOf(g).id !== old.id)
  }
  process.stdout.write(`${summary('SIGKILL of a primary to the first accepted write', toWrite)}\n`)
} finally {
  await host.end()
}
