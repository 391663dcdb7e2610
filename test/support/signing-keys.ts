//! Keys that sign for viewers, each made once for a process, and the keys and key groups of the API that they become.
import { generateKeyPairSync } from 'node:crypto'
import type { CloudFront } from '@aws-sdk/client-cloudfront'

export interface SigningKey {
  /** PEM. */
  readonly privateKey: string
  readonly publicKey: string
}

const made = new Map<string, SigningKey>()

const pem = {
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
} as const

const remembered = (name: string, make: () => SigningKey): SigningKey => {
  const key = made.get(name) ?? make()
  made.set(name, key)
  return key
}

/** `name` tells several of one kind apart. */
export const rsaKey = (name = 'one', modulusLength = 2_048): SigningKey =>
  remembered(`rsa ${name} ${modulusLength}`, () => generateKeyPairSync('rsa', { modulusLength, ...pem }))

export const ecKey = (name = 'one', namedCurve = 'prime256v1'): SigningKey =>
  remembered(`ec ${name} ${namedCurve}`, () => generateKeyPairSync('ec', { namedCurve, ...pem }))

let number = 0

/** A public key of the API. Returns its id, which is the Key-Pair-Id. */
export async function addPublicKey(
  client: Pick<CloudFront, 'createPublicKey'>,
  EncodedKey: string,
): Promise<{ readonly id: string; readonly etag: string }> {
  const Name = `key-${++number}`
  const answer = await client.createPublicKey({ PublicKeyConfig: { CallerReference: Name, Name, EncodedKey } })
  return { id: answer.PublicKey?.Id as string, etag: answer.ETag as string }
}

export async function addKeyGroup(
  client: Pick<CloudFront, 'createKeyGroup'>,
  ...Items: string[]
): Promise<{ readonly id: string; readonly etag: string }> {
  const answer = await client.createKeyGroup({ KeyGroupConfig: { Name: `group-${++number}`, Items } })
  return { id: answer.KeyGroup?.Id as string, etag: answer.ETag as string }
}
