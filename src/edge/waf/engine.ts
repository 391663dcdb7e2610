//! libddwaf behind one small interface: which kinds of attack some texts hold. SQL injection and XSS are recognized by
//! libinjection, expressions run on RE2: linear in the text, whatever they say.
import { createRequire } from 'node:module'
import type { DDWAF } from '@datadog/native-appsec'
import { pieces } from './engine-texts.ts'

/** A pattern of one kind of attack. */
export interface EngineRule {
  readonly kind: string
  readonly id: string
  /** `is_sqli`, `is_xss`, `match_regex`, `phrase_match` ... */
  readonly operator: string
  /** What the operator needs, without inputs. */
  readonly parameters: Readonly<Record<string, unknown>>
  /** Changes of a text before, in order: `lowercase`, `removeNulls`, `cmdLine` ... */
  readonly transformers: readonly string[]
}

export interface Detector {
  /**
   * The kinds of which one rule or more matches one text or more (one character a byte each).
   * @throws when that cannot be told: the engine is not there, its time is over, or it left something out. Whoever asks
   * counts that as a match.
   */
  find(texts: readonly string[]): readonly string[]
}

/**
 * Microseconds of wall time for one run over `TEXTS_MAX` texts. They take a few milliseconds at the worst; a machine that
 * is busy with others must not refuse requests for it.
 */
const RUN_TIME_OUT = 2_000_000

/** The engine looks at no more than this many elements of a list, and says so. */
const TEXTS_MAX = 256

/** Where rules find their texts. */
const ADDRESS = 'texts'

let engine: typeof DDWAF | null = null

/** Loaded at first need: 8 ms, and nothing where no web ACL asks for it. @throws when it is not there */
function loaded(): typeof DDWAF {
  engine ??= (createRequire(import.meta.url)('@datadog/native-appsec') as { DDWAF: typeof DDWAF }).DDWAF
  return engine
}

/**
 * Compiles the rules now, so that no request waits for it; a failure is thrown by each `find`, for then it is known whose
 * request is refused.
 * @param load stands in for the engine in tests
 */
export function detector(rules: readonly EngineRule[], load: () => typeof DDWAF = loaded): Detector {
  let handle: DDWAF | null = null
  const compile = (): DDWAF => {
    handle ??= compiled(rules, load())
    return handle
  }
  try {
    compile()
  } catch {
    // See above: find tries again, and says so.
  }
  return {
    find(texts) {
      const compiledRules = compile()
      const kinds = new Set<string>()
      const looked = pieces(texts)
      for (let at = 0; at < looked.length; at += TEXTS_MAX) {
        runOnce(compiledRules, looked.slice(at, at + TEXTS_MAX), kinds)
      }
      return [...kinds]
    },
  }
}

/** @throws when the engine refuses one of them: rules that are left out would be rules that let through. */
function compiled(rules: readonly EngineRule[], Engine: typeof DDWAF): DDWAF {
  const handle = new Engine(
    {
      version: '2.2',
      metadata: { rules_version: '1' },
      rules: rules.map(({ kind, id, operator, parameters, transformers }) => ({
        id: `${kind} ${id}`,
        name: id,
        // Of the rules of one type the engine names the first that matches.
        tags: { type: kind, category: 'attack_attempt' },
        conditions: [{ operator, parameters: { ...parameters, inputs: [{ address: ADDRESS }] } }],
        transformers,
      })),
    },
    'rules',
  )
  const { rules: outcome } = handle.diagnostics
  if (outcome === undefined || 'error' in outcome || outcome.loaded.length !== rules.length) {
    handle.dispose()
    throw new Error(`the engine takes not all of the rules: ${JSON.stringify(outcome).slice(0, 500)}`)
  }
  return handle
}

interface Event {
  readonly rule: { readonly tags: { readonly type: string } }
}

function runOnce(handle: DDWAF, texts: readonly string[], kinds: Set<string>): void {
  const context = handle.createContext()
  try {
    const { timeout, errorCode, events, metrics } = context.run({ persistent: { [ADDRESS]: texts } }, RUN_TIME_OUT)
    if (timeout) throw new Error('the engine did not come to an end in its time')
    if (errorCode !== undefined) throw new Error(`the engine answers error ${errorCode}`)
    for (const { rule } of (events ?? []) as readonly Event[]) kinds.add(rule.tags.type)
    const { maxTruncatedString, maxTruncatedContainerSize, maxTruncatedContainerDepth } = metrics ?? {}
    if ((maxTruncatedString ?? maxTruncatedContainerSize ?? maxTruncatedContainerDepth) !== undefined) {
      throw new Error('the engine has left out a part of the texts')
    }
  } finally {
    context.dispose()
  }
}
