import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type AskedUrl, compileResource, matchesResource } from './resource-pattern.ts'

function asked(text: string): AskedUrl {
  const [, scheme, host = '', path = '', , query] = /^(https?):\/\/([^/]+)(\/[^?]*)(\?(.*))?$/.exec(text) ?? []
  return { scheme: scheme as 'http' | 'https', host, path, query: query ?? null }
}

/** Pattern, URLs that it matches, URLs that it does not. */
const ROWS: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ['*', ['http://h/a', 'https://x.example.com:8443/a/b?c=d'], []],
  [
    'https://www.example.com/a',
    ['https://www.example.com/a'],
    [
      'http://www.example.com/a',
      'https://www.example.com/a?b',
      'https://www.example.com/ab',
      'https://www.example.com/A',
    ],
  ],
  ['http://h/a', ['http://h/a'], ['https://h/a', 'http://h:8080/a']],
  ['https://h:8443/a', ['https://h:8443/a'], ['https://h/a', 'https://h:443/a']],
  ['*://h/a', ['http://h/a', 'https://h/a'], ['http://x/a']],
  ['http*://h/a', ['http://h/a', 'https://h/a'], []],
  ['http?://h/a', ['https://h/a'], ['http://h/a']],
  // The examples of AWS's guide.
  [
    'https://www.example.com/hello*world',
    ['https://www.example.com/helloworld', 'https://www.example.com/hello/big/world'],
    [
      'https://www.example.com/hello?world',
      'https://www.example.com/helloworlds',
      'https://www.example.com/helloworld?x',
    ],
  ],
  [
    'https://h/images/*',
    ['https://h/images/', 'https://h/images/a/b.jpg', 'https://h/images/a?b=c'],
    ['https://h/image', 'https://x/images/a'],
  ],
  [
    'https://h/images/*\\?size=*',
    ['https://h/images/a?size=1', 'https://h/images/a?size='],
    ['https://h/images/a', 'https://h/images/a?color=1&size=1'],
  ],
  ['https://h/a\\?*', ['https://h/a?', 'https://h/a?b'], ['https://h/a', 'https://h/ab']],
  ['https://h/a?c', ['https://h/abc', 'https://h/a?c'], ['https://h/ac', 'https://h/abbc', 'https://h/abc?c']],
  [
    'https://h/a.jpg?color=red&size=*',
    ['https://h/a.jpg?color=red&size=9'],
    ['https://h/a.jpg', 'https://h/a.jpg?size=9'],
  ],
  [
    'https://*.example.com/a',
    ['https://www.example.com/a', 'https://a.b.example.com/a'],
    ['https://example.com/a', 'https://evil.com/x.example.com/a'],
  ],
  ['https://*', ['https://h/', 'https://h/a/b?c'], ['http://h/']],
  ['https://www.example.*', ['https://www.example.com/', 'https://www.example.org/a?b'], ['https://www.other.com/']],
  ['*.example.com/a*', ['https://www.example.com/ab?c', 'http://www.example.com/a'], ['https://www.example.com/b']],
  ['*/images/a.jpg', ['https://h/images/a.jpg', 'http://x/images/a.jpg'], ['https://h/x/images/a.jpg']],
  ['https://WWW.Example.com/a', ['https://www.example.com/a'], []],
  ['https://h', ['https://h/'], ['https://h/a']],
  ['https://h/%2A', ['https://h/%2A'], ['https://h/a']],
  // No star leaves its section.
  ['https://h*/a', ['https://h/a', 'https://hx:1/a'], ['https://h/b/a']],
  ['*://*/a', ['https://h/a'], ['https://h/b/a']],
  // Nothing is meant that leads out of what is meant.
  [
    'https://h/a/*',
    ['https://h/a/..b', 'https://h/a/b..', 'https://h/a/b/../c', 'https://h/a/b/%2e%2e/c', 'https://h/a//b/./c%2Fd'],
    [
      'https://h/a/../b',
      'https://h/a/b/../../c',
      'https://h/a/%2e%2E/b',
      'https://h/a/.%2e/b',
      'https://h/a/..%2fb',
      'https://h/a%2F..%2Fb/../x',
      'https://h/a/..\\b',
      'https://h/a/x%5C..%5c..%5cb',
      'https://h/a/..;x/b',
      'https://h/a/b/..;/..;y=z/c',
      'https://h/a/..',
    ],
  ],
  // Without a protocol: nothing.
  ['h/a', [], ['https://h/a']],
  ['/a', [], ['https://h/a']],
  ['d111111abcdef8.cloudfront.net/*', [], ['https://d111111abcdef8.cloudfront.net/a']],
]

describe('Resource of a custom policy', () => {
  for (const [pattern, yes, no] of ROWS) {
    test(pattern, () => {
      const compiled = compileResource(pattern)
      for (const url of yes) assert.ok(matchesResource(compiled, asked(url)), `${url} is meant`)
      for (const url of no) assert.ok(!matchesResource(compiled, asked(url)), `${url} is not meant`)
    })
  }
})
