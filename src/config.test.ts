import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { type Flags, OPTIONS, readConfig, readHome } from './config.ts'
import { networkOf } from './config-topology.ts'
import { ConfigError } from './config-values.ts'
import { quotasWith } from './domain/quotas.ts'

const directory = mkdtempSync(join(tmpdir(), 'cachefront-config-'))
after(() => rmSync(directory, { recursive: true }))
let files = 0
function configFile(content: unknown): string {
  const file = join(directory, `config-${++files}.json`)
  writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content))
  return file
}
const refused = (flags: Flags, environment: Record<string, string>, says: RegExp) =>
  assert.throws(
    () => readConfig(flags, environment),
    (error: Error) => {
      assert.ok(error instanceof ConfigError, String(error.stack))
      assert.match(error.message, says)
      assert.ok(!error.message.includes('\n'))
      return true
    },
  )

describe('security groups and subnets', () => {
  it('are an id and its IPv4 networks', () => {
    const { sourceNetworks } = readConfig(
      { 'security-group': ['sg-web=10.1.0.0/16,127.0.0.0/8', 'sg-b=10.2.0.0/16'] },
      {},
    )
    assert.deepEqual(sourceNetworks.securityGroups.get('sg-web'), ['10.1.0.0/16', '127.0.0.0/8'])
    assert.deepEqual([...sourceNetworks.securityGroups.keys()], ['sg-web', 'sg-b'])
    for (const bad of ['sg-web', 'web=10.0.0.0/8', 'sg-web=', 'sg-web=10.0.0.0/33', 'sg-web=fd00::/8', 'sg-web=a/8']) {
      assert.throws(() => readConfig({ 'security-group': [bad] }, {}), ConfigError, bad)
    }
    assert.throws(() => readConfig({ subnet: ['sg-web=10.0.0.0/8'] }, {}), /subnet-NAME=CIDR/)
  })
})

