//! JavaScript for the npm package: src/ without tests becomes dist/, file by file, `.ts` imports rewritten to `.js`; data that
//! the program reads goes with it.
import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const DIST = join(ROOT, 'dist')
/** Folders of src/ that hold data. */
const DATA = [join('edge', 'waf', 'rules')]

rmSync(DIST, { recursive: true, force: true })
const directory = mkdtempSync(join(ROOT, 'node_modules', '.build-'))
let failed
try {
  const config = join(directory, 'tsconfig.json')
  writeFileSync(
    config,
    JSON.stringify({
      extends: '../../tsconfig.json',
      compilerOptions: {
        noEmit: false,
        rewriteRelativeImportExtensions: true,
        rootDir: '../../src',
        outDir: '../../dist',
      },
      include: ['../../src'],
      exclude: ['../../src/**/*.test.ts'],
    }),
  )
  const tsc = join(ROOT, 'node_modules', '@typescript', 'native', 'bin', 'tsc')
  failed = spawnSync(process.execPath, [tsc, '-p', config], { cwd: ROOT, stdio: 'inherit' }).status !== 0
} finally {
  rmSync(directory, { recursive: true, force: true })
}
for (const folder of DATA) cpSync(join(ROOT, 'src', folder), join(DIST, folder), { recursive: true })
const main = join(DIST, 'main.js')
if (!failed && !readFileSync(main, 'utf8').startsWith('#!/usr/bin/env node\n')) {
  process.stderr.write('build: dist/main.js does not begin with #!/usr/bin/env node\n')
  failed = true
}
if (failed) process.exit(1)
chmodSync(main, 0o755)
