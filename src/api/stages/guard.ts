//! Turns away what a web page or a rebound DNS name sends, before anything else is looked at.
import { commonFault } from '../../domain/faults.ts'
import { judgeAccess } from '../access.ts'
import { refuse } from '../call.ts'
import { stage } from '../stage.ts'

export const guard = stage({
  name: 'guard',
  next: ['route', 'encode'],
  run(call, api) {
    const { request, message } = call
    const access = judgeAccess(
      {
        method: request.method,
        hosts: message.headersDistinct.host ?? [],
        origin: request.headers.get('origin'),
        fetchSite: request.headers.get('sec-fetch-site'),
      },
      api.allowedHosts,
    )
    return access.allowed ? 'route' : refuse(call, commonFault('AccessDenied', access.why))
  },
})
