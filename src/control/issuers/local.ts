//! Certificates by the authority of this installation, at once and without any proof that a name is the caller's: it is for
//! a laptop, and only whoever trusts that authority (`cachefront trust`) trusts them.
import { Authority } from '../../lib/ca/authority.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Issuer } from './issuer.ts'

/** `directory`: of the authority (lib/ca/authority.ts). */
export function localIssuer(directory: string, clock: Pick<Clock, 'now' | 'wall'>): Issuer {
  let authority: Promise<Authority> | null = null
  const open = (): Promise<Authority> => {
    authority ??= Authority.open(directory, () => clock.wall()).catch((error) => {
      authority = null
      throw error
    })
    return authority
  }
  return {
    name: 'local',
    async step({ names, keyAlgorithm }) {
      const opened = await open()
      const made = await opened.issue(names, { key: keyAlgorithm, lifeFrom: clock.now() })
      return { kind: 'issued', certificate: made.certificate, chain: opened.certificate, privateKey: made.key }
    },
    close: () => {
      authority?.then(
        (opened) => opened.close(),
        () => {},
      )
    },
  }
}