describe('settings', () => {
  it('has the documented defaults', () => {
    const config = readConfig({}, { PATH: '/bin:relative:/usr/bin' })
    assert.deepEqual(config, {
      home: `${homedir()}/.cachefront`,
      apiListen: { host: '127.0.0.1', port: 4566 },
      httpListen: { host: '127.0.0.1', port: 8080 },
      httpsListen: { host: '127.0.0.1', port: 8443 },
      edgeDomain: 'cloudfront.localhost',
      accountId: '123456789012',
      region: 'us-east-1',
      network: networkOf(1, 'us-east-1'),
      networkIsGiven: false,
      workers: 1,
      cacheMemoryBytes: 256 * 1024 * 1024,
      diskCacheBytes: 1024 * 1024 * 1024,
      cacheCertificates: [],
      nodeNetwork: null,
      sourceNetworks: { securityGroups: new Map(), subnets: new Map() },
      nodeMemoryOvercommit: 100,
      enginePath: ['/bin', '/usr/bin', '/usr/local/bin', '/usr/local/sbin', '/usr/sbin', '/opt/homebrew/bin'],
      credentials: null,
      requireKeys: false,
      allowHosts: [],
      bare: false,
      stopEngines: false,
      movableClock: false,
      rfcStrict: false,
      s3: { endpoint: null, region: 'us-east-1', keys: null },
      encryption: { keyFile: null, kmsEndpoint: null, kmsKeyId: null, kmsKeys: null },
      logDestinations: [],
      topics: [],
      topicSecret: null,
      folders: [],
      acme: null,
      dnsListen: null,
      trustedProxies: [],
      protection: {
        addressRequests: 2_000,
        addressBurst: 10_000,
        connections: 10_000,
        addressConnections: 2_000,
        addressHandshakes: 100,
        originRequests: 4_000,
        limitLoopback: false,
      },
      proxyProtocol: [],
      dedicatedIps: [],
      user: null,
      originAuthorities: [],
      geoip: [],
      quotas: quotasWith(),
      allowOrigins: [],
    })
  })

  it('takes the endpoint, the keys and the region of S3, and folders', () => {
    const config = readConfig(
      { 's3-endpoint': 'http://127.0.0.1:9000', folder: ['site=/srv/site', 'docs=/srv/docs'] },
      { CACHEFRONT_S3_ACCESS_KEY_ID: 'id', CACHEFRONT_S3_SECRET_ACCESS_KEY: 's', CACHEFRONT_S3_REGION: 'eu-west-1' },
    )
    const endpoint = { scheme: 'http', host: '127.0.0.1', port: 9000, path: '' }
    assert.deepEqual(config.s3, { endpoint, region: 'eu-west-1', keys: { accessKeyId: 'id', secretAccessKey: 's' } })
    assert.deepEqual(config.folders[1], { name: 'docs', directory: '/srv/docs' })
    const path = readConfig({ 's3-endpoint': 'https://minio.example/s3/' }, {}).s3.endpoint
    assert.deepEqual(path, { scheme: 'https', host: 'minio.example', port: 443, path: '/s3' })
  })

  it('refuses half a key pair, endpoints that are none, and folders without a name', () => {
    refused({}, { CACHEFRONT_S3_ACCESS_KEY_ID: 'id' }, /S3_ACCESS_KEY_ID is set and CACHEFRONT_S3_SECRET_ACCESS_KEY is/)
    for (const url of ['127.0.0.1:9000', 'ftp://a', 'http://a?b', 'http://']) {
      refused({ 's3-endpoint': url }, {}, /must be a URL/)
    }
    assert.throws(
      () => readConfig({ 's3-endpoint': 'http://u:secret@a' }, {}),
      (error: Error) => !/secret/.test(error.message),
    )
    refused({ folder: ['/srv'] }, {}, /NAME=DIR/)
    refused({ folder: ['Site=/srv'] }, {}, /NAME=DIR/)
    refused({ folder: ['a=/x', 'a=/y'] }, {}, /twice/)
    refused({ 'cache-certificate': ['shop=/x', 'shop=/y'] }, {}, /--cache-certificate names shop twice/)
  })

  it('takes quotas by flag, variable and file, and leaves the others as they are', () => {
    const wanted = quotasWith({ behaviorsPerDistribution: 200, distributions: 1_000 })
    const file = configFile({ quotas: { behaviorsPerDistribution: 200, distributions: 1_000 } })
    const pairs = ['behaviorsPerDistribution=200', 'distributions=1000']
    assert.deepEqual(readConfig({ quotas: pairs }, {}).quotas, wanted)
    assert.deepEqual(readConfig({}, { CACHEFRONT_QUOTAS: pairs.join(',') }).quotas, wanted)
    assert.deepEqual(readConfig({ config: file }, {}).quotas, wanted)
    refused({ quotas: ['sheep=3'] }, {}, /^--quotas has "sheep", which is no quota; there are distributions, /)
    refused({ quotas: ['distributions'] }, {}, /^distributions in --quotas is "": it must be a whole number/)
    refused({ quotas: ['distributions=10001'] }, {}, /from 0 to 10000/)
    refused({ config: configFile({ quotas: { distributions: '=1' } }) }, {}, /^distributions in "quotas" in /)
    refused({ config: configFile({ quotas: 3 }) }, {}, /"quotas" in .* must be an object of names and numbers/)
  })

  it('takes a flag before the environment before the file', () => {
    const config = configFile({ region: 'eu-west-1', workers: 3, 'account-id': '111111111111', bare: true })
    const environment = { CACHEFRONT_REGION: 'eu-west-2', CACHEFRONT_WORKERS: '2', CACHEFRONT_CONFIG: config }
    const read = readConfig({ region: 'eu-west-3' }, environment)
    assert.deepEqual([read.region, read.workers, read.accountId, read.bare], ['eu-west-3', 2, '111111111111', true])
    assert.equal(readConfig({ config: configFile({ bare: false }) }, {}).bare, false)
  })

  it('gives every environment variable a flag of the same name', () => {
    for (const { name, env } of OPTIONS) {
      if (env !== null) assert.equal(env, `CACHEFRONT_${name.toUpperCase().replaceAll('-', '_')}`)
    }
  })

  it('reads addresses', () => {
    const listen = (text: string) => readConfig({ 'http-listen': text }, {}).httpListen
    assert.deepEqual(listen('0.0.0.0:80'), { host: '0.0.0.0', port: 80 })
    assert.deepEqual(listen('localhost:0'), { host: '127.0.0.1', port: 0 })
    assert.deepEqual(listen('[::1]:81'), { host: '::1', port: 81 })
    assert.deepEqual(listen('8081'), { host: '127.0.0.1', port: 8081 })
    for (const wrong of ['', 'x', ':80', '127.0.0.1', '::1:80', '127.0.0.1:65536', '1.2.3:80', 'example.com:80']) {
      refused({ 'http-listen': wrong }, {}, /--http-listen is .*must be ADDRESS:PORT/)
    }
  })

  it('reads lists and keys', () => {
    assert.deepEqual(readConfig({ 'allow-origin': ['10.0.0.0/8', 'fd00::/8'] }, {}).allowOrigins, [
      '10.0.0.0/8',
      'fd00::/8',
    ])
    assert.deepEqual(readConfig({}, { CACHEFRONT_ALLOW_HOST: 'API, aws.Test' }).allowHosts, ['api', 'aws.test'])
    const keys = { CACHEFRONT_ACCESS_KEY_ID: 'id', CACHEFRONT_SECRET_ACCESS_KEY: 'secret' }
    const config = readConfig({ 'api-listen': '0.0.0.0:4566' }, keys)
    assert.deepEqual(config.credentials, { accessKeyId: 'id', secretAccessKey: 'secret' })
    assert.equal(readConfig({}, { CACHEFRONT_HTTPS_LISTEN: 'none' }).httpsListen, null)
    assert.deepEqual(readConfig({ 'engine-path': '/opt/x:/opt/y' }, { PATH: '/bin' }).enginePath, ['/opt/x', '/opt/y'])
  })

  const topologyFile = (pop: object): string =>
    configFile({
      topology: {
        regionals: [{ region: 'eu-west-1' }],
        pops: [
          { region: 'eu-central-1', ...pop },
          { region: 'eu-west-1', regional: 'REC-eu-west-1' },
        ],
      },
    })

  it('reads a network of POPs', () => {
    const { pops, regionals } = readConfig(
      { config: topologyFile({ http: '127.0.0.9:80', https: '127.0.0.9:81', ipv6: '[::1]:80', longitude: 9.5 }) },
      {},
    ).network
    assert.deepEqual(regionals, [{ name: 'REC-eu-west-1', region: 'eu-west-1' }])
    assert.deepEqual(pops[0], {
      name: 'FRA50-C1',
      region: 'eu-central-1',
      regional: null,
      latitude: 50.04,
      longitude: 9.5,
      http: { host: '127.0.0.9', port: 80 },
      https: { host: '127.0.0.9', port: 81 },
      ipv6: { host: '::1', port: 80 },
      ipv6Https: null,
    })
    assert.deepEqual([pops[1]?.name, pops[1]?.regional, pops[1]?.http], ['DUB50-C1', 'REC-eu-west-1', null])
    const three = readConfig({ pops: '3', region: 'eu-west-1' }, {}).network
    assert.deepEqual(
      three.pops.map(({ name, regional }) => `${name} ${regional}`),
      ['DUB50-C1 REC-eu-west-1', 'IAD50-C1 REC-eu-west-1', 'FRA50-C1 REC-eu-west-1'],
    )
  })

  const wrong: readonly (readonly [what: string, flags: Flags, environment: Record<string, string>, says: RegExp])[] = [
    ['a number out of range', { workers: '0' }, {}, /--workers is "0": it must be a whole number from 1 to 32/],
    ['what is no number', {}, { CACHEFRONT_WORKERS: 'two' }, /^CACHEFRONT_WORKERS is "two"/],
    ['an account that is none', { 'account-id': '12' }, {}, /12 digits/],
    ['a region that is none', { region: 'Paris' }, {}, /a region like us-east-1/],
    ['a domain of one label', { 'edge-domain': 'localhost' }, {}, /a domain like/],
    ["the host's own network", { 'node-network': '127.0.0.0/16' }, {}, /N from 1 to 254/],
    ['a network that is none', { 'allow-origin': ['10.0.0.0/33'] }, {}, /a network like 10\.0\.0\.0\/8/],
    [
      'a host name with a port',
      {},
      { CACHEFRONT_ALLOW_HOST: 'aws.test,b:80' },
      /ALLOW_HOST is "b:80": .* without a port/,
    ],
    ['half a key pair', {}, { CACHEFRONT_ACCESS_KEY_ID: 'x' }, /CACHEFRONT_SECRET_ACCESS_KEY is not/],
    ['two listeners on one port', { 'api-listen': '8080' }, {}, /cannot both listen on port 8080/],
    ['HTTPS on the port of HTTP', { 'https-listen': '8080' }, {}, /cannot both listen on port 8080: .*--https-listen/],
    ['HTTPS on the port of the API', { 'https-listen': '4566' }, {}, /The API and the edge over HTTPS cannot both/],
    ['a home too long for sockets', { home: `/${'x'.repeat(90)}` }, {}, /too long/],
    ['a misspelt variable', {}, { CACHEFRONT_HTTP_LISTN: '1' }, /has CACHEFRONT_HTTP_LISTN, which is no option/],
    ['more POPs than there are', { pops: '33' }, {}, /--pops is "33": it must be a whole number from 1 to 32/],
    ['a topology and its size', { pops: '2', config: topologyFile({}) }, {}, /both say which POPs there are/],
    ['a topology that is none', { config: configFile({ topology: 3 }) }, {}, /"topology" in .* must be an object/],
    ['a topology without POPs', { config: configFile({ topology: { pops: [] } }) }, {}, /must name 1 to 32 POPs/],
    [
      'a POP without a region',
      { config: configFile({ topology: { pops: [{}] } }) },
      {},
      /region of pops\[0\] .* is missing/,
    ],
    [
      'a POP with what is no field',
      { config: topologyFile({ port: 1 }) },
      {},
      /pops\[0\] .* has "port", which is not one of/,
    ],
    ['a POP of another shape of name', { config: topologyFile({ name: 'a b' }) }, {}, /name of pops\[0\] .* is "a b"/],
    [
      'a POP with an unknown cache',
      { config: topologyFile({ regional: 'X' }) },
      {},
      /one of regionals \(REC-eu-west-1\)/,
    ],
    ['a POP of the same name', { config: topologyFile({ name: 'DUB50-C1' }) }, {}, /two places of the name DUB50-C1/],
    ['a POP beside the world', { config: topologyFile({ latitude: 91 }) }, {}, /a number from -90 to 90/],
    ['IPv4 for IPv6', { config: topologyFile({ ipv6: '127.0.0.1:80' }) }, {}, /it must be \[IPV6\]:PORT/],
    ['a file that is not there', { config: '/nowhere.json' }, {}, /config file \/nowhere\.json cannot be read/],
    ['a file that is not JSON', { config: configFile('{') }, {}, /cannot be read/],
    ['a file with a list', { config: configFile([]) }, {}, /must hold one JSON object/],
    ['a file with an unknown key', { config: configFile({ port: 1 }) }, {}, /has "port", which is no option/],
    ['a file with a text for a switch', { config: configFile({ bare: 'yes' }) }, {}, /must be true or false/],
    [
      'a variable with another text for a switch',
      {},
      { CACHEFRONT_RFC_STRICT: '0' },
      /_STRICT is "0": it must be true or false/,
    ],
    ['a file with a wrong value', { config: configFile({ workers: 99 }) }, {}, /"workers" in .*json is "99"/],
  ]
  for (const [what, flags, environment, says] of wrong) {
    it(`refuses ${what}`, () => refused(flags, environment, says))
  }

  it('takes strict mode as a flag and as a variable', () => {
    assert.equal(readConfig({ 'rfc-strict': true }, {}).rfcStrict, true)
    assert.equal(readConfig({}, { CACHEFRONT_RFC_STRICT: 'true' }).rfcStrict, true)
    assert.equal(readConfig({}, { CACHEFRONT_RFC_STRICT: 'false' }).rfcStrict, false)
  })

  it('accepts one POP', () => {
    assert.equal(readConfig({ pops: '1' }, {}).workers, 1)
  })

  it('finds the home of a client command', () => {
    assert.equal(readHome('/x', { CACHEFRONT_HOME: '/y' }), '/x')
    assert.equal(readHome(undefined, { CACHEFRONT_HOME: '~/y' }), `${homedir()}/y`)
    assert.equal(readHome(undefined, {}), `${homedir()}/.cachefront`)
  })
})

