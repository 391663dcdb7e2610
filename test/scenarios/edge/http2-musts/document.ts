//! The part of docs/http2.md that says how the listener was held against the RFCs, with the counts of the tables.
import { RULES } from '../../../support/http2-observer.ts'
import { RFCS } from './all.ts'

const CHAPTERS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'RFC 9113': { 3: 'starting', 4: 'frames', 5: 'streams', 6: 'frame definitions', 7: 'error codes', 8: 'messages', 9: 'connections', 10: 'security' }, // biome-ignore format: one line
  'RFC 7541': {
    2: 'tables',
    3: 'decoding',
    4: 'sizes',
    5: 'integers and strings',
    6: 'representations',
    7: 'security',
  },
}

export function conformanceSection(): string {
  const lines = [
    '',
    '## Held against the RFCs',
    '',
    'One case for each sentence with MUST that a server can keep or break, over raw frames (`npm test -- http2-musts`). Every frame',
    `that the server sends in them is held against ${Object.keys(RULES).length} rules besides. Sentences that cannot apply (of clients, of pushes) stand there too,`,
    'with the reason; a test asserts that no section is left out. `npm run fuzz -- --only http2` compares random frames with',
    '`node:http2`; `npm test -- http2-abuse` plays the games of the tables above.',
    '',
    '| section | cases | rules watched | do not apply |',
    '|---|---|---|---|',
  ]
  for (const [rfc, chapters] of Object.entries(CHAPTERS)) {
    for (const [chapter, name] of Object.entries(chapters)) {
      const rows = RFCS[rfc]!.rows.filter(({ section }) => section.split('.')[0] === chapter)
      const cases = rows.filter((row) => 'send' in row || 'run' in row).length
      const watched = rows.filter((row) => 'watched' in row).length
      lines.push(`| ${rfc} ${chapter}, ${name} | ${cases} | ${watched} | ${rows.length - cases - watched} |`)
    }
  }
  return `${lines.join('\n')}\n`
}
