//! RequestCertificate: writes the wish for a certificate. It is PENDING_VALIDATION until the issuer of the installation has
//! issued it (control/tasks/acm-certificates.ts).
import type { CertificateOptions, RequestCertificateRequest, RequestCertificateResponse } from '@aws-sdk/client-acm'
import { acmFault, validation } from '../../domain/acm-faults.ts'
import {
  type CertificateRecord,
  type CertificateRequest,
  certificateArn,
  type NameValidation,
  REQUESTED_KEYS,
  type RequestedKey,
} from '../../domain/certificates.ts'
import { CHALLENGE_LABEL } from '../../domain/challenge.ts'
import { quoted } from '../../domain/cloudfront-faults.ts'
import { notImplemented } from '../../domain/faults.ts'
import { lowerId, uuid } from '../../lib/ids.ts'
import type { Operation, ServiceContext } from '../service.ts'
import { requireRoom } from './import-certificate.ts'
import { putTags, tagsWith } from './tags.ts'

const DOMAIN = /^(\*\.)?(((?!-)[A-Za-z0-9-]{0,62}[A-Za-z0-9])\.)+((?!-)[A-Za-z0-9-]{1,62}[A-Za-z0-9])$/
const DOMAIN_CHARS_MAX = 253
/** The first name is the common name of the certificate, too (RFC 5280). */
const FIRST_CHARS_MAX = 64
const TOKEN = /^\w{1,32}$/
/** For which a token stands for the same request. Milliseconds. */
const TOKEN_MS = 3_600_000

export const requestCertificate: Operation<RequestCertificateRequest, RequestCertificateResponse> = async (
  input,
  context,
) => {
  const wish = wishOf(input, context)
  const tags = tagsWith({}, input.Tags)
  const now = context.clock.now()
  return context.state.transact(async (tx) => {
    const { idempotencyToken: token } = wish.request
    if (token !== undefined) {
      const known = (await tx.list('certificate')).find(
        ({ doc }) => doc.request?.idempotencyToken === token && now - Date.parse(doc.createdAt) < TOKEN_MS,
      )
      if (known !== undefined) return { CertificateArn: sameRequest(known.doc, wish).arn }
    }
    await requireRoom(tx, context)
    const at = new Date(now).toISOString()
    const arn = certificateArn(context.accountId, uuid())
    const record: CertificateRecord = {
      ...wish,
      arn,
      type: 'AMAZON_ISSUED',
      status: 'PENDING_VALIDATION',
      domainName: wish.names[0] ?? '',
      createdAt: at,
      issuance: { purpose: 'first', startedAt: at, failures: 0, nextAt: at },
    }
    await tx.put('certificate', arn, record)
    await putTags(tx, arn, tags)
    return { CertificateArn: arn }
  })
}

type Wish = Pick<CertificateRecord, 'names'> & {
  readonly keyAlgorithm: RequestedKey
  readonly request: CertificateRequest
}

function wishOf(
  input: RequestCertificateRequest,
  { quotas, challengeZone }: Pick<ServiceContext, 'quotas' | 'challengeZone'>,
): Wish {
  if (input.CertificateAuthorityArn) throw notImplemented('The field CertificateAuthorityArn of RequestCertificate')
  refuseMethodOption('RequestCertificate', input.Options)
  const names = namesOf(input, quotas.namesPerCertificate)
  const method = methodOf(input, names)
  const { IdempotencyToken: token, Options: options } = input
  if (token !== undefined && !TOKEN.test(token)) {
    throw validation(`'idempotencyToken' failed to satisfy constraint: it is 1 to 32 letters, digits and underscores.`)
  }
  return {
    names,
    keyAlgorithm: keyOf(input.KeyAlgorithm),
    request: {
      validationMethod: method,
      transparencyLogging: switchOf(
        'options.certificateTransparencyLoggingPreference',
        options?.CertificateTransparencyLoggingPreference ?? 'ENABLED',
      ),
      export: switchOf('options.export', options?.Export ?? 'DISABLED'),
      ...(token === undefined ? {} : { idempotencyToken: token }),
      validations: validationsOf(names, method, challengeZone),
    },
  }
}

function namesOf(input: RequestCertificateRequest, most: number): string[] {
  const given = [input.DomainName ?? '', ...(input.SubjectAlternativeNames ?? [])]
  for (const name of given) {
    if (name.length > DOMAIN_CHARS_MAX || !DOMAIN.test(name)) {
      throw validation(
        `Value ${quoted(name)} at 'domainName' failed to satisfy constraint: it is no domain name with a dot, with or without a leading *.`,
      )
    }
  }
  if ((input.DomainName ?? '').length > FIRST_CHARS_MAX) {
    throw validation(
      `The DomainName has more than ${FIRST_CHARS_MAX} characters: give a shorter one, and this one among SubjectAlternativeNames.`,
    )
  }
  const names = [...new Set(given.map((name) => name.toLowerCase()))]
  if (names.length > most) {
    throw acmFault(
      'LimitExceededException',
      `A certificate has at most ${most} names; this one would have ${names.length}.`,
    )
  }
  return names
}