it('destinations of logs and webhooks of topics are names and what stands for them', () => {
  const read = (flags: Flags) => readConfig({ home: '/tmp/h', ...flags }, {})
  const given = ['a=file', '/b=s3://bucket/p/q/', 'c=redis://u:p%40s@127.0.0.1:7000/logs', 'd=redis://shop/logs']
  assert.deepEqual(
    read({ 'log-destination': given }).logDestinations.map(({ name, destination }) => [name, destination]),
    [
      ['a', { kind: 'file' }],
      ['/b', { kind: 's3', bucket: 'bucket', prefix: 'p/q' }],
      ['c', { kind: 'redis', url: 'redis://u:p%40s@127.0.0.1:7000', key: 'logs' }],
      ['d', { kind: 'redis', url: 'redis://shop', key: 'logs' }],
    ],
  )
  for (const wrong of ['x', 'x=', 'x=redis://h:1', 'x=http://h/k', 'x=s3://', 'x=redis://:secret@h:1']) {
    const isRefused = (error: Error) => /--log-destination must be/.test(error.message) && !/secret/.test(error.message)
    assert.throws(() => read({ 'log-destination': [wrong] }), isRefused, wrong)
  }
  const arn = 'arn:aws:sns:us-east-1:123456789012:alerts'
  assert.deepEqual(read({ topic: [`${arn}=http://127.0.0.1:9000/a`] }).topics, [
    { arn, url: 'http://127.0.0.1:9000/a' },
  ])
  for (const wrong of [arn, `${arn}=ftp://h`, 'alerts=http://h']) {
    assert.throws(() => read({ topic: [wrong] }), /--topic must be ARN=URL/)
  }
})

