//! What the edge has cached: a list in lines, what a URL would find, how full the caches are.
import type { ObjectRequest } from '../../edge/feed-protocol.ts'
import type { State } from '../../state/state.ts'
import { distributionNamed } from './distribution-named.ts'
import type { Installation } from './installation.ts'
import { failure, json, type LocalRoute } from './local-route.ts'
import type { ObjectWalks } from './object-lines.ts'

export function cacheRoutes(installation: Installation, state: State, walks: ObjectWalks): readonly LocalRoute[] {
  return [
    {
      method: 'GET',
      path: '/_cachefront/objects',
      readsNeedSignature: true,
      async run({ query }) {
        const name = query.get('distribution')
        if (name === null)
          return failure(400, 'Name the distribution: /_cachefront/objects?distribution=ID&prefix=/img')
        const { id: distributionId } = await distributionNamed(state, name)
        return walks.lines({ distributionId, prefix: query.get('prefix') ?? '', invalidation: null })
      },
    },
    {
      method: 'GET',
      path: '/_cachefront/object',
      readsNeedSignature: true,
      async run({ query }) {
        const request = requestFor(query.get('url') ?? '', query.getAll('header'))
        if (typeof request === 'string') return failure(400, request)
        const place = query.get('place')
        if (place === null) return json(200, await installation.object(request))
        const names = (await installation.places()).map(({ name }) => name)
        if (!names.includes(place)) return failure(404, `There is no place ${place}: there are ${names.join(', ')}.`)
        return json(200, await installation.object({ ...request, place }))
      },
    },
    {
      method: 'GET',
      path: '/_cachefront/storage',
      readsNeedSignature: true,
      run: async () => json(200, await installation.storage()),
    },
  ]
}

/** What is wrong, for a person, when it is no request. */
function requestFor(text: string, lines: readonly string[]): ObjectRequest | string {
  // As it is written: the URL class would change the path.
  const [, scheme, host, path = '', query] = /^(https?):\/\/([^/?#]+)([^?#]*)(?:\?([^#]*))?/.exec(text) ?? []
  if (scheme === undefined || host === undefined) return 'url must be a whole URL that begins with http:// or https://.'
  const headers: string[] = []
  for (const line of lines) {
    const [, name, value] = /^([^:\s]+):\s*(.*)$/.exec(line) ?? []
    if (name === undefined || value === undefined) return `${JSON.stringify(line)} is no header: write NAME: VALUE.`
    headers.push(name, value)
  }
  return {
    scheme: scheme === 'https' ? 'https' : 'http',
    host: host.replace(/:\d+$/, '').toLowerCase(),
    path: path === '' ? '/' : path,
    query: query ?? null,
    headers,
  }
}
