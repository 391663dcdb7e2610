//! `node:http` without what an `import` of it loads: an ES module gets every name of a built-in module, and among the names
//! of this one are those of Node's own undici. That takes 70 ms of CPU, as long as all of a worker's own code.

export const nodeHttp = (): typeof import('node:http') => process.getBuiltinModule('node:http')

/** Likewise. */
export const nodeHttp2 = (): typeof import('node:http2') => process.getBuiltinModule('node:http2')

/** Likewise. */
export const nodeHttps = (): typeof import('node:https') => process.getBuiltinModule('node:https')
