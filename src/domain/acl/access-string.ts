//! PURE: access strings of users (spec/elasticache.md 6.3): ACL rules without passwords, checked and brought into one
//! form, so that an engine that is given the form allows exactly what it would have allowed by the string itself.
import { commandSince, isCategory, isContainer } from './commands.ts'
import { isRestricted } from './restricted.ts'

/** What is wrong with an access string, in words for its author. */
export class AccessStringError extends Error {}

interface KeyPattern {
  readonly pattern: string
  readonly read: boolean
  readonly write: boolean
}

interface Selector {
  /** `all` is `~*`. */
  keys: 'all' | KeyPattern[]
  /** Null: nothing was said, so the engine's acl-pubsub-default holds. */
  channels: 'all' | string[] | null
  /** Begins with `+@all` or `-@all`. */
  commands: string[]
}

export interface Access {
  readonly enabled: boolean
  readonly root: Readonly<Selector>
  readonly selectors: readonly Readonly<Selector>[]
  /** Lowest engine version that knows all of it: `6.0`, `6.2`, `7.0`, `7.2`, ... */
  readonly minimumVersion: string
}

/** Rules that would set or clear credentials: those are fields of their own. */
const CREDENTIALS = /^(?:reset|nopass|resetpass|sanitize-payload|skip-sanitize-payload|[><#!].*)$/i

/** @throws AccessStringError naming the word that is wrong */
export function parseAccess(text: string): Access {
  const parser = new Parser()
  for (const word of wordsOf(text)) parser.take(word)
  return parser.access()
}

/** Words, with each `( ... )` as one. */
function wordsOf(text: string): string[] {
  const words: string[] = []
  let open: string[] | null = null
  for (const word of text.split(' ').filter(Boolean)) {
    if (open === null && word.startsWith('(')) open = []
    if (open === null) {
      words.push(word)
      continue
    }
    open.push(word)
    if (!word.endsWith(')')) continue
    words.push(open.join(' '))
    open = null
  }
  if (open !== null) throw new AccessStringError(`${open[0]} opens a selector that no ) closes`)
  return words
}

class Parser {
  #enabled = false
  readonly #root = emptySelector()
  #selectors: Selector[] = []
  #minimum = '6.0'

  access(): Access {
    const { channels } = this.#root
    if (channels !== null) this.#needs('6.2')
    return { enabled: this.#enabled, root: this.#root, selectors: this.#selectors, minimumVersion: this.#minimum }
  }

  #needs(version: string): void {
    if (Number.parseFloat(version) > Number.parseFloat(this.#minimum)) this.#minimum = version
  }

  take(word: string): void {
    const lower = word.toLowerCase()
    if (/[^\x21-\x7e ]/.test(word)) throw new AccessStringError(`${word} holds characters that are not printable ASCII`)
    if (CREDENTIALS.test(word)) throw new AccessStringError(`${ruleName(word)} is not part of an access string`)
    if (lower === 'on' || lower === 'off') this.#enabled = lower === 'on'
    else if (lower === 'clearselectors') {
      this.#needs('7.0')
      this.#selectors = []
    } else if (word.startsWith('(')) this.#selector(word)
    else this.#rule(this.#root, word)
  }

  #selector(word: string): void {
    this.#needs('7.0')
    const selector = emptySelector()
    for (const rule of word.slice(1, -1).split(' ').filter(Boolean)) this.#rule(selector, rule)
    this.#selectors.push(selector)
  }

  #rule(selector: Selector, word: string): void {
    const lower = word.toLowerCase()
    switch (lower) {
      case '~*':
      case 'allkeys':
        selector.keys = 'all'
        return
      case 'resetkeys':
        selector.keys = []
        return
      case '&*':
      case 'allchannels':
        selector.channels = 'all'
        return
      case 'resetchannels':
        selector.channels = []
        return
      case '+@all':
      case 'allcommands':
        selector.commands = ['+@all']
        return
      case '-@all':
      case 'nocommands':
        selector.commands = ['-@all']
        return
    }
    if (word.startsWith('~') || word.startsWith('%')) this.#key(selector, word)
    else if (word.startsWith('&')) addChannel(selector, word)
    else if (/^[+-]@/.test(word)) addCategory(selector, lower)
    else if (/^[+-]/.test(word)) this.#command(selector, lower)
    else throw new AccessStringError(`${word} is not a rule of an access string`)
  }

  #key(selector: Selector, word: string): void {
    const found = /^(?:~|%([rw]{1,2})~)(.*)$/is.exec(word)
    const flags = found?.[1]?.toLowerCase()
    if (found === null || flags === 'rr' || flags === 'ww') {
      throw new AccessStringError(`${word} is not a key pattern: ~pattern, %R~pattern, %W~pattern or %RW~pattern`)
    }
    if (flags !== undefined) this.#needs('7.0')
    if (selector.keys === 'all') {
      throw new AccessStringError(`${word} adds a pattern behind one for all keys; begin with resetkeys`)
    }
    const pattern = found[2]!
    const read = flags?.includes('r') ?? true
    const write = flags?.includes('w') ?? true
    const at = selector.keys.findIndex((known) => known.pattern === pattern)
    const known = selector.keys[at]
    if (known === undefined) selector.keys.push({ pattern, read, write })
    else selector.keys[at] = { pattern, read: read || known.read, write: write || known.write }
  }

  #command(selector: Selector, word: string): void {
    const name = word.slice(1)
    const [command = '', sub] = name.split('|')
    if (name.split('|').length > 2) throw new AccessStringError(`${word} has more than one |`)
    const known = sub !== undefined && isContainer(command) ? commandSince(name) : commandSince(command)
    if (known === null) throw new AccessStringError(`${word} names no command`)
    this.#needs(known)
    if (sub !== undefined) {
      this.#needs('7.0')
      if (sub === '') throw new AccessStringError(`${word} names no subcommand`)
      if (!isContainer(command) && word.startsWith('-')) {
        throw new AccessStringError(`${word} takes a first argument away, which engines do not support`)
      }
    }
    if (word.startsWith('+') && isRestricted(name)) {
      throw new AccessStringError(`${word} grants a restricted command, which no user may have`)
    }
    addRule(selector, word)
  }
}

