//! The model of one AWS service, read from the runtime schemas that its published SDK exports: the wire contract.
//! Knows no service by name; the caller passes the SDK's namespace object (`import * as cloudfront from ...`).
import { NormalizedSchema } from '@smithy/core/schema'
import type { StaticErrorSchema, StaticOperationSchema } from '@smithy/types'

export interface OperationModel {
  readonly name: string
  /** Only restXml operations have one; awsQuery posts everything to `/`. */
  readonly http: HttpTrait | null
  readonly input: NormalizedSchema
  readonly output: NormalizedSchema
}

/** Smithy's http trait. `uri` has labels (`{Id}`, greedy `{Path+}`) and query literals (`?WithTags`). */
export interface HttpTrait {
  readonly method: string
  readonly uri: string
  readonly status: number
}

/** An error of the model as it goes over the wire. */
export interface ErrorModel {
  /** What clients match on; for awsQuery it often differs from the shape's name. */
  readonly code: string
  /** HTTP status; null where the model leaves it to the protocol (400 for a client's error, 500 for a server's). */
  readonly status: number | null
}

export interface ServiceModel {
  readonly operations: ReadonlyMap<string, OperationModel>
  /** By wire code. */
  readonly errors: ReadonlyMap<string, ErrorModel>
}

/** Numbers by which the SDK marks its static schemas (`StaticSchemaId*` in @smithy/types). */
const OPERATION = 9
const ERROR = -3

/** Reads operations and errors out of an SDK namespace. Schemas of inputs and outputs are normalized on first use. */
export function modelOf(namespace: Readonly<Record<string, unknown>>): ServiceModel {
  const operations = new Map<string, OperationModel>()
  const errors = new Map<string, ErrorModel>()
  for (const schema of Object.values(namespace)) {
    if (!Array.isArray(schema)) continue
    if (schema[0] === OPERATION) {
      const operation = operationOf(schema as unknown as StaticOperationSchema)
      operations.set(operation.name, operation)
    } else if (schema[0] === ERROR) {
      const error = errorOf(schema as unknown as StaticErrorSchema)
      errors.set(error.code, error)
    }
  }
  return { operations, errors }
}

function operationOf([, , name, traits, input, output]: StaticOperationSchema): OperationModel {
  const http = typeof traits === 'object' ? traits.http : undefined
  return {
    name,
    http: http === undefined ? null : { method: http[0], uri: http[1], status: http[2] },
    get input() {
      return NormalizedSchema.of(input)
    },
    get output() {
      return NormalizedSchema.of(output)
    },
  }
}

function errorOf([, , name, traits]: StaticErrorSchema): ErrorModel {
  if (typeof traits !== 'object') return { code: name, status: null }
  const [code, status] = (traits.awsQueryError ?? [name, traits.httpError]) as readonly [string, number | undefined]
  return { code, status: status ?? null }
}
