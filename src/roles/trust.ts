//! What viewers over HTTPS have to trust is there when control says that it is ready. The workers use the same files, and
//! make themselves what is missing.
import type { Config, HomePaths } from '../config.ts'
import { EDGE_CERTIFICATE } from '../edge/certificates.ts'
import { Authority, authorityFiles } from '../lib/ca/authority.ts'
import { systemClock } from '../lib/clock.ts'
import { StartError } from './errors.ts'
import { certificateNames, type ListeningNetwork } from './worker-settings.ts'

/** Resolves with the file of the authority's certificate. @throws StartError in one line */
export async function ensureTrust(config: Config, { tls }: HomePaths, network: ListeningNetwork): Promise<string> {
  try {
    const authority = await Authority.open(tls, () => systemClock.wall())
    await authority
      .kept(EDGE_CERTIFICATE, certificateNames(config.edgeDomain, network))
      .finally(() => authority.close())
    return authorityFiles(tls).certificate
  } catch (error) {
    throw new StartError(
      `The certificates for HTTPS in ${tls} cannot be used: ${(error as Error).message}. ` +
        'Remove that directory to have new ones made, or start with --https-listen none.',
      error,
    )
  }
}
