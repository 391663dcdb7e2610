//! Fields that no custom response may have, because they say where a message ends or what its body is. The API refuses them, and
//! an edge that meets one anyway refuses the web ACL. PURE.

const RESERVED: ReadonlySet<string> = new Set([
  ...['connection', 'content-length', 'content-type', 'keep-alive', 'trailer', 'transfer-encoding', 'upgrade'],
])

/** `name` in any case. */
export const isReservedField = (name: string): boolean => RESERVED.has(name.toLowerCase())
