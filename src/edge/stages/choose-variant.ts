//! Strict mode: at the key lies an index of variants. Which one does this request select? The lookup goes on with its key.
import { INDEX } from '../cache/object.ts'
import { stage, to } from '../stage.ts'
import { selectVariant } from '../variant-choice.ts'

export const chooseVariant = stage({
  name: to.chooseVariant,
  next: [to.cacheLookup],
  run(x, edge) {
    // Nothing can have happened to it since cache-lookup found it.
    const index = edge.store.get(x.key)
    if (index === null || index.status !== INDEX.variants) throw new Error('there is no index at this key')
    x.indexKey = x.key
    x.key = selectVariant(x, edge, index)
    x.watcher?.note('variantOf', x.indexKey)
    if (x.stale !== null && x.stale.key !== x.key) {
      x.stale.release()
      x.stale = null
    }
    return to.cacheLookup
  },
})
