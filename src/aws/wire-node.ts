//! What an XML body and a query form have in common: a tree of named nodes with texts. Both are read into it by a strict
//! reader (xml-reader.ts, form-reader.ts) and turned into an operation's input by read-shape.ts.

export interface WireNode {
  readonly name: string
  /** All text directly inside, entities resolved. */
  readonly text: string
  readonly children: readonly WireNode[]
}

/** The two things that XML and query forms write differently. */
export interface Dialect {
  /** Nodes of a list's items in order; `itemName` is the model's. @throws WireError */
  items(list: WireNode, itemName: string, path: string): readonly WireNode[]
  /** Nodes of a map's entries, each with a key and a value as children. @throws WireError */
  entries(map: WireNode, path: string): readonly WireNode[]
}

/** Characters that XML 1.0 (section 2.2) cannot carry, so that no answer could repeat them. */
export const UNSPEAKABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/
