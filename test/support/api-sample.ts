//! Values that fill a schema of the model completely: every member once, every list with two items.
import type { NormalizedSchema } from '@smithy/core/schema'

/** Awkward in XML, in forms and in URLs. */
const TEXT = `a b/ü&<>"'%2F+=c`
/** Headers carry printable ASCII only. */
const HEADER_TEXT = 'E2QWRUHEXAMPLE'
const TIME = new Date('2026-01-31T12:34:56.789Z')

/** Makes unlike values at unlike places, so that a mix-up shows. */
export class Sampler {
  #count = 0

  sample(schema: NormalizedSchema): unknown {
    if (schema.isStructSchema()) return this.#struct(schema)
    if (schema.isListSchema()) return [this.sample(schema.getValueSchema()), this.sample(schema.getValueSchema())]
    if (schema.isMapSchema()) return { [this.#text(TEXT)]: this.sample(schema.getValueSchema()) }
    if (schema.isBooleanSchema()) return this.#next() % 2 === 0
    if (schema.isNumericSchema()) return this.#next()
    if (schema.isTimestampSchema()) return new Date(TIME.getTime() + this.#next())
    if (schema.isBlobSchema()) return new Uint8Array(Buffer.from(`${TEXT} ${this.#next()}`))
    if (schema.isStringSchema()) {
      return this.#text(schema.getMemberTraits().httpHeader === undefined ? TEXT : HEADER_TEXT)
    }
    throw new Error(`no sample for ${schema.getName(true)}`)
  }

  #struct(schema: NormalizedSchema): Record<string, unknown> {
    const value: Record<string, unknown> = {}
    for (const [name, member] of schema.structIterator()) {
      value[name] = this.sample(member)
      if (schema.isUnionSchema()) break
    }
    if (Array.isArray(value.Items) && 'Quantity' in value) value.Quantity = value.Items.length
    return value
  }

  #text(text: string): string {
    return `${text}${this.#next()}`
  }

  #next(): number {
    this.#count += 1
    return this.#count
  }
}
