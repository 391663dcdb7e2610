//! Text in one piece. V8 keeps what was put together with `+` as a tree of its pieces until somebody reads it, and writing
//! a larger tree that contains it walks all of it again: text that is kept and used many times is made flat once.

/** An equal text of one piece; `text` is latin1 (characters up to U+00FF). */
export const flatText = (text: string): string => Buffer.from(text, 'latin1').toString('latin1')
