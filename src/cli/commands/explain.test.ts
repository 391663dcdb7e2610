import assert from 'node:assert/strict'
import { test } from 'node:test'
import { edgeOf } from './explain.ts'

test('the POP that is asked is the named one, or the first that listens; whoever is not there is told by name', () => {
  const at = (port: number) => ({ http: `127.0.0.1:${port}`, https: null })
  const pops = [
    { name: 'IAD50-C1', region: 'us-east-1', http: null, https: null },
    { name: 'FRA50-C1', region: 'eu-central-1', ...at(2) },
    { name: 'NRT50-C1', region: 'ap-northeast-1', ...at(3), state: 'down' },
  ] as const
  assert.equal(edgeOf({ pops }, 'http'), '127.0.0.1:2')
  assert.equal(edgeOf({ pops }, 'http', 'FRA50-C1'), '127.0.0.1:2')
  const refused = (kind: 'http' | 'https', name: string | undefined, message: RegExp) =>
    assert.throws(() => edgeOf({ pops }, kind, name), { message })
  refused('http', 'SYD50-C1', /^There is no POP SYD50-C1: there are IAD50-C1, FRA50-C1, NRT50-C1\.$/)
  refused('http', 'NRT50-C1', /^NRT50-C1 is down: `cachefront pops up NRT50-C1` ends that\.$/)
  refused('http', 'IAD50-C1', /^The POP IAD50-C1 does not listen for http;/)
  refused('https', undefined, /^No POP listens for https;/)
})
