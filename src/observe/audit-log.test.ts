import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { systemClock } from '../lib/clock.ts'
import { AuditLog } from './audit-log.ts'

const caller = { keyId: null, name: 'root', role: 'admin', verified: false, address: '127.0.0.1' }
const change = (requestId: string) => ({ requestId, caller, service: 's', operation: 'o', resources: {} })
const outcome = (requestId: string) => ({ requestId, status: 200, code: null, resources: {} })

test('lines in order, 0600; files are set aside and bounded; what could not be written follows', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-audit-'))
  t.after(() => rm(directory, { recursive: true, force: true }))
  const file = join(directory, 'audit.log')
  const problems: string[] = []
  const log = new AuditLog({ file, clock: systemClock, problem: (text) => problems.push(text), fileBytesMax: 400 })
  await Promise.all([log.change(change('1')), log.outcome(outcome('1')), log.change(change('2'))])
  const ids = () => [...readFileSync(file, 'utf8').matchAll(/"requestId":"([^"]*)"/g)].map((found) => found[1])
  assert.deepEqual(ids(), ['1', '1', '2'])
  assert.equal(statSync(file).mode & 0o777, 0o600)

  for (let n = 0; n < 40; n++) await log.change(change(`many-${n}`))
  const names = readdirSync(directory).sort()
  assert.deepEqual(names, ['audit.log', ...[1, 2, 3, 4, 5, 6, 7, 8].map((n) => `audit.log.${n}`)])
  for (const name of names) assert.ok(statSync(join(directory, name)).size < 800, name)
  assert.ok(ids().includes('many-39'))

  await rm(file)
  mkdirSync(file)
  // A directory is no file that has grown too long.
  const broken = new AuditLog({ file, clock: systemClock, problem: (text) => problems.push(text) })
  await assert.rejects(broken.change(change('lost')))
  await broken.outcome(outcome('owed'))
  await broken.denied(change('denied'), 'AccessDenied')
  assert.equal(problems.length, 3)
  assert.match(problems[0]!, /the audit log .* cannot be written/)
  rmdirSync(file)
  await broken.change(change('after'))
  assert.deepEqual(ids(), ['owed', 'after'])
  await Promise.all([log.close(), broken.close()])
})
