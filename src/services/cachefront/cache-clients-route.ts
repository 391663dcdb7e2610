//! `/_cachefront/caches/clients`: the addresses of clients that are connected to a cache now.
import type { KeeperSeen } from '../../keeper/protocol.ts'
import { failure, json, type LocalRoute } from './local-route.ts'

/** What the route needs of the keeper. */
export interface ClientsSource {
  seen(): KeeperSeen | null
  ask(
    question: { readonly kind: 'clients'; readonly group: string; readonly node: string },
    timeoutMs: number,
  ): Promise<{ readonly text: string }>
}

/** What the route answers; null where the engine does not tell (memcached), or nobody answers. */
export interface CacheClientsDocument {
  readonly clients: readonly string[] | null
}

/** Longest wait for a node. Milliseconds. */
const ANSWER_MS = 2_000

export function cacheClientsRoute(keeper: ClientsSource): LocalRoute {
  return {
    method: 'GET',
    path: '/_cachefront/caches/clients',
    readsNeedSignature: true,
    async run({ query }) {
      const name = query.get('name') ?? ''
      const group = keeper.seen()?.groups.find(({ id }) => id === name)
      if (group === undefined) return failure(404, `There is no cache ${name.slice(0, 80)} on this host.`)
      const answers = await Promise.all(
        group.nodes.map(({ id }) =>
          keeper.ask({ kind: 'clients', group: name, node: id }, ANSWER_MS).then(
            ({ text }) => text,
            () => null,
          ),
        ),
      )
      const texts = answers.filter((text) => text !== null)
      const document: CacheClientsDocument = { clients: texts.length === 0 ? null : clientsIn(texts) }
      return json(200, document)
    },
  }
}

/** User of the keeper's own connections, replication included. */
const KEEPER_USER = 'cachefront-admin'

/** Addresses without ports, each once, sorted; without the keeper and the nodes themselves. */
export function clientsIn(texts: readonly string[]): string[] {
  const found = new Set<string>()
  for (const line of texts.join('\n').split('\n')) {
    const fields = new Map(line.split(' ').map((pair) => [pair.split('=', 1)[0], pair.slice(pair.indexOf('=') + 1)]))
    const address = fields.get('addr')?.replace(/:\d+$/, '')
    // M and S are the connections of replication.
    if (!address || fields.get('user') === KEEPER_USER || /[MS]/.test(fields.get('flags') ?? '')) continue
    found.add(address)
  }
  return [...found].sort()
}