const emptySelector = (): Selector => ({ keys: [], channels: null, commands: ['-@all'] })

function addChannel(selector: Selector, word: string): void {
  if (selector.channels === 'all') {
    throw new AccessStringError(`${word} adds a channel behind one for all channels; begin with resetchannels`)
  }
  const pattern = word.slice(1)
  selector.channels ??= []
  if (!selector.channels.includes(pattern)) selector.channels.push(pattern)
}

function addCategory(selector: Selector, word: string): void {
  if (!isCategory(word.slice(2))) throw new AccessStringError(`${word} names no category of commands`)
  addRule(selector, word)
}

/** A later rule of the same name decides alone: the earlier one is left out. */
function addRule(selector: Selector, word: string): void {
  selector.commands = [...selector.commands.filter((rule) => rule.slice(1) !== word.slice(1)), word]
}

/** The name of a refused rule, never what stands behind `>`: that is somebody's password. */
const ruleName = (word: string): string => (/^[><#!]/.test(word) ? `a rule that begins with ${word[0]}` : word)

/** The one form: on or off, keys, channels, commands from `-@all` or `+@all` on, selectors. */
export function accessText({ enabled, root, selectors }: Access): string {
  return [enabled ? 'on' : 'off', ...selectorWords(root, []), ...selectors.map((s) => selectorText(s, []))].join(' ')
}

/**
 * The rules for ACL SETUSER behind `reset`: those of the form with `denials` behind them, in each selector too, for each
 * of them allows by itself.
 */
export function accessRules({ enabled, root, selectors }: Access, denials: readonly string[]): readonly string[] {
  return [
    enabled ? 'on' : 'off',
    ...selectorWords(root, denials),
    ...selectors.map((selector) => selectorText(selector, denials)),
  ]
}

const selectorText = (selector: Readonly<Selector>, denials: readonly string[]): string =>
  `(${selectorWords(selector, denials).join(' ')})`

function selectorWords({ keys, channels, commands }: Readonly<Selector>, denials: readonly string[]): string[] {
  return [...keyWords(keys), ...channelWords(channels), ...commands, ...denials]
}

const keyWords = (keys: Selector['keys']): string[] =>
  keys === 'all'
    ? ['~*']
    : keys.map(({ pattern, read, write }) => `${read && write ? '' : read ? '%R' : '%W'}~${pattern}`)

/** `resetchannels` first: acl-pubsub-default may begin with all of them. */
function channelWords(channels: Selector['channels']): string[] {
  if (channels === null) return []
  return channels === 'all' ? ['&*'] : ['resetchannels', ...channels.map((pattern) => `&${pattern}`)]
}
