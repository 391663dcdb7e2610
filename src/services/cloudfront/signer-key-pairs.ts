//! CloudFront key pairs of accounts, the older kind of signers (TrustedSigners; spec/cloudfront.md 9.2). AWS has no API for
//! them: the root user of an account uploads one in the console. Here an operator enters the public half, and nothing takes
//! a private one.
import { cachefrontFault } from '../../domain/faults.ts'
import { QUOTAS } from '../../domain/quotas.ts'
import type { SignerKeyPairRecord } from '../../domain/records.ts'
import { upperId } from '../../lib/ids.ts'
import { readPublicKey } from '../../lib/public-key.ts'
import type { Transaction } from '../../state/state.ts'
import type { ServiceContext } from '../service.ts'
import { redeploy } from './key-groups.ts'
import { distributionsTrusting } from './trusted-keys.ts'

const KEY_PAIR_ID = /^APKA[A-Z0-9]{16}$/
const ACCOUNT = /^\d{12}$/
const BITS: readonly number[] = [1_024, 2_048, 4_096]

export interface NewKeyPair {
  /** `self` or 12 digits. */
  readonly account: string
  /** The one that signers of the account have been told; null for a new one. */
  readonly id: string | null
  readonly publicKey: string
}

type Context = Pick<ServiceContext, 'state' | 'clock' | 'accountId'>

const wrong = (what: string) => cachefrontFault('InvalidRequest', what)

/** The distributions that trust the account are deployed with it. @throws Fault InvalidRequest */
export function addSignerKeyPair(
  given: NewKeyPair,
  { state, clock, accountId }: Context,
): Promise<SignerKeyPairRecord> {
  const account = given.account === 'self' ? accountId : given.account
  if (!ACCOUNT.test(account)) throw wrong('The account must be "self" or have 12 digits.')
  if (given.id !== null && !KEY_PAIR_ID.test(given.id)) {
    throw wrong('A key pair id is APKA and 16 upper-case letters or digits.')
  }
  const facts = given.publicKey.length > QUOTAS.encodedKeyChars ? null : readPublicKey(given.publicKey)
  if (facts?.type !== 'rsa' || !BITS.includes(facts.bits)) {
    throw wrong(
      'The public key must be one of RSA with 1024, 2048 or 4096 bits, in PEM (-----BEGIN PUBLIC KEY-----): openssl pkey -in KEY -pubout makes it.',
    )
  }
  return state.transact(async (tx) => {
    const all = (await tx.list('signer-key-pair')).map(({ doc }) => doc)
    if (given.id !== null && all.some(({ id }) => id === given.id)) {
      throw wrong(`The key pair ${given.id} is there already; remove it first.`)
    }
    if (all.filter((pair) => pair.account === account).length >= QUOTAS.keyPairsPerSigner) {
      throw wrong(`An account has at most ${QUOTAS.keyPairsPerSigner} key pairs: remove the older one first.`)
    }
    const made: SignerKeyPairRecord = {
      id: given.id ?? `APKA${upperId(16)}`,
      account,
      encodedKey: given.publicKey,
      createdTime: new Date(clock.now()).toISOString(),
    }
    await tx.put('signer-key-pair', made.id, made)
    await redeployTrusting(tx, account)
    return made
  })
}

/** What is signed with it is refused once its distributions are deployed. @throws Fault NotFound */
export function removeSignerKeyPair(id: string, { state }: Pick<Context, 'state'>): Promise<SignerKeyPairRecord> {
  return state.transact(async (tx) => {
    const stored = await tx.get('signer-key-pair', id)
    if (stored === undefined)
      throw cachefrontFault('NotFound', 'There is no such key pair: cachefront trusted-signers list.')
    await tx.delete('signer-key-pair', id)
    await redeployTrusting(tx, stored.doc.account)
    return stored.doc
  })
}

async function redeployTrusting(tx: Transaction, account: string): Promise<void> {
  const distributions = (await tx.list('distribution')).map(({ doc }) => doc)
  await redeploy(tx, distributionsTrusting(distributions, { account }))
}
