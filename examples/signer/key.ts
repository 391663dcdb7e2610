//! The signer's key pair: the private key in a file that only the signer reads, the public one in CloudFront, in a key group
//! that behaviors trust. A second start finds what the first has made.
import { generateKeyPair } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import {
  type CloudFrontClient,
  CreateKeyGroupCommand,
  CreatePublicKeyCommand,
  GetKeyGroupCommand,
  ListKeyGroupsCommand,
  ListPublicKeysCommand,
} from '@aws-sdk/client-cloudfront'

const NAME = 'storefront-signer'

export interface TrustedKey {
  /** What signed cookies name. */
  readonly keyPairId: string
  /** For TrustedKeyGroups of behaviors. */
  readonly keyGroupId: string
  /** Path of the private key, PEM. */
  readonly privateKeyFile: string
}

/** `directory` keeps the private key. */
export async function trustedKey(cloudfront: CloudFrontClient, directory: string): Promise<TrustedKey> {
  const privateKeyFile = join(directory, 'signer-private.pem')
  const publicKeyFile = join(directory, 'signer-public.pem')
  const pem = read(publicKeyFile) ?? (await newPair(privateKeyFile, publicKeyFile))
  const keyPairId = await publicKeyId(cloudfront, pem)
  return { keyPairId, keyGroupId: await keyGroupId(cloudfront, keyPairId), privateKeyFile }
}

/** The public key in PEM. */
async function newPair(privateKeyFile: string, publicKeyFile: string): Promise<string> {
  const { publicKey, privateKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  writeFileSync(privateKeyFile, privateKey, { mode: 0o600 })
  writeFileSync(publicKeyFile, publicKey)
  return publicKey
}

async function publicKeyId(cloudfront: CloudFrontClient, pem: string): Promise<string> {
  const list = await cloudfront.send(new ListPublicKeysCommand({}))
  const found = list.PublicKeyList?.Items?.find((key) => key.Name === NAME && key.EncodedKey?.trim() === pem.trim())
  if (found?.Id !== undefined) return found.Id
  const created = await cloudfront.send(
    new CreatePublicKeyCommand({ PublicKeyConfig: { CallerReference: pem, Name: NAME, EncodedKey: pem } }),
  )
  return created.PublicKey?.Id ?? ''
}

async function keyGroupId(cloudfront: CloudFrontClient, keyPairId: string): Promise<string> {
  const list = await cloudfront.send(new ListKeyGroupsCommand({}))
  const found = list.KeyGroupList?.Items?.find(({ KeyGroup }) => KeyGroup?.KeyGroupConfig?.Name === NAME)?.KeyGroup
  if (found?.Id === undefined) {
    const created = await cloudfront.send(
      new CreateKeyGroupCommand({ KeyGroupConfig: { Name: NAME, Items: [keyPairId] } }),
    )
    return created.KeyGroup?.Id ?? ''
  }
  const { KeyGroup } = await cloudfront.send(new GetKeyGroupCommand({ Id: found.Id }))
  if (KeyGroup?.KeyGroupConfig?.Items?.includes(keyPairId) !== true) {
    throw new Error(`The key group ${NAME} does not have the key of signer-public.pem: put it in, or delete the group.`)
  }
  return found.Id
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}
