//! docs/request-flow.md, printed from the table.
import { drawPipeline } from '../lib/pipeline.ts'
import { PIPELINE } from './pipeline.ts'

export function requestFlowDocument(): string {
  const rows = PIPELINE.map(
    (stage) => `| [${stage.name}](../src/edge/stages/${stage.name}.ts) | ${stage.next.join(', ')} |`,
  )
  return `# The way of a viewer request

Printed from \`src/edge/pipeline.ts\` by \`npm run docs\`. A stage is one file; it names the step that comes next and never
calls it. \`error-page\` and \`record\` end every request; \`done\` leaves the table.

\`\`\`mermaid
${drawPipeline(PIPELINE)}
\`\`\`

| stage | hands over to |
|---|---|
${rows.join('\n')}
`
}
