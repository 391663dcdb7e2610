//! `/_cachefront/trusted-signers`: the key pairs of accounts that sign (TrustedSigners), for which AWS has no API.
import type { SignerKeyPairRecord } from '../../domain/records.ts'
import { addSignerKeyPair, removeSignerKeyPair } from '../cloudfront/signer-key-pairs.ts'
import type { ServiceContext } from '../service.ts'
import { failure, isObject, json, type LocalRoute } from './local-route.ts'

/** As the route tells of one. */
export interface SignerKeyPair {
  /** 12 digits. */
  readonly account: string
  /** `APKA...` */
  readonly keyPairId: string
  /** ISO 8601. */
  readonly since: string
}

const view = ({ account, id, createdTime }: SignerKeyPairRecord): SignerKeyPair => ({
  ...{ account, keyPairId: id, since: createdTime },
})

/** `accountId` is that of `self`. */
export function signerRoutes(
  context: Pick<ServiceContext, 'state' | 'clock'>,
  accountId: string,
): readonly LocalRoute[] {
  return [
    {
      method: 'GET',
      path: '/_cachefront/trusted-signers',
      readsNeedSignature: true,
      run: async () =>
        json(200, { keyPairs: (await context.state.list('signer-key-pair')).map(({ doc }) => view(doc)) }),
    },
    {
      method: 'POST',
      path: '/_cachefront/trusted-signers',
      async run({ body }) {
        const { account = 'self', keyPairId = null, publicKey, ...more } = isObject(body) ? body : {}
        const isId = keyPairId === null || typeof keyPairId === 'string'
        if (typeof account !== 'string' || !isId || typeof publicKey !== 'string' || Object.keys(more).length > 0) {
          return failure(
            400,
            'The body must be {"account": "self", "keyPairId": "APKA...", "publicKey": "PEM"}; only publicKey is required.',
          )
        }
        const made = await addSignerKeyPair({ account, id: keyPairId, publicKey }, { ...context, accountId })
        return { ...json(201, view(made)), made: { keyPairId: made.id } }
      },
    },
    {
      method: 'POST',
      path: '/_cachefront/trusted-signers/remove',
      async run({ body }) {
        const { keyPairId, ...more } = isObject(body) ? body : {}
        if (typeof keyPairId !== 'string' || Object.keys(more).length > 0) {
          return failure(400, 'The body must be {"keyPairId": "APKA..."}.')
        }
        return json(200, view(await removeSignerKeyPair(keyPairId, context)))
      },
    },
  ]
}
