import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'
import { Command } from 'commander'
import { ACCESS_LOG_HEADER } from '../../observe/access-log.ts'
import { CliError, type CliHost } from '../host.ts'
import { wafCommand } from './waf.ts'

const ACL = {
  Name: 'shop',
  DefaultAction: { Allow: {} },
  Rules: [
    {
      Name: 'admin',
      Priority: 0,
      Action: { Block: {} },
      Statement: {
        ByteMatchStatement: {
          SearchString: Buffer.from('/admin').toString('base64'),
          FieldToMatch: { UriPath: {} },
          TextTransformations: [{ Priority: 0, Type: 'NONE' }],
          PositionalConstraint: 'STARTS_WITH',
        },
      },
      VisibilityConfig: { SampledRequestsEnabled: true, CloudWatchMetricsEnabled: true, MetricName: 'admin' },
    },
  ],
}
const line = (path: string) =>
  `2026-11-30\t10:00:00\tFRA50-C1\t500\t192.0.2.1\tGET\td1\t${path}\t200\t-\tMozilla\tSignature=s3cret\t-\tHit\tid\twww.example.com\n`

describe('cachefront waf replay', () => {
  let directory = ''
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cachefront-waf-'))
    await writeFile(join(directory, 'acl.json'), JSON.stringify({ WebACL: ACL, LockToken: 'x' }))
    const log = ACCESS_LOG_HEADER + line('/admin/a') + line('/') + line('/admin/b')
    await writeFile(join(directory, 'log'), log)
    await writeFile(join(directory, 'log.gz'), gzipSync(log))
    await writeFile(join(directory, 'empty'), 'nothing\n')
    await writeFile(join(directory, 'not.json'), '[]')
    await writeFile(join(directory, 'broken.gz'), log)
  })
  after(() => rm(directory, { recursive: true }))

  /** In the place of the whole program, which knows --json for all its commands. */
  async function replay(log: string, acl: string, ...options: string[]): Promise<string> {
    const printed: string[] = []
    const out = { print: (text: string) => void printed.push(text), complain: () => {}, interactive: false }
    const command = wafCommand({ out } as unknown as CliHost, (code) => assert.equal(code, 0))
    for (const one of command.commands) one.option('--json')
    const program = new Command().addCommand(command).exitOverride()
    await program.parseAsync(['waf', 'replay', join(directory, log), '--web-acl', join(directory, acl), ...options], {
      from: 'user',
    })
    return printed.join('\n')
  }

  it('shows some requests and counts all of them, from a log as it is or packed', async () => {
    for (const log of ['log', 'log.gz']) {
      const text = await replay(log, 'acl.json', '--limit', '1')
      assert.match(text, /^3\s+192\.0\.2\.1\s+GET\s+\/admin\/a\s+200\s+BLOCK\s+admin/m)
      assert.doesNotMatch(text, /admin\/b|s3cret/)
      assert.match(text, /^\.\.\. and 1 more \(--limit\)$/m)
      assert.match(text, /^shop\s+admin\s+0\s+2\s+0/m)
      assert.match(text, /3 requests: 2 blocked, 0 challenged, 0 counted\. 2 of the blocked/)
    }
    const { totals, requests } = JSON.parse(await replay('log', 'acl.json', '--json'))
    assert.deepEqual([totals.requests, totals.blocked, requests.length, requests[0].rule], [3, 2, 2, 'admin'])
  })

  it('says what is wrong with what it is given', async () => {
    for (const [log, acl, why] of [
      ['absent', 'acl.json', /There is no log/],
      ['empty', 'acl.json', /No line of .* tells of a request/],
      ['broken.gz', 'acl.json', /cannot be read/],
      ['log', 'not.json', /holds no web ACL/],
      ['log', 'log', /is no JSON/],
      ['log', 'absent.json', /There is no file/],
    ] as const)
      await assert.rejects(replay(log, acl), (error) => error instanceof CliError && why.test(error.message), log + acl)
  })
})