/**
 * Without a method AWS sends e-mail. Nothing here can, and whoever asks for it by its name is told so; whoever names no
 * method gets DNS.
 */
function methodOf(input: RequestCertificateRequest, names: readonly string[]): CertificateRequest['validationMethod'] {
  const method: string = input.ValidationMethod ?? 'DNS'
  for (const { DomainName: name = '', ValidationDomain: domain = '' } of input.DomainValidationOptions ?? []) {
    const known = names.includes(name.toLowerCase())
    const isAbove =
      name.toLowerCase() === domain.toLowerCase() || name.toLowerCase().endsWith(`.${domain.toLowerCase()}`)
    if (!known || !isAbove || domain === '') {
      throw acmFault(
        'InvalidDomainValidationOptionsException',
        known
          ? `The ValidationDomain ${quoted(domain)} is neither ${quoted(name)} nor a domain above it.`
          : `DomainValidationOptions has ${quoted(name)}, which is not among the names of the certificate.`,
      )
    }
  }
  if (method === 'EMAIL') throw notImplemented('The ValidationMethod EMAIL of RequestCertificate')
  if (input.DomainValidationOptions !== undefined && input.DomainValidationOptions.length > 0) {
    throw notImplemented('The field DomainValidationOptions of RequestCertificate, which is for e-mail,')
  }
  if (method !== 'DNS' && method !== 'HTTP') {
    throw validation(
      `Value ${quoted(method)} at 'validationMethod' failed to satisfy constraint: it is DNS, EMAIL or HTTP.`,
    )
  }
  if (input.ManagedBy !== undefined) throw notImplemented('The field ManagedBy of RequestCertificate')
  if (method === 'HTTP' && names.some((name) => name.startsWith('*.'))) {
    throw acmFault('InvalidParameterException', 'A wildcard cannot be validated by HTTP: use DNS.')
  }
  return method
}

/** AWS issues public certificates with RSA_2048 and the curves alone; larger RSA keys are of private ones. */
function keyOf(given: string | undefined): RequestedKey {
  const found = REQUESTED_KEYS.find((key) => key === (given ?? 'RSA_2048'))
  if (found !== undefined) return found
  throw acmFault(
    'InvalidParameterException',
    `No certificate is issued with the KeyAlgorithm ${quoted(given ?? '')}: it is one of ${REQUESTED_KEYS.join(', ')}.`,
  )
}

/** It moves certificates from e-mail to DNS. @throws NotImplemented */
export function refuseMethodOption(operation: string, options: CertificateOptions | undefined): void {
  if (options?.ValidationMethod !== undefined)
    throw notImplemented(`The field Options.ValidationMethod of ${operation}`)
}

export function switchOf(field: string, value: string): 'ENABLED' | 'DISABLED' {
  if (value === 'ENABLED' || value === 'DISABLED') return value
  throw validation(`Value ${quoted(value)} at '${field}' failed to satisfy constraint: it is ENABLED or DISABLED.`)
}

/** A name and the wildcard below it are proved by the same record, as with ACM. */
function validationsOf(
  names: readonly string[],
  method: CertificateRequest['validationMethod'],
  challengeZone: string | undefined,
): NameValidation[] {
  const records = new Map<string, { name: string; value: string }>()
  return names.map((name) => {
    const domain = name.replace(/^\*\./, '')
    // The edge itself answers for names that are proved by HTTP: their owner has nothing to set up.
    if (method === 'HTTP') return { name, status: 'PENDING_VALIDATION' }
    const record = records.get(domain) ?? validationRecord(domain, challengeZone)
    records.set(domain, record)
    return { name, status: 'PENDING_VALIDATION', record }
  })
}

/** What ACM would look for; with ACME, where the edge's own name server answers (edge/dns/zone.ts), once and for all. */
function validationRecord(domain: string, challengeZone: string | undefined): { name: string; value: string } {
  if (challengeZone === undefined) {
    return { name: `_${lowerId(32)}.${domain}.`, value: `_${lowerId(32)}.acm-validations.localhost.` }
  }
  const name = `${CHALLENGE_LABEL}${domain}.`
  return { name, value: `${name}${challengeZone}.` }
}

/** @throws InvalidParameterException when the token stands for another request (unconfirmed) */
function sameRequest(known: CertificateRecord, wish: Wish): CertificateRecord {
  const of = ({ names, keyAlgorithm, request }: Pick<CertificateRecord, 'names' | 'keyAlgorithm' | 'request'>) =>
    JSON.stringify([names, keyAlgorithm, request?.validationMethod, request?.transparencyLogging, request?.export])
  if (of(known) === of(wish)) return known
  throw acmFault(
    'InvalidParameterException',
    `The IdempotencyToken is that of another request of the last hour, for ${known.arn}: take a new one.`,
  )
}
