//! Fetches the public rule set that the managed rule groups run (npm package dd-trace, of which nothing is installed) and
//! keeps the rules that src/domain/waf/managed-families.ts names: `npm run managed-rules [VERSION]`, then
//! `npm run conformance:waf`, `npm run docs`, and a commit.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FAMILIES } from '../src/domain/waf/managed-families.ts'

const PACKAGE = 'dd-trace'
const RULES = 'package/packages/dd-trace/src/appsec/recommended.json'
const INTO = new URL('../src/edge/waf/rules/', import.meta.url)

const directory = mkdtempSync(join(tmpdir(), 'managed-rules-'))
try {
  const asked = `${PACKAGE}@${process.argv[2] ?? 'latest'}`
  const [packed] = JSON.parse(execFileSync('npm', ['pack', '--json', asked], { cwd: directory, encoding: 'utf8' }))
  const kept = [RULES, 'package/package.json']
  execFileSync('tar', ['-xzf', packed.filename, ...kept], { cwd: directory })
  const read = (path) => JSON.parse(readFileSync(join(directory, path), 'utf8'))
  const { rules, metadata } = read(RULES)
  const { license } = read('package/package.json')
  const byId = new Map(rules.map((rule) => [rule.id, rule]))
  const ids = [...new Set(Object.values(FAMILIES).flatMap(({ engine }) => engine))].sort()
  const gone = ids.filter((id) => byId.get(id)?.conditions.length !== 1)
  if (gone.length > 0) {
    throw new Error(`${asked} has no rule of one condition named ${gone.join(', ')}: mend managed-families.ts`)
  }
  const file = new URL('engine-rules.json', INTO)
  writeFileSync(
    file,
    JSON.stringify({
      source: { package: PACKAGE, version: packed.version, rules: metadata.rules_version, license },
      rules: Object.fromEntries(ids.map((id) => [id, trimmed(byId.get(id))])),
    }),
  )
  execFileSync('npx', ['biome', 'format', '--write', file.pathname], { stdio: 'ignore' })
  writeFileSync(new URL('NOTICE', INTO), notice(packed.version, metadata.rules_version, license))
  console.log(`${ids.length} of ${rules.length} rules of ${PACKAGE} ${packed.version} (${metadata.rules_version})`)
} finally {
  rmSync(directory, { recursive: true, force: true })
}

/** Without its inputs, for the managed groups say where it looks, and without names that only people read. */
function trimmed({ conditions: [{ operator, parameters }], transformers, name }) {
  const { inputs: _, ...rest } = parameters
  return { name, operator, parameters: rest, transformers: transformers ?? [] }
}

function notice(version, rules, license) {
  return `engine-rules.json holds rules of the rule set "recommended" ${rules} of ${PACKAGE} ${version}
(https://www.npmjs.com/package/dd-trace), Copyright 2016-Present Datadog, Inc., licensed ${license}; it is used here
under the Apache License, Version 2.0. Many of its rules derive from the OWASP CRS (https://coreruleset.org),
Copyright (c) 2006-2020 Trustwave and contributors, (c) 2021-2022 Core Rule Set project, licensed under the Apache
License, Version 2.0. Changed here: only the rules that a managed rule group uses, without their inputs, which the
groups say. Written by scripts/managed-rules.mjs.
`
}
