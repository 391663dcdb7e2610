//! A program of its own, for its client leaves a connection open: is given a configuration endpoint alone, discovers the
//! nodes, writes 60 keys over them, reads them back, and prints the nodes that it found as JSON.
import assert from 'node:assert/strict'
import MemcachePlus from 'memcache-plus'

const client = new MemcachePlus({ hosts: [process.argv[2]!], autodiscover: true, onNetError: () => {} })
const keys = Array.from({ length: 60 }, (_, at) => `key-${at}`)
for (const key of keys) await client.set(key, `of ${key}`)
for (const key of keys) assert.equal(await client.get(key), `of ${key}`)
process.stdout.write(JSON.stringify(Object.keys(client.connections).sort()), () => process.exit(0))
