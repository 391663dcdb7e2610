//! The signer's two pages. What comes from a viewer passes through `escapeHtml`.

const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (sign) => `&#${sign.charCodeAt(0)};`)

const document = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${escapeHtml(title)}</title>
<link rel="stylesheet" href="/assets/shop.css">
<header><a href="/">Cachefront Storefront</a> <a href="/members">Members</a></header>
<main>
${body}
</main>
</html>
`

/** `problem`: why the last attempt did not do; empty for the first. */
export const loginHtml = (problem: string): string =>
  document(
    'Log in',
    `<h1>Members only</h1>
${problem === '' ? '' : `<p role="alert">${escapeHtml(problem)}</p>\n`}<form method="post" action="/members/login">
<p><label>Name <input name="name" autocomplete="username" required></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password" required></label></p>
<button>Log in</button>
</form>
<p>In this sample: ada, with the password "analytical engine".</p>`,
  )

/**
 * Asks for new cookies before those that it has are over, and once when an image is refused all the same: the page was
 * asleep. A viewer without a session is led to the login.
 */
const renewing = (seconds: number): string => `
const renew = async () => {
  const answer = await fetch('/refresh', { headers: { accept: 'application/json' } })
  if (answer.status === 401) location.assign('/members')
  return answer.ok
}
setInterval(renew, ${Math.max(1, Math.floor(seconds / 2))} * 1000)
for (const image of document.images) {
  const again = async () => { if (await renew()) image.src = image.src }
  // One that was refused before this script ran tells nobody any more.
  if (image.complete && image.naturalWidth === 0) again()
  else image.addEventListener('error', again, { once: true })
}
`

/** `seconds`: how long the cookies of the images are good. */
export const galleryHtml = (name: string, images: readonly string[], seconds: number): string =>
  document(
    'Members',
    `<h1>Hello, ${escapeHtml(name)}</h1>
${images.map((path) => `<img src="${escapeHtml(path)}" alt="" width="320" height="240">`).join('\n')}
<form method="post" action="/members/logout"><button>Log out</button></form>
<script type="module">${renewing(seconds)}</script>`,
  )
