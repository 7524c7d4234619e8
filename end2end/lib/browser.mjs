// A real Chromium for the tests, and the first step that every walk through the console shares. Knows nothing of single pages.
import { chromium } from 'playwright-core';
import { admin } from './console.mjs';

/** The widths at which every page is looked at: desktop, tablet, phone. */
export const widths = [1440, 768, 360];
export const themes = ['light', 'dark'];

// Chromium in a container has neither a sandbox nor a graphics card, and must not talk to anybody but the page.
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Opens Debian's Chromium, headless; CHROMIUM names another one. */
export function openBrowser() {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: flags });
}

/**
 * A fresh page at `url`, without cookies or with those of `state` (a context's storageState). Faults that the page reports are kept in `page.faults`: uncaught errors, console errors
 * (a violated Content-Security-Policy among them), failed requests.
 */
export async function openPage(browser, url, { javascript = true, width = 1440, height = 900, theme = 'light', touch = false, motion = 'reduce', state, routed = false } = {}) {
  const context = await browser.newContext({
    baseURL: url,
    javaScriptEnabled: javascript,
    viewport: { width, height },
    colorScheme: theme,
    locale: 'en-GB',
    timezoneId: 'UTC',
    reducedMotion: motion,
    hasTouch: touch,
    isMobile: touch,
    storageState: state,
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  // A browser that begins to hold requests back only after a page has loaded now and then lets one through still.
  if (routed) await page.route('**/nothing-is-here', (route) => route.abort());
  page.faults = [];
  page.on('pageerror', (error) => page.faults.push(`uncaught: ${error.message}`));
  page.on('console', (message) => message.type() === 'error' && page.faults.push(`console: ${message.text()} ${message.location().url}`));
  page.on('requestfailed', (request) => {
    // No faults: leaving a page ends its event stream, and without JavaScript the browser refuses to preload it.
    const why = request.failure()?.errorText;
    if (why !== 'net::ERR_ABORTED' && (javascript || why !== 'csp')) page.faults.push(`request: ${request.url()} ${why}`);
  });
  return page;
}

/** Signs in by the login form, with or without JavaScript, and waits until the console has let the person in. */
export async function signIn(page, { username, password } = admin) {
  await page.goto('/login');
  await page.fill('input[name=username]', username);
  await page.fill('input[name=password]', password);
  await Promise.all([
    page.waitForURL((url) => url.pathname !== '/login'),
    page.click('form:has(input[name=password]) button[type=submit], form:has(input[name=password]) button:not([type])'),
  ]);
}

/** Signs somebody in; resolves to the state that pages of theirs are opened with (see `openPage`). */
export async function signedIn(browser, url, who = admin) {
  const page = await openPage(browser, url);
  await signIn(page, who);
  const state = await page.context().storageState();
  await page.context().close();
  return state;
}

/** Waits until the page's program, which arrives after the page, has come alive: all of its islands do at once. */
export async function awake(page) {
  try {
    await page.locator('#palette[data-alive]').waitFor({ state: 'attached' });
  } catch (error) {
    throw new Error(`${page.url()} did not come alive: ${JSON.stringify(await page.evaluate(loaded))}`, { cause: error });
  }
}

/** What a page has of what it needs to come alive. */
function loaded() {
  const came = performance.getEntriesByType('resource').map(({ name, responseStatus, responseEnd }) => `${new URL(name).pathname} ${responseStatus} ${Math.round(responseEnd)} ms`);
  return { now: Math.round(performance.now()), state: document.readyState, headline: document.querySelector('h1')?.textContent, marks: { ...document.documentElement.dataset }, came };
}

/** Presses a button that sends a form, and resolves to what the server answered in the end. */
export async function press(page, name) {
  const button = page.getByRole('button', { name, exact: typeof name === 'string' });
  const [response] = await Promise.all([page.waitForNavigation(), button.click()]);
  return response;
}
