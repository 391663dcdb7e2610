//! A strict reader for `application/x-www-form-urlencoded`: bodies of awsQuery calls and query strings of both protocols.

import { WireError } from './wire-error.ts'
import type { Dialect, WireNode } from './wire-node.ts'

/** Parameters of one call. The largest honest call (a parameter group of 100 values, 50 tags) has a few hundred. */
const PARAMETERS_MAX = 10_000
/** Names between the dots of one parameter. */
const NAME_PARTS_MAX = 20

export type FormPairs = readonly (readonly [name: string, value: string])[]

/** Splits and decodes. @throws WireError `malformed`: bad percent encoding, not UTF-8, a parameter without a name. */
export function readForm(text: string): FormPairs {
  if (text === '') return []
  const parts = text.split('&')
  if (parts.length > PARAMETERS_MAX) throw malformed(`There are more than ${PARAMETERS_MAX} parameters.`)
  return parts
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=')
      const name = decode(equals < 0 ? part : part.slice(0, equals))
      if (name === '') throw malformed('A parameter has no name.')
      return [name, equals < 0 ? '' : decode(part.slice(equals + 1))] as const
    })
}

const malformed = (message: string): WireError => new WireError('malformed', '', message)

function decode(text: string): string {
  // A byte above 0x7f belongs percent-encoded; the body was read as Latin-1 so that each byte is still one character.
  if (/[^\x20-\x7e]/.test(text)) throw malformed('The parameters have a character that is not percent-encoded.')
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    throw malformed('The parameters are not percent-encoded UTF-8.')
  }
}

interface Growing {
  readonly name: string
  text: string | null
  readonly children: Map<string, Growing>
}

/** The tree that dotted names spell (`Tags.Tag.1.Key=a`). @throws WireError `malformed` */
export function formTree(rootName: string, pairs: FormPairs): WireNode {
  const root: Growing = { name: rootName, text: null, children: new Map() }
  for (const [name, value] of pairs) {
    const parts = name.split('.')
    if (parts.length > NAME_PARTS_MAX) throw malformed(`A parameter's name has more than ${NAME_PARTS_MAX} parts.`)
    let node = root
    for (const part of parts) {
      if (part === '' || node.text !== null) throw malformed(`The parameter ${name} fits nowhere.`)
      let child = node.children.get(part)
      if (child === undefined) {
        child = { name: part, text: null, children: new Map() }
        node.children.set(part, child)
      }
      node = child
    }
    if (node.text !== null || node.children.size > 0) throw malformed(`The parameter ${name} is given twice.`)
    node.text = value
  }
  return grown(root)
}

function grown(node: Growing): WireNode {
  return { name: node.name, text: node.text ?? '', children: [...node.children.values()].map(grown) }
}

/** Lists as `.member.N` or `.<ItemName>.N` (clients use both, spec/elasticache.md 1.2); maps as `.entry.N.key`. */
export const formDialect: Dialect = {
  items(list, itemName, path) {
    const wrapper = onlyChild(list, path)
    if (wrapper === null) return []
    if (wrapper.name !== 'member' && wrapper.name !== itemName) {
      throw new WireError('unknown', path, `${path}.${wrapper.name} is not known; items are ${path}.${itemName}.N.`)
    }
    return numbered(wrapper, path)
  },
  entries(map, path) {
    const wrapper = onlyChild(map, path)
    if (wrapper === null) return []
    if (wrapper.name !== 'entry') throw new WireError('unknown', path, `${path}.${wrapper.name} is not known.`)
    return numbered(wrapper, path)
  },
}

/** `Tags=` is how the SDK sends an empty list. */
function onlyChild(list: WireNode, path: string): WireNode | null {
  if (list.children.length > 1) throw new WireError('malformed', path, `The items of ${path} have two names.`)
  if (list.text !== '') throw new WireError('type', path, `${path} is a list; its items are ${path}.member.N.`)
  return list.children[0] ?? null
}

function numbered(wrapper: WireNode, path: string): readonly WireNode[] {
  const items = wrapper.children.map((node) => {
    if (!/^[1-9][0-9]{0,5}$/.test(node.name)) {
      throw new WireError('malformed', path, `${path}.${wrapper.name}.${node.name}: items are numbered from 1.`)
    }
    return { index: Number(node.name), node }
  })
  return items.sort((a, b) => a.index - b.index).map((item) => item.node)
}
