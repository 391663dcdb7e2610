//! ExportCertificate: the one way in which a private key leaves, encrypted with the caller's passphrase.
import { createPrivateKey } from 'node:crypto'
import type { ExportCertificateRequest, ExportCertificateResponse } from '@aws-sdk/client-acm'
import { validation } from '../../domain/acm-faults.ts'
import type { Operation } from '../service.ts'
import { requireMaterial } from './certificates.ts'
import { findCertificate } from './lookup.ts'

/** Bytes. */
const PASSPHRASE_MIN = 4
const PASSPHRASE_MAX = 128
/** ASCII without #, $ and %. */
const PASSPHRASE = /^[\x20-\x22\x26-\x7e]*$/

export const exportCertificate: Operation<ExportCertificateRequest, ExportCertificateResponse> = async (
  input,
  context,
) => {
  const passphrase = Buffer.from(input.Passphrase ?? new Uint8Array())
  if (
    passphrase.length < PASSPHRASE_MIN ||
    passphrase.length > PASSPHRASE_MAX ||
    !PASSPHRASE.test(passphrase.toString('latin1'))
  ) {
    throw validation(
      `The passphrase must have ${PASSPHRASE_MIN} to ${PASSPHRASE_MAX} characters of ASCII other than #, $ and %.`,
    )
  }
  const { material, chain } = await context.state.transact(async (tx) => {
    const record = await findCertificate(tx, input.CertificateArn, context)
    if (record.request?.export !== 'ENABLED') {
      throw validation(
        `The certificate ${record.arn} cannot be exported: ${record.request === undefined ? 'it was imported' : 'it was requested without the option Export=ENABLED'}.`,
      )
    }
    const found = requireMaterial(record)
    await tx.put('certificate', record.arn, { ...record, exportedAt: new Date(context.clock.now()).toISOString() })
    return { material: found, chain: found.chain }
  })
  const key = createPrivateKey(material.privateKey)
  return {
    Certificate: material.certificate,
    ...(chain === '' ? {} : { CertificateChain: chain }),
    PrivateKey: key.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase }).toString(),
  }
}