describe('--standard-ports', () => {
  const at = (host: string, port: number) => ({ host, port })
  const rows: readonly (readonly [Record<string, string>, unknown, unknown])[] = [
    [{}, at('127.0.0.1', 80), at('127.0.0.1', 443)],
    [{ 'http-listen': '0.0.0.0' }, at('0.0.0.0', 80), at('0.0.0.0', 443)],
    [{ 'http-listen': '[::]' }, at('::', 80), at('::', 443)],
    [{ 'http-listen': '::1', 'https-listen': '192.0.2.1:443' }, at('::1', 80), at('192.0.2.1', 443)],
    [{ 'http-listen': '192.0.2.1:80', 'https-listen': 'none' }, at('192.0.2.1', 80), null],
  ]
  it('puts both listeners at the address of the one', () => {
    for (const [flags, http, https] of rows) {
      const { httpListen, httpsListen } = readConfig({ 'standard-ports': true, ...flags }, {})
      assert.deepEqual([httpListen, httpsListen], [http, https], JSON.stringify(flags))
    }
    assert.equal(readConfig({}, { CACHEFRONT_STANDARD_PORTS: 'true' }).httpListen.port, 80)
  })
  it('refuses another port, and filters that need rights which --user gives up', () => {
    assert.throws(
      () => readConfig({ 'standard-ports': true, 'http-listen': '0.0.0.0:8080' }, {}),
      /--http-listen is "0\.0\.0\.0:8080", and --standard-ports puts it on port 80/,
    )
    assert.throws(() => readConfig({ user: 'a b' }, {}), /--user is "a b"/)
    assert.throws(
      () => readConfig({ user: 'www', 'security-group': ['sg-1a2b3c4d=10.0.0.0/8'] }, {}),
      /leave out the one/,
    )
  })
})

