//! A network of a test's own, where it may cut what it likes: a Linux network namespace with a loopback of its own, in
//! which a whole program runs with all that it starts, and firewall rules that only it sees.
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { TestContext } from 'node:test'

/** As root; as somebody else in a user namespace of the same life. */
const WAYS = [['--net'], ['--user', '--map-root-user', '--net']] as const

const works = (way: readonly string[]): boolean => {
  try {
    execFileSync('unshare', [...way, 'sh', '-c', 'ip link set lo up && nft list ruleset'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/**
 * Runs a Node program in a namespace of its own to its end. Where the system allows none, or has no `nft`, the test is
 * skipped, and the reason says what is not shown. @throws with all that it printed when it fails
 */
export async function runInNamespace(t: TestContext, program: string): Promise<void> {
  const way = WAYS.find(works)
  if (way === undefined) {
    t.skip('NOT SHOWN HERE: needs network namespaces (unshare --net) and nftables; nothing was cut')
    return
  }
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  // What a failing test left open does not keep the program.
  const node = [process.execPath, '--test-force-exit', program]
  const args = [...way, 'sh', '-c', 'ip link set lo up && exec "$0" "$@"', ...node]
  const child = spawn('unshare', args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  t.signal.addEventListener('abort', () => child.kill('SIGKILL'))
  let printed = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (text: Buffer) => {
      printed += text
    })
  }
  const [code] = await once(child, 'close')
  for (const [line] of printed.matchAll(/^✔ .*$/gm)) t.diagnostic(line)
  if (code !== 0) throw new Error(printed)
}

/** For programs in a namespace: drops all packets between the pairs of addresses, both ways; replaces what was cut. */
export function cut(pairs: readonly (readonly [string, string])[]): void {
  const both = pairs.flatMap(([a, b]) => [`ip saddr ${a} ip daddr ${b} drop`, `ip saddr ${b} ip daddr ${a} drop`])
  const chain = ['chain cut {', 'type filter hook input priority 0;', ...both, '}']
  const rules = [
    'table ip test',
    'delete table ip test',
    'table ip test {',
    ...(both.length === 0 ? [] : chain),
    '}',
    '',
  ]
  execFileSync('nft', ['-f', '-'], { input: rules.join('\n') })
}
