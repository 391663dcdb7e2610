//! The places of the network, and the switch that takes one of them down for a drill and up again.
import type { Installation } from './installation.ts'
import { failure, isObject, json, type LocalRoute } from './local-route.ts'

export function placesRoutes(installation: Installation): readonly LocalRoute[] {
  return [
    {
      method: 'GET',
      path: '/_cachefront/pops',
      readsNeedSignature: true,
      run: async () => json(200, { places: await installation.places() }),
    },
    {
      method: 'POST',
      path: '/_cachefront/pops',
      async run({ body }) {
        const { name, state } = isObject(body) ? body : {}
        if (typeof name !== 'string' || (state !== 'up' && state !== 'down')) {
          return failure(400, 'The body must be {"name": "FRA50-C1", "state": "down"} or the same with "up".')
        }
        const places = await installation.places()
        if (!places.some((place) => place.name === name)) {
          return failure(404, `There is no place ${name}: there are ${places.map((place) => place.name).join(', ')}.`)
        }
        const isEverywhere = await installation.switchPlace(name, state)
        if (isEverywhere) return json(200, { name, state })
        return failure(504, `${name} is to be ${state}, and not every worker has said that it is: see health.`)
      },
    },
  ]
}
