//! Writes the documents that are printed from tables in the code; a unit test fails when a committed one is out of date.
import { writeFile } from 'node:fs/promises'
import { configurationDocument } from '../src/config-document.ts'
import { requestFlowDocument } from '../src/edge/request-flow.ts'

const DOCUMENTS: Readonly<Record<string, () => string>> = {
  'docs/configuration.md': configurationDocument,
  'docs/request-flow.md': requestFlowDocument,
}

for (const [path, text] of Object.entries(DOCUMENTS)) {
  await writeFile(new URL(`../${path}`, import.meta.url), text())
  console.log(path)
}
