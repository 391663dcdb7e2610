//! Origin mTLS from the API to the wire: which certificates of ACM a distribution takes for its origins, what the origin is
//! shown, and that a certificate imported anew under its ARN is shown without a restart (spec/cloudfront.md 2.2, 7.4).
import 'reflect-metadata'
import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import type { DistributionConfig } from '@aws-sdk/client-cloudfront'
import { ExtendedKeyUsage } from '@peculiar/x509'
import { allDistributions } from '../../../src/control/plan/feed-changes.ts'
import { AcmSite } from '../../support/acm-site.ts'
import { type ServerCertificate, TestAuthority } from '../../support/certificates.ts'
import { ClientAuthority } from '../../support/client-certificates.ts'
import { EdgeScenario } from '../../support/edge-scenario.ts'
import { oneOrigin } from '../../support/one-origin.ts'
import { startTlsOrigin, type TlsOrigin } from '../../support/tls-origin.ts'

const NAME = 'origin.test'
const authority = await TestAuthority.make()

async function importing(site: AcmSite, { cert, key }: ServerCertificate, chain: string, CertificateArn?: string) {
  const { CertificateArn: arn = '' } = await site.acm.importCertificate({
    ...(CertificateArn === undefined ? {} : { CertificateArn }),
    ...{ Certificate: Buffer.from(cert), PrivateKey: Buffer.from(key), CertificateChain: Buffer.from(chain) },
  })
  return arn
}

function config(reference: string, port: number, ClientCertificateArn: string, policy = 'https-only') {
  const one = oneOrigin(reference, 80)
  const custom = {
    ...{ HTTPPort: 80, HTTPSPort: port, OriginProtocolPolicy: policy },
    OriginMtlsConfig: { ClientCertificateArn },
  }
  const origin = { Id: 'origin', DomainName: NAME, CustomOriginConfig: custom }
  return { ...one, Origins: { Quantity: 1, Items: [origin] } } as DistributionConfig
}

async function edgeOf(t: TestContext, site: AcmSite): Promise<EdgeScenario> {
  const directory = await mkdtemp(join(tmpdir(), 'cachefront-origin-ca-'))
  t.after(() => rm(directory, { recursive: true }))
  await writeFile(join(directory, 'ca.pem'), authority.pem)
  return EdgeScenario.start(t, await documents(site), {
    originAuthorities: [join(directory, 'ca.pem')],
    lookup: async () => ['127.0.0.1'],
  })
}

const documents = (site: AcmSite) => allDistributions(site.state).then(({ docs }) => docs)

const clients = ({ handshakes }: TlsOrigin) => handshakes.map(({ client }) => client)

test('an imported certificate is shown to the origin; a new one under its ARN takes over without a restart', (t) =>
  AcmSite.use({}, async (site) => {
    const origin = await startTlsOrigin(await authority.issue({ names: [NAME] }), {
      requestCert: true,
      rejectUnauthorized: true,
      ca: authority.pem,
    })
    t.after(() => origin.close())
    const intermediate = await authority.below()
    const issue = (subject: string) => intermediate.issue({ names: ['client.test'], subject })
    const chain = `${intermediate.pem}\n${authority.pem}`
    const arn = await importing(site, await issue('first'), chain)
    const { Distribution } = await site.cloudfront.createDistribution({
      DistributionConfig: config('mtls', origin.port, arn),
    })
    const { DistributionConfig: kept } = Distribution ?? {}
    assert.equal(kept?.Origins?.Items?.[0]?.CustomOriginConfig?.OriginMtlsConfig?.ClientCertificateArn, arn)
    const { Certificate } = await site.acm.describeCertificate({ CertificateArn: arn })
    assert.deepEqual(Certificate?.InUseBy, [Distribution?.ARN])
    await assert.rejects(site.acm.deleteCertificate({ CertificateArn: arn }), { name: 'ResourceInUseException' })

    const edge = await edgeOf(t, site)
    const host = Distribution?.DomainName ?? ''
    for (const path of ['/1', '/2']) assert.equal((await edge.get(path, { host })).status, 200)
    assert.deepEqual(clients(origin), ['first'])
    await importing(site, await issue('second'), chain, arn)
    const { Distribution: renewed } = await site.cloudfront.getDistribution({ Id: Distribution?.Id })
    assert.equal(renewed?.Status, 'InProgress', 'until every edge has it')
    for (const document of await documents(site)) await edge.feed.put(document)
    for (const path of ['/3', '/4']) assert.equal((await edge.get(path, { host })).status, 200)
    assert.deepEqual(clients(origin), ['first', 'second'])
    const told = [...edge.problems, ...site.told].join('\n')
    assert.doesNotMatch(told, /PRIVATE KEY/)
  }))

test('what cannot be shown to an origin is refused', () =>
  AcmSite.use({}, async (site) => {
    const people = await ClientAuthority.root()
    const imported = async (usages: readonly ExtendedKeyUsage[]) =>
      importing(site, await people.issue({ usages: usages as never }), people.pem)
    const forClients = await imported([ExtendedKeyUsage.clientAuth])
    const forServers = await imported([ExtendedKeyUsage.serverAuth])
    const { CertificateArn: pending = '' } = await site.acm.requestCertificate({ DomainName: 'a.test' })
    const missing = 'arn:aws:acm:us-east-1:123456789012:certificate/00000000-0000-0000-0000-000000000000'
    const rows: readonly (readonly [arn: string, why: RegExp, policy?: string])[] = [
      ['', /there is none in us-east-1/],
      [missing, /there is none in us-east-1/],
      [pending, /its status is PENDING_VALIDATION/],
      [forServers, /it is for TLS_WEB_SERVER_AUTHENTICATION, not for TLS_WEB_CLIENT_AUTHENTICATION/],
      [forClients, /an origin with the OriginProtocolPolicy http-only is never shown a certificate/, 'http-only'],
    ]
    const create = (arn: string, policy?: string) =>
      site.cloudfront.createDistribution({ DistributionConfig: config(`${arn} ${policy}`, 443, arn, policy) })
    for (const [arn, message, policy] of rows) {
      await assert.rejects(create(arn, policy), (error: Error) => {
        assert.equal(error.name, 'InvalidArgument')
        assert.match(error.message, message)
        return true
      })
    }
    await create(forClients, 'match-viewer')
    site.forward(400 * 86_400_000)
    await assert.rejects(create(forClients), /it expired on/)
  }))
