//! Values of the model to XML text, by the SDK's own serializer.
import { XmlShapeSerializer } from '@aws-sdk/core/protocols'
import { NormalizedSchema } from '@smithy/core/schema'
import type { $Schema, StaticStructureSchema } from '@smithy/types'
import type { WireAnswer, WireFault } from './protocol.ts'

const PROLOGUE = '<?xml version="1.0"?>\n'
/** `timestampFormat.default` 5 is ISO 8601 (`date-time`). */
const ISO_8601 = 5

/** @param schema a structure; its name, or its `xmlName`, becomes the root element. */
export function writeXml(schema: $Schema, value: unknown, namespace: string): string {
  // The serializer keeps state between write and flush: one for each answer, never shared.
  const serializer = new XmlShapeSerializer({
    timestampFormat: { useTrait: true, default: ISO_8601 },
    httpBindings: true,
    xmlNamespace: namespace,
    serviceNamespace: '',
  })
  serializer.write(NormalizedSchema.of(schema), value)
  return PROLOGUE + serializer.flush()
}

/** A structure schema of our own, for the envelopes that the model leaves to the protocol. */
export function envelope(
  name: string,
  members: readonly (readonly [name: string, schema: unknown])[],
): StaticStructureSchema {
  return [
    3,
    'envelope',
    name,
    0,
    members.map((m) => m[0]),
    members.map((m) => m[1]),
  ] as unknown as StaticStructureSchema
}

const STRING = 0
const ERROR_RESPONSE = envelope('ErrorResponse', [
  [
    'Error',
    envelope('Error', [
      ['Type', STRING],
      ['Code', STRING],
      ['Message', STRING],
    ]),
  ],
  ['RequestId', STRING],
])

/** The error shape that restXml and awsQuery share (spec/cloudfront.md 1.5, spec/elasticache.md 1.1). */
export function errorAnswer(fault: WireFault, namespace: string, requestId: string): WireAnswer {
  const error = { Type: fault.status < 500 ? 'Sender' : 'Receiver', Code: fault.code, Message: fault.message }
  return xmlAnswer(fault.status, writeXml(ERROR_RESPONSE, { Error: error, RequestId: requestId }, namespace), requestId)
}

export function xmlAnswer(
  status: number,
  body: string | Uint8Array,
  requestId: string,
  headers: Readonly<Record<string, string>> = {},
): WireAnswer {
  const type: Record<string, string> = body.length === 0 ? {} : { 'Content-Type': 'text/xml' }
  return { status, headers: { 'x-amzn-RequestId': requestId, ...type, ...headers }, body }
}
