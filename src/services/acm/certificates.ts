//! Certificates one by one: described, read, deleted, renewed, their options changed.
import type {
  DeleteCertificateRequest,
  DescribeCertificateRequest,
  DescribeCertificateResponse,
  GetCertificateRequest,
  GetCertificateResponse,
  RenewCertificateRequest,
  ResendValidationEmailRequest,
  UpdateCertificateOptionsRequest,
} from '@aws-sdk/client-acm'
import { acmFault, validation } from '../../domain/acm-faults.ts'
import type { CertificateMaterial, CertificateRecord } from '../../domain/certificates.ts'
import type { Operation } from '../service.ts'
import { findCertificate, removeChallenges, usersOf } from './lookup.ts'
import { refuseMethodOption, switchOf } from './request-certificate.ts'
import { certificateDetail, isRenewable } from './views.ts'

/** @throws RequestInProgressException */
export function requireMaterial({ arn, material, status }: CertificateRecord): CertificateMaterial {
  if (material !== undefined) return material
  throw acmFault('RequestInProgressException', `The certificate ${arn} is not issued; its status is ${status}.`)
}

export const describeCertificate: Operation<DescribeCertificateRequest, DescribeCertificateResponse> = async (
  input,
  context,
) => {
  const record = await findCertificate(context.state, input.CertificateArn, context)
  const users = await usersOf(context.state, record.arn)
  return {
    Certificate: certificateDetail(
      record,
      users.map(({ arn }) => arn),
    ),
  }
}

export const getCertificate: Operation<GetCertificateRequest, GetCertificateResponse> = async (input, context) => {
  const { certificate, chain } = requireMaterial(await findCertificate(context.state, input.CertificateArn, context))
  return { Certificate: certificate, ...(chain === '' ? {} : { CertificateChain: chain }) }
}

export const deleteCertificate: Operation<DeleteCertificateRequest, object> = async (input, context) => {
  await context.state.transact(async (tx) => {
    const { arn } = await findCertificate(tx, input.CertificateArn, context)
    const users = await usersOf(tx, arn)
    if (users.length > 0) {
      const shown = users.map((user) => user.arn).join(', ')
      throw acmFault('ResourceInUseException', `Certificate ${arn} is in use by ${shown}: take it away there first.`)
    }
    await tx.delete('certificate', arn)
    await removeChallenges(tx, arn)
    await tx.delete('tags', arn)
  })
  return {}
}

/** Begins at once what would begin by itself when two thirds of its life are over. */
export const renewCertificate: Operation<RenewCertificateRequest, object> = async (input, context) => {
  const now = new Date(context.clock.now()).toISOString()
  await context.state.transact(async (tx) => {
    const record = await findCertificate(tx, input.CertificateArn, context)
    requireMaterial(record)
    if (record.issuance !== undefined) {
      throw acmFault('RequestInProgressException', `The certificate ${record.arn} is being renewed already.`)
    }
    if (!isRenewable(record, (await usersOf(tx, record.arn)).length > 0)) {
      throw validation(
        record.type === 'IMPORTED'
          ? `The certificate ${record.arn} was imported; import its successor under the same ARN.`
          : `The certificate ${record.arn} is not eligible for renewal: no distribution uses it, and it was not exported.`,
      )
    }
    await tx.put('certificate', record.arn, {
      ...record,
      issuance: { purpose: 'renewal', startedAt: now, failures: 0, nextAt: now },
      renewal: { status: 'PENDING_AUTO_RENEWAL', updatedAt: now },
    })
  })
  return {}
}

/** Whether certificates are written into public logs is a preference for authorities that do so; the local one does not. */
export const updateCertificateOptions: Operation<UpdateCertificateOptionsRequest, object> = async (input, context) => {
  await context.state.transact(async (tx) => {
    const record = await findCertificate(tx, input.CertificateArn, context)
    const { CertificateTransparencyLoggingPreference: preference, Export: exported } = input.Options ?? {}
    refuseMethodOption('UpdateCertificateOptions', input.Options)
    if (record.request === undefined) {
      throw acmFault('InvalidStateException', `The certificate ${record.arn} was imported: it has no options.`)
    }
    if (record.status !== 'ISSUED') {
      throw acmFault('InvalidStateException', `The certificate ${record.arn} must be ISSUED; it is ${record.status}.`)
    }
    if (exported !== undefined && switchOf('options.export', exported) !== record.request.export) {
      throw acmFault('InvalidStateException', 'Export cannot be changed after the certificate was requested.')
    }
    if (preference === undefined) return
    const transparencyLogging = switchOf('options.certificateTransparencyLoggingPreference', preference)
    await tx.put('certificate', record.arn, { ...record, request: { ...record.request, transparencyLogging } })
  })
  return {}
}

/** No certificate here was ever validated by e-mail (request-certificate.ts): the answer is ACM's for such ones. */
export const resendValidationEmail: Operation<ResendValidationEmailRequest, object> = async (input, context) => {
  const { arn, request } = await findCertificate(context.state, input.CertificateArn, context)
  throw acmFault(
    'InvalidStateException',
    `The certificate ${arn} is not validated by e-mail: ${request === undefined ? 'it was imported' : `its method is ${request.validationMethod}`}.`,
  )
}
