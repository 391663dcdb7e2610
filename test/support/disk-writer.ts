//! Writes objects to a disk store as fast as it can until it is killed (a process of its own). Batch n writes version n
//! of every key but the one that it removes; when a batch is with the system it prints n.
import { openTestStore, testBody, testMeta } from './disk-store.ts'

const [directory = '', first = '1'] = process.argv.slice(2)
const { store } = await openTestStore(directory, { segmentBytes: 1024 * 1024, segments: 8 })
for (let batch = Number(first); ; batch++) {
  for (let at = 0; at < 20; at++) {
    const key = `key-${at}`
    if (at === batch % 20) store.remove(key)
    else
      store.put(
        key,
        testMeta(key),
        [testBody(key, batch, at === 7 ? 150_000 : 50 + ((at * batch * 37) % 3_000))],
        false,
      )
  }
  await store.idle()
  process.stdout.write(`${batch}\n`)
}
