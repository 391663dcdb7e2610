//! Writes the documents that are printed from tables in the code; with --check it only says which are out of date.
import { readFile, writeFile } from 'node:fs/promises'
import { configurationDocument } from '../src/config-document.ts'
import { headersDocument } from '../src/domain/headers-document.ts'
import { metricsDocument } from '../src/domain/metrics/metrics-document.ts'
import { parametersDocument } from '../src/domain/parameters/document.ts'
import { permissionsDocument } from '../src/domain/permissions-document.ts'
import { resultTypesDocument } from '../src/domain/result-types-document.ts'
import { securityPoliciesDocument } from '../src/domain/security-policies-document.ts'
import { managedGroupsDocument } from '../src/domain/waf/managed-groups-document.ts'
import { http2Document } from '../src/edge/listen/http2/document.ts'
import { requestFlowDocument } from '../src/edge/request-flow.ts'
import { conformanceSection } from '../test/scenarios/edge/http2-musts/document.ts'

const DOCUMENTS: Readonly<Record<string, () => string>> = {
  'docs/access-log.md': resultTypesDocument,
  'docs/api-access.md': permissionsDocument,
  'docs/cache-metrics.md': metricsDocument,
  'docs/configuration.md': configurationDocument,
  'docs/headers.md': headersDocument,
  'docs/http2.md': () => `${http2Document()}${conformanceSection()}`,
  'docs/parameter-groups.md': parametersDocument,
  'docs/request-flow.md': requestFlowDocument,
  'docs/tls.md': securityPoliciesDocument,
  'docs/waf-managed-rules.md': managedGroupsDocument,
}

for (const [path, text] of Object.entries(DOCUMENTS)) {
  const file = new URL(`../${path}`, import.meta.url)
  if (!process.argv.includes('--check')) {
    await writeFile(file, text())
    console.log(path)
  } else if ((await readFile(file, 'utf8').catch(() => '')) !== text()) {
    console.error(`${path} is not what its table says: run \`npm run docs\` and commit it.`)
    process.exitCode = 1
  }
}
