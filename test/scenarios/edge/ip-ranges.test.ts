//! Origins that admit only what `/_cachefront/ip-ranges.json` lists: the addresses that connections really come from.
import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { originFacing } from '../../../src/services/cachefront/ip-ranges.ts'
import { behaviorDoc, distributionDoc, EdgeScenario, originDoc } from '../../support/edge-scenario.ts'

test('every connection to an origin comes from an address of the list', async (t) => {
  const from: string[] = []
  const server = createServer((request, response) => {
    from.push(String(request.socket.remoteAddress).replace(/^::ffff:/, ''))
    response.end('x')
  })
  await new Promise<void>((resolve) => server.listen(0, '::', resolve))
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  // Of this host alone, on every address that it has.
  const own = originFacing(networkInterfaces())
  const targets = ['127.0.0.1', '127.0.0.9', ...own]
  const origins = targets.map((address, at) => originDoc(port, { id: `o${at}`, domainName: address }))
  const behaviors = [
    ...targets.map((_, at) => behaviorDoc({ pathPattern: `/${at}`, originId: `o${at}` })),
    behaviorDoc({ originId: 'o0' }),
  ]
  const edge = await EdgeScenario.start(t, [distributionDoc(port, { origins, behaviors })])
  for (const [at, target] of targets.entries()) assert.equal((await edge.get(`/${at}`)).status, 200, target)
  assert.equal(from.length, targets.length)
  assert.deepEqual(
    from.filter((address) => !own.includes(address)),
    [],
  )
})
