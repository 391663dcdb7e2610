//! Public keys: what signatures of viewers are verified with, and what fields are encrypted with (spec/cloudfront.md 1.5,
//! 1.7, 1.8, 2.7, 9.2). Only the comment of one can change: who rotates makes a new one.
import type {
  CreatePublicKeyRequest,
  CreatePublicKeyResult,
  DeletePublicKeyRequest,
  FieldLevelEncryptionProfileConfig,
  GetPublicKeyConfigRequest,
  GetPublicKeyConfigResult,
  GetPublicKeyRequest,
  GetPublicKeyResult,
  ListPublicKeysRequest,
  ListPublicKeysResult,
  PublicKey,
  PublicKeyConfig,
  PublicKeySummary,
  UpdatePublicKeyRequest,
  UpdatePublicKeyResult,
} from '@aws-sdk/client-cloudfront'
import { cloudfrontFault, invalidArgument, quoted } from '../../domain/cloudfront-faults.ts'
import { QUOTAS } from '../../domain/quotas.ts'
import type { PublicKeyRecord } from '../../domain/records.ts'
import { upperId } from '../../lib/ids.ts'
import { readPublicKey } from '../../lib/public-key.ts'
import type { Reader } from '../../state/state.ts'
import type { Operation } from '../service.ts'
import { locationOf, newEtag, requireMatch } from './entity-tag.ts'
import { byId, plainPage } from './paging.ts'

const configOf = (record: PublicKeyRecord): PublicKeyConfig => ({
  CallerReference: record.callerReference,
  Name: record.name,
  EncodedKey: record.encodedKey,
  Comment: record.comment,
})

const view = (record: PublicKeyRecord): PublicKey => ({
  Id: record.id,
  CreatedTime: new Date(record.createdTime),
  PublicKeyConfig: configOf(record),
})

type Accepted = Pick<PublicKeyRecord, 'name' | 'callerReference' | 'comment' | 'encodedKey' | 'kind'>

/** @throws MissingBody, InvalidArgument */
function accepted(given: PublicKeyConfig | undefined): Accepted {
  if (given === undefined) throw cloudfrontFault('MissingBody', 'The request needs a PublicKeyConfig.')
  const { CallerReference: callerReference = '', Name: name = '', EncodedKey: encodedKey = '' } = given
  const { Comment: comment = '' } = given
  if (callerReference === '') throw invalidArgument('CallerReference', 'it is required')
  if (name === '' || name.length > QUOTAS.publicKeyNameChars) {
    throw invalidArgument('Name', `it has 1 to ${QUOTAS.publicKeyNameChars} characters`)
  }
  if (comment.length > QUOTAS.commentChars) {
    throw invalidArgument('Comment', `it has at most ${QUOTAS.commentChars} characters`)
  }
  return { callerReference, name, comment, encodedKey, kind: kindOf(encodedKey) }
}

/** The text itself is in no message: it may be a private key, given by mistake. */
function kindOf(encodedKey: string): PublicKeyRecord['kind'] {
  const facts = encodedKey.length > QUOTAS.encodedKeyChars ? null : readPublicKey(encodedKey)
  if (facts?.type === 'rsa' && facts.bits === 2_048) return 'rsa-2048'
  if (facts?.type === 'ec' && facts.curve === 'prime256v1') return 'ecdsa-p256'
  const what =
    facts === null
      ? 'it is no public key in PEM (-----BEGIN PUBLIC KEY-----); openssl pkey -in KEY -pubout makes one'
      : `it is a key of ${facts.type === 'rsa' ? `RSA with ${facts.bits} bits` : `the curve ${facts.curve}`}, not of RSA with 2048 bits or of ECDSA with the curve P-256`
  throw invalidArgument('EncodedKey', what)
}

/** @throws NoSuchPublicKey */
export async function findPublicKey(reader: Reader, id: string | undefined): Promise<PublicKeyRecord> {
  const stored = id ? await reader.get('public-key', id) : undefined
  if (stored === undefined) {
    throw cloudfrontFault('NoSuchPublicKey', `The specified public key does not exist: ${quoted(id ?? '')}.`)
  }
  return stored.doc
}

