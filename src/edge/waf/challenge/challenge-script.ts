//! The script of the challenge's page. It looks for a number whose SHA-256 together with the given text begins with enough
//! zero bits, gives it to the edge, which sets the cookie, and asks for the page again. SHA-256 is its own: crypto.subtle
//! is not there on plain HTTP.

export const CHALLENGE_SCRIPT = `(() => {
'use strict'
const { puzzle, text, bits, again } = document.body.dataset
const say = document.getElementById('say')
const primes = []
for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n)
const part = (x) => ((x - Math.floor(x)) * 4294967296) | 0
const K = primes.map((p) => part(Math.cbrt(p)))
const H = primes.slice(0, 8).map((p) => part(Math.sqrt(p)))
const w = new Int32Array(64)
const first = (message) => {
  w.fill(0)
  for (let i = 0; i < message.length; i++) w[i >> 2] |= message.charCodeAt(i) << (24 - (i % 4) * 8)
  w[message.length >> 2] |= 128 << (24 - (message.length % 4) * 8)
  w[15] = message.length * 8
  for (let i = 16; i < 64; i++) {
    const a = w[i - 15], b = w[i - 2]
    w[i] = w[i - 16] + w[i - 7] +
      (((a >>> 7) | (a << 25)) ^ ((a >>> 18) | (a << 14)) ^ (a >>> 3)) +
      (((b >>> 17) | (b << 15)) ^ ((b >>> 19) | (b << 13)) ^ (b >>> 10))
  }
  let [a, b, c, d, e, f, g, h] = H
  for (let i = 0; i < 64; i++) {
    const t = (h + (((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7))) +
      ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0
    const u = ((((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10))) +
      ((a & b) ^ (a & c) ^ (b & c))) | 0
    h = g; g = f; f = e; e = (d + t) | 0; d = c; c = b; b = a; a = (t + u) | 0
  }
  return (a + H[0]) >>> 0
}
const tooOften = () => {
  try {
    const [n, since] = (sessionStorage.getItem('aws-waf-tries') || '0 0').split(' ').map(Number)
    const isNew = Date.now() - since > 60000
    sessionStorage.setItem('aws-waf-tries', (isNew ? 1 : n + 1) + ' ' + (isNew ? Date.now() : since))
    return !isNew && n >= 4
  } catch { return false }
}
const give = async (number) => {
  const answer = await fetch('/.cachefront/waf/challenge', {
    method: 'POST', credentials: 'same-origin', body: new URLSearchParams({ p: puzzle, n: String(number) }),
  })
  if (again !== 'yes' && answer.ok) say.textContent = 'Your browser has been checked. Please go back and send the form again.'
  else location.reload()
}
if (!navigator.cookieEnabled) say.textContent = 'This site needs cookies to remember that your browser was checked. Please allow them, then load the page again.'
else if (tooOften()) say.textContent = 'Your browser was checked several times, but did not keep the cookie that says so. Please allow cookies for this site, then load the page again.'
else {
  let number = 0
  const work = () => {
    const until = performance.now() + 40
    while (performance.now() < until)
      for (let i = 0; i < 500; i++, number++)
        if (Math.clz32(first(text + '.' + number)) >= bits)
          return void give(number).catch(() => { say.textContent = 'The check could not be finished: there is no connection. Please load the page again.' })
    setTimeout(work, 0)
  }
  work()
}
})()`
