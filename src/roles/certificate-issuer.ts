//! Who issues what ACM's RequestCertificate asks for, by the settings. What it takes is loaded when it is wanted.
import { type Config, type HomePaths, programVersion } from '../config.ts'
import type { Issuer } from '../control/issuers/issuer.ts'
import type { Clock } from '../lib/clock.ts'
import type { State } from '../state/state.ts'

export interface IssuerParts {
  readonly config: Config
  readonly paths: HomePaths
  readonly environment: NodeJS.ProcessEnv
  readonly state: State
  readonly clock: Clock
  /** Revision that every live edge has; null while none lives. */
  readonly acknowledged: () => number | null
  /** One line for the operator. */
  readonly log: (line: string) => void
}

export async function openIssuer(parts: IssuerParts): Promise<Issuer> {
  const { config, paths, environment, state, clock, acknowledged, log } = parts
  const { acme, dnsListen, edgeDomain } = config
  if (acme === null) {
    const { localIssuer } = await import('../control/issuers/local.ts')
    return localIssuer(paths.tls, clock)
  }
  const [{ acmeIssuer, hookEnvironment }, { challengeDesk }] = await Promise.all([
    import('../control/issuers/acme.ts'),
    import('../control/issuers/acme/desk.ts'),
  ])
  return acmeIssuer({
    ...acme,
    environment: hookEnvironment(environment),
    home: paths.acme,
    nameServer: dnsListen === null ? null : edgeDomain,
    desk: challengeDesk(state, acknowledged),
    clock,
    version: programVersion(),
    problem: log,
  })
}

/** A hook puts the records into the zones of the names themselves: then nothing is to be led here. */
export const challengeZoneOf = ({ acme, dnsListen, edgeDomain }: Config): { readonly challengeZone?: string } =>
  acme === null || acme.dnsHook !== null || dnsListen === null ? {} : { challengeZone: edgeDomain }
