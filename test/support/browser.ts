//! A real browser as the viewer: the system's Chromium, headless, with a fresh profile, without any word to the outside.
import { existsSync } from 'node:fs'
import type { Browser } from 'playwright-core'
import { chromium } from 'playwright-core'

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** As `skip` of a test: false where there is a browser, otherwise why there is none. */
export const browserIsMissing: false | string = PATHS.some((path) => existsSync(path))
  ? false
  : 'chromium is not installed'

/** Names below `localhost` are loopback to it, as to every browser. The caller closes it. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: PATHS.find((path) => existsSync(path)) ?? '',
    // As root in a container there is no sandbox; what it opens is ours.
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--autoplay-policy=no-user-gesture-required',
    ],
  })
}
