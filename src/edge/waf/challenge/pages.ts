//! The pages of the actions Challenge and CAPTCHA, in plain HTML: without anything from elsewhere, readable without styles, and
//! with a Content-Security-Policy that allows what they have and nothing else.
import { createHash } from 'node:crypto'
import { IMAGE_HEIGHT, IMAGE_WIDTH } from './captcha-image.ts'
import { CHALLENGE_SCRIPT } from './challenge-script.ts'

/** Where the pages talk to, on the distribution's own host; never cached, never passed on to an origin. */
export const WAF_PATH = '/.cachefront/waf/'

const STYLE = `:root{color-scheme:light dark}
body{font:1.05rem/1.5 system-ui,sans-serif;margin:0;display:grid;min-height:100vh;place-items:center}
main{max-width:34rem;padding:1.5rem}h1{font-size:1.4rem}img{display:block;max-width:100%;background:#fff;border:1px solid}
label,audio,input,button{display:block;margin:.6rem 0;font-size:1.05rem}input{padding:.4rem;width:12rem;letter-spacing:.15em}
button{padding:.5rem 1.2rem}.wrong{border-left:.3rem solid #c62828;padding-left:.7rem}small{opacity:.75}`

const sourceOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
const STYLE_SOURCE = sourceOf(STYLE)
const COMMON = `default-src 'none'; style-src ${STYLE_SOURCE}; base-uri 'none'; frame-ancestors 'self'`
const CHALLENGE_POLICY = `${COMMON}; script-src ${sourceOf(CHALLENGE_SCRIPT)}; connect-src 'self'; form-action 'none'`
const CAPTCHA_POLICY = `${COMMON}; img-src 'self'; media-src 'self'; form-action 'self'`

export interface Page {
  readonly body: string
  readonly policy: string
}

const page = (title: string, policy: string, attributes: string, content: string): Page => ({
  policy,
  body: `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex"><title>${title}</title><style>${STYLE}</style></head>
<body${attributes}><main>
${content}
</main></body></html>
`,
})

export interface ChallengeAsked {
  readonly puzzle: string
  /** What the number is to be found for, and how many bits are to be zero. */
  readonly text: string
  readonly bits: number
  /** The page that was asked for can be asked for again: it was a GET. */
  readonly again: boolean
  readonly requestId: string
}

export function challengePage({ puzzle, text, bits, again, requestId }: ChallengeAsked): Page {
  const data = ` data-puzzle="${puzzle}" data-text="${text}" data-bits="${bits}" data-again="${again ? 'yes' : 'no'}"`
  return page(
    'Checking your browser',
    CHALLENGE_POLICY,
    data,
    `<h1>Checking your browser</h1>
<p id="say" role="status">This takes a moment. The page you asked for opens by itself.</p>
<noscript><p>This site checks browsers by a small calculation in JavaScript, and your browser does not run it. Please turn
JavaScript on for this site and load the page again.</p></noscript>
<p><small>If it does not go on, tell the site's owner this number: ${requestId}</small></p>
<script>${CHALLENGE_SCRIPT}</script>`,
  )
}

export interface CaptchaAsked {
  readonly puzzle: string
  /** Where to go on, sealed. */
  readonly onward: string
  /** Path of the page that was asked for, safe for HTML. */
  readonly again: string
  /** One sentence on the last try; empty for the first one. */
  readonly problem: string
  readonly requestId: string
}

export function captchaPage({ puzzle, onward, again, problem, requestId }: CaptchaAsked): Page {
  const alert = problem === '' ? '' : `<p class="wrong" role="alert">${problem}</p>\n`
  return page(
    'Please confirm that you are a person',
    CAPTCHA_POLICY,
    '',
    `<h1>Please confirm that you are a person</h1>
${alert}<form method="post" action="${WAF_PATH}captcha" autocomplete="off">
<p>Type the five characters of the picture, or listen to the sound and type how many beeps there are in each of its five
groups, for example 3 1 4 2 2.</p>
<img src="${WAF_PATH}image?p=${puzzle}" width="${IMAGE_WIDTH}" height="${IMAGE_HEIGHT}" alt="Five letters or digits. If you cannot see them, use the sound below.">
<audio controls preload="none" src="${WAF_PATH}audio?p=${puzzle}">Your browser plays no sound.</audio>
<label for="answer">Characters, or beeps in each group</label>
<input id="answer" name="answer" required maxlength="20" autofocus autocapitalize="characters" spellcheck="false">
<input type="hidden" name="p" value="${puzzle}"><input type="hidden" name="to" value="${onward}">
<button>Continue</button>
</form>
<p>You cannot read it? <a href="${again}">Load the page again</a> for another one. Capitals do not matter.</p>
<p><small>If it does not go on, tell the site's owner this number: ${requestId}. Cookies have to be allowed for this
site.</small></p>`,
  )
}

/** One that has nothing to fill in. */
export const plainPage = (title: string, text: string): Page =>
  page(title, COMMON, '', `<h1>${title}</h1>\n<p>${text}</p>`)
