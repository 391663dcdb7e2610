//! A small sample of the corpus in npm test; all of it through the front door is `npm run conformance:waf`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { askerOf } from '../../support/web-acl-verdict.ts'
import { loadCorpus } from './corpus.ts'
import { managedAcl } from './managed-acl.ts'
import { isWrong, score } from './score.ts'

test('managed groups tell attacks from harmless requests in a sample of the corpus', () => {
  const corpus = loadCorpus()
  assert.ok(corpus.filter(({ attack }) => attack).length >= 300)
  assert.ok(corpus.filter(({ attack }) => !attack).length >= 300)
  assert.equal(new Set(corpus.map(({ id }) => id)).size, corpus.length)
  const ask = askerOf(managedAcl())
  const all = corpus
    .filter((_, at) => at % 14 === 0)
    .map((request) => {
      const { method, url, headers, body } = request
      const { action } = ask({
        method,
        url,
        headers: ['Host', 'shop.example.com', ...headers.flat()],
        ...(body === undefined ? {} : { body }),
      })
      return { request, refused: action === 'BLOCK' }
    })
  const { precision, recall, attacks, harmless } = score(all)
  const wrong = all.filter(isWrong).map(({ request }) => request.id)
  assert.ok(attacks + harmless >= 60)
  assert.ok(precision >= 0.9 && recall >= 0.7, `precision ${precision}, recall ${recall}: ${wrong.join(', ')}`)
})