export const createPublicKey: Operation<CreatePublicKeyRequest, CreatePublicKeyResult> = async (
  input,
  { state, clock, quotas },
) => {
  const config = accepted(input.PublicKeyConfig)
  const record = await state.transact(async (tx) => {
    const others = (await tx.list('public-key')).map(({ doc }) => doc)
    const same = others.find(
      ({ callerReference, name }) => callerReference === config.callerReference || name === config.name,
    )
    if (same !== undefined) {
      const what = same.name === config.name ? 'name' : 'caller reference'
      throw cloudfrontFault('PublicKeyAlreadyExists', `The ${what} is that of the public key ${same.id}.`)
    }
    if (others.length >= quotas.publicKeys) {
      throw cloudfrontFault('TooManyPublicKeys', `An account has at most ${quotas.publicKeys} public keys.`)
    }
    const made: PublicKeyRecord = {
      id: `K${upperId(13)}`,
      etag: newEtag(),
      createdTime: new Date(clock.now()).toISOString(),
      ...config,
    }
    await tx.put('public-key', made.id, made)
    return made
  })
  return { PublicKey: view(record), Location: locationOf(`public-key/${record.id}`), ETag: record.etag }
}

export const getPublicKey: Operation<GetPublicKeyRequest, GetPublicKeyResult> = async (input, { state }) => {
  const record = await findPublicKey(state, input.Id)
  return { PublicKey: view(record), ETag: record.etag }
}

export const getPublicKeyConfig: Operation<GetPublicKeyConfigRequest, GetPublicKeyConfigResult> = async (
  input,
  { state },
) => {
  const record = await findPublicKey(state, input.Id)
  return { PublicKeyConfig: configOf(record), ETag: record.etag }
}

/** The comment is all that can change, and edges need not hear of it. */
export const updatePublicKey: Operation<UpdatePublicKeyRequest, UpdatePublicKeyResult> = async (input, { state }) => {
  const record = await state.transact(async (tx) => {
    const old = await findPublicKey(tx, input.Id)
    requireMatch(input.IfMatch, old.etag)
    const { name, callerReference, comment, encodedKey } = accepted(input.PublicKeyConfig)
    // Tools hand back what they read with the last line break added or taken away.
    const isSame =
      name === old.name && callerReference === old.callerReference && encodedKey.trim() === old.encodedKey.trim()
    if (!isSame) {
      throw cloudfrontFault(
        'CannotChangeImmutablePublicKeyFields',
        'Of a public key only the Comment can be changed; for another key create another public key.',
      )
    }
    const updated: PublicKeyRecord = { ...old, comment, etag: newEtag() }
    await tx.put('public-key', old.id, updated)
    return updated
  })
  return { PublicKey: view(record), ETag: record.etag }
}

/** Who uses a public key, for a person; null for nobody. */
async function userOf(reader: Reader, id: string): Promise<string | null> {
  const group = (await reader.list('key-group')).find(({ doc }) => doc.publicKeys.includes(id))
  if (group !== undefined) return `the key group ${group.id} (${group.doc.name})`
  const profile = (await reader.list('field-encryption-profile')).find(({ doc }) => {
    const { EncryptionEntities: entities } = doc.config as FieldLevelEncryptionProfileConfig
    return entities?.Items?.some(({ PublicKeyId }) => PublicKeyId === id)
  })
  return profile === undefined ? null : `the field-level encryption profile ${profile.id}`
}

export const deletePublicKey: Operation<DeletePublicKeyRequest, object> = async (input, { state }) => {
  await state.transact(async (tx) => {
    const record = await findPublicKey(tx, input.Id)
    requireMatch(input.IfMatch, record.etag)
    const user = await userOf(tx, record.id)
    if (user !== null) {
      throw cloudfrontFault(
        'PublicKeyInUse',
        `The public key ${record.id} is in use by ${user}: remove it there first.`,
      )
    }
    await tx.delete('public-key', record.id)
  })
  return {}
}

const BY_ID = byId((record: PublicKeyRecord) => record.id)

const summary = ({ id, name, createdTime, encodedKey, comment }: PublicKeyRecord): PublicKeySummary => ({
  Id: id,
  Name: name,
  CreatedTime: new Date(createdTime),
  EncodedKey: encodedKey,
  Comment: comment,
})

export const listPublicKeys: Operation<ListPublicKeysRequest, ListPublicKeysResult> = async (input, { state }) => {
  const records = (await state.list('public-key')).map(({ doc }) => doc)
  return { PublicKeyList: plainPage(records, BY_ID, summary, input) }
}
