// The layers of docs/architecture.md: imports go down only, never sideways between siblings of a row, never in a circle.
const ROWS = [
  ['lib'],
  ['http'],
  ['domain'],
  ['aws', 'observe'],
  ['state', 'edge', 'keeper'],
  ['services'],
  ['api', 'cli', 'control'],
  // What main.ts starts: each role puts the parts of one process together.
  ['roles'],
]

/** One rule a folder: it may import itself and every folder of a lower row, nothing else of ours. */
const layers = ROWS.flatMap((row, at) =>
  row.map((folder) => ({
    name: `layers-${folder}`,
    comment: `src/${folder} may import only itself and the rows below it (docs/architecture.md).`,
    severity: 'error',
    from: { path: `^src/${folder}/` },
    to: {
      path: '^src/',
      pathNot: `^src/(${[folder, ...ROWS.slice(0, at).flat()].join('|')})/${folder === 'roles' ? '|^src/config' : ''}`,
    },
  })),
)

module.exports = {
  forbidden: [
    ...layers,
    {
      name: 'no-circular',
      comment: 'No circle, types included: a circle makes two files one.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-stage-imports-a-stage',
      comment: 'A pipeline is a table; a stage names the next step and never calls it.',
      severity: 'error',
      from: { path: '^src/(edge|api)/stages/([^/]+)\\.ts$', pathNot: '\\.test\\.ts$' },
      to: { path: '^src/(edge|api)/stages/' },
    },
    {
      name: 'pure-folders',
      comment: 'src/http and src/domain are pure: no files, sockets, clocks or processes.',
      severity: 'error',
      from: { path: '^src/(http|domain)/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['core'], pathNot: '^node:(assert|buffer|util)$|^(assert|buffer|util)$' },
    },
    {
      name: 'no-tests-in-product',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$' },
      to: { path: '\\.test\\.ts$|^(test|bench|examples|scripts)/' },
    },
    {
      name: 'node-http-loads-much',
      comment: 'An import of node:http loads 70 ms of CPU that nobody here needs: src/lib/node-http.ts.',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$|^src/lib/node-http\\.ts$' },
      to: { path: '^(node:)?http$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-undeclared-packages',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown'] },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
  },
}
