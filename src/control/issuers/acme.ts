//! Certificates by ACME (RFC 8555): Let's Encrypt, or whoever speaks as it does. What it takes is loaded at the first order.
import type { Clock } from '../../lib/clock.ts'
import type { ChallengeDesk } from './acme/desk.ts'
import type { Orders } from './acme/orders.ts'
import type { Issuer } from './issuer.ts'

export interface AcmeIssuerOptions {
  /** URL of the server's directory. */
  readonly directory: string
  /** Mail addresses. */
  readonly contacts: readonly string[]
  /** Files (PEM): whom the server may have its own certificate from, besides public authorities. */
  readonly authorities: readonly string[]
  readonly external: { readonly kid: string; readonly key: string } | null
  /** Program that puts up TXT records (acme/dns-hook.ts); null for none. */
  readonly dnsHook: string | null
  /** Its environment. */
  readonly environment: NodeJS.ProcessEnv
  /** Of the keys of accounts; made when it is missing. */
  readonly home: string
  /** The edge domain, when its name server runs; null otherwise. */
  readonly nameServer: string | null
  readonly desk: ChallengeDesk
  readonly clock: Clock
  readonly version: string
  readonly random?: () => number
  /** One line for the operator. */
  readonly problem: (message: string) => void
}

interface Loaded {
  readonly orders: Orders
  close(): void
}

export function acmeIssuer(options: AcmeIssuerOptions): Issuer {
  let loading: Promise<Loaded> | null = null
  const load = (): Promise<Loaded> => {
    loading ??= open(options).catch((error) => {
      loading = null
      throw error
    })
    return loading
  }
  return {
    name: 'acme',
    async step(order) {
      const { orders } = await load()
      return orders.step(order)
    },
    close() {
      loading?.then(
        (loaded) => loaded.close(),
        () => {},
      )
    },
  }
}

/** @throws Error when a file of authorities cannot be read */
async function open(options: AcmeIssuerOptions): Promise<Loaded> {
  const { directory, contacts, external, home, desk, clock, problem, nameServer, version } = options
  const [{ Orders }, { AcmeServer }, { Account }, { DnsHook }, { Issuing }, { readAuthorities }] = await Promise.all([
    import('./acme/orders.ts'),
    import('./acme/server.ts'),
    import('./acme/account.ts'),
    import('./acme/dns-hook.ts'),
    import('../../lib/ca/issuing.ts'),
    import('../../edge/origin/authorities.ts'),
  ])
  const authorities = options.authorities.flatMap(readAuthorities)
  const server = new AcmeServer({ directory, authorities, clock, userAgent: `cachefront/${version}` })
  const account = new Account(server, { home, directory, contacts, external })
  const { dnsHook, environment, random = Math.random } = options
  const hook = dnsHook === null ? null : new DnsHook({ program: dnsHook, environment })
  const issuing = new Issuing()
  const orders = new Orders({
    ...{ directory, server, account, desk, hook, nameServer, clock, random, problem },
    makeRequest: async (names, key) => {
      const made = await issuing.make({ kind: 'request', names, key }, clock.wall())
      return { key: made.key, request: made.certificate }
    },
  })
  return {
    orders,
    close() {
      hook?.close()
      issuing.close()
      void server.close()
    },
  }
}

/** What a program of the operator's gets: not what is ours, where secrets are. */
export const hookEnvironment = (environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(environment).filter(([name]) => !name.startsWith('CACHEFRONT_')))