describe('certificates by ACME', () => {
  const hook = join(directory, 'hook')
  writeFileSync(hook, '#!/bin/sh\n', { mode: 0o755 })
  const issuer = { 'certificate-issuer': 'acme' }

  it("are Let's Encrypt's unless another directory is named", () => {
    const settings = { contacts: [], authorities: [], external: null, dnsHook: null }
    const directory = 'https://acme-v02.api.letsencrypt.org/directory'
    assert.deepEqual(readConfig(issuer, {}).acme, { directory, ...settings })
    const authority = configFile('pem')
    const all = readConfig(
      {
        ...issuer,
        ...{ 'acme-directory': 'https://ca.example/dir', 'acme-contact': ['a@example.com', 'b@example.com'] },
        ...{ 'acme-ca': [authority], 'acme-dns-hook': hook, 'acme-eab-kid': 'kid' },
      },
      { CACHEFRONT_ACME_EAB_KEY: 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wE=' },
    )
    assert.deepEqual(all.acme, {
      ...{ directory: 'https://ca.example/dir', contacts: ['a@example.com', 'b@example.com'] },
      ...{ authorities: [authority], dnsHook: hook },
      external: { kid: 'kid', key: 'zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wE' },
    })
  })

  it('say in one line what is wrong, and no secret', () => {
    refused({ 'certificate-issuer': 'aws' }, {}, /must be local or acme/)
    refused({ 'acme-contact': ['a@example.com'] }, {}, /^--acme-contact is for certificates by ACME/)
    refused({ 'certificate-issuer': 'local' }, { CACHEFRONT_ACME_DNS_HOOK: hook }, /^CACHEFRONT_ACME_DNS_HOOK is for/)
    refused({ ...issuer, 'acme-directory': 'http://ca.example/dir' }, {}, /https:\/\/ URL/)
    refused({ ...issuer, 'acme-contact': ['nobody'] }, {}, /must be a mail address/)
    refused({ ...issuer, 'acme-dns-hook': configFile('x') }, {}, /it may not be run/)
    refused({ ...issuer, 'acme-dns-hook': directory }, {}, /it is no program/)
    refused({ ...issuer, 'acme-dns-hook': join(directory, 'none') }, {}, /there is no such file/)
    refused({ ...issuer, 'acme-eab-kid': 'kid' }, {}, /ACME_EAB_KID is set and CACHEFRONT_ACME_EAB_KEY is not/)
    assert.throws(
      () => readConfig({ ...issuer, 'acme-eab-kid': 'kid', 'acme-eab-key': '!secret!' }, {}),
      (error: Error) => /base64url/.test(error.message) && !/secret/.test(error.message),
    )
  })
})
