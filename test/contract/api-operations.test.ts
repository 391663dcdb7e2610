//! Every operation of the two models over the wire, with the SDK's own clients: what the client sends arrives as it was,
//! what the operation returns reaches the client as it was, and what is not built answers 501 with its name.
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import * as cloudfront from '@aws-sdk/client-cloudfront'
import * as elasticache from '@aws-sdk/client-elasticache'
import { modelOf, type OperationModel } from '../../src/aws/model.ts'
import type { OperationTable } from '../../src/services/service.ts'
import { Sampler } from '../support/api-sample.ts'
import { clientOptions, startApi, type TestApi } from '../support/api-server.ts'

const SERVICES = [
  { name: 'cloudfront', namespace: cloudfront, Client: cloudfront.CloudFrontClient, operations: 167 },
  { name: 'elasticache', namespace: elasticache, Client: elasticache.ElastiCacheClient, operations: 75 },
] as const

type Answer = Record<string, unknown> & { $metadata: { httpStatusCode?: number; requestId?: string } }
interface AnyClient {
  send(command: unknown): Promise<Answer>
  destroy(): void
}
type Refusal = Error & { $metadata: { httpStatusCode?: number; requestId?: string } }

function commandOf(namespace: object, name: string, input: unknown): unknown {
  const Command = (namespace as Record<string, new (input: unknown) => unknown>)[`${name}Command`]
  assert.ok(Command, `the SDK has ${name}Command`)
  return new Command(input)
}

for (const service of SERVICES) {
  describe(service.name, () => {
    const { operations } = modelOf(service.namespace)
    let client: AnyClient
    let server: TestApi
    const received = new Map<string, unknown>()
    const outputs = new Map<string, unknown>()

    before(async () => {
      const table: OperationTable = Object.fromEntries(
        [...operations.keys()].map((name) => [
          name,
          async (input: unknown) => {
            received.set(name, input)
            return outputs.get(name)
          },
        ]),
      )
      server = await startApi({ services: { cloudfront: {}, elasticache: {}, [service.name]: table } })
      client = new service.Client(clientOptions(server.url)) as unknown as AnyClient
    })

    after(async () => {
      client.destroy()
      await server.api.close()
    })

    test(`the model has ${service.operations} operations`, () => assert.equal(operations.size, service.operations))

    test('each one carries a complete input and a complete output', async () => {
      for (const operation of operations.values()) {
        const input = sampleOf(operation, 'input')
        const output = sampleOf(operation, 'output')
        outputs.set(operation.name, output)
        const { $metadata, ...answer } = await client.send(commandOf(service.namespace, operation.name, input))
        assert.deepEqual(plain(received.get(operation.name)), plain(input), `input of ${operation.name}`)
        assert.deepEqual(plain(await collected(answer)), plain(output), `output of ${operation.name}`)
        assert.equal($metadata.httpStatusCode, operation.http?.status ?? 200, operation.name)
      }
      assert.equal(received.size, service.operations)
    })

    test('each one answers 501 with its name while it is not built', async () => {
      const empty = await startApi()
      const caller = new service.Client(clientOptions(empty.url)) as unknown as AnyClient
      try {
        for (const operation of operations.values()) {
          const command = commandOf(service.namespace, operation.name, sampleOf(operation, 'input'))
          await assert.rejects(caller.send(command), (error: Refusal) => {
            assert.equal(error.name, 'NotImplemented', operation.name)
            assert.equal(error.$metadata.httpStatusCode, 501)
            assert.match(error.message, new RegExp(`\\b${operation.name}\\b`))
            assert.match(error.$metadata.requestId ?? '', /^[0-9a-f-]{36}$/)
            return true
          })
        }
        assert.equal(empty.log.length, service.operations)
        assert.ok(empty.log.every((line) => line.status === 501 && line.verified))
      } finally {
        caller.destroy()
        await empty.api.close()
      }
    })
  })
}

test('a table that names an operation outside the model stops the start', async () => {
  const strange: OperationTable = { CreateDistributionn: async () => ({}) }
  await assert.rejects(
    startApi({ services: { cloudfront: strange, elasticache: {} } }),
    /no operation named CreateDistributionn/,
  )
})

function sampleOf(operation: OperationModel, side: 'input' | 'output'): Record<string, unknown> {
  const schema = operation[side]
  return schema.isStructSchema() ? (new Sampler().sample(schema) as Record<string, unknown>) : {}
}

/** Byte arrays as text, whatever their class, and no null prototypes. */
function plain(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (_key, entry: unknown) => {
      if (isBufferJson(entry)) return Buffer.from(entry.data).toString('base64')
      return entry instanceof Uint8Array ? Buffer.from(entry).toString('base64') : entry
    }),
  )
}

function isBufferJson(value: unknown): value is { data: number[] } {
  return typeof value === 'object' && value !== null && 'type' in value && value.type === 'Buffer'
}

/** Raw payloads arrive as streams or bytes, by the SDK's choice. */
async function collected(answer: Record<string, unknown>): Promise<Record<string, unknown>> {
  const result = { ...answer }
  for (const [name, value] of Object.entries(answer)) {
    const stream = value as { transformToByteArray?: () => Promise<Uint8Array> } | null
    if (typeof stream?.transformToByteArray === 'function') result[name] = await stream.transformToByteArray()
  }
  return result
}
