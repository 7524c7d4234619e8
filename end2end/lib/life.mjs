// A life as its pages show it: from an incident to its recommendation, from an approval to the verdict. Nothing is pressed but Approve, and no
// page is loaded anew: each follows by itself.
import assert from 'node:assert/strict';
import { press } from './browser.mjs';

/** Approves what is open; resolves to the id of the run, whose page is open then. */
export async function approve(page) {
  await press(page, 'Approve');
  await page.waitForURL((url) => url.pathname.startsWith('/runs/'));
  return new URL(page.url()).pathname.split('/')[2];
}

/** Waits until the run that is open is shown to have gone through. */
export async function succeeded(page, timeout = 60_000) {
  const state = page.locator('#run .head .line .state').first();
  await state.and(page.getByText('Succeeded')).waitFor({ timeout }).catch(async (error) => {
    throw new Error(`the run is shown as ${await state.innerText()}`, { cause: error });
  });
}

/** Waits until the page of the run that is open says whether it helped, with what that rests on: `Helped` or `Did not help`. */
export async function verdict(page, word, timeout = 60_000) {
  const section = page.locator('#assessment');
  await section.getByRole('table').waitFor({ timeout });
  assert.equal((await section.locator('.state').first().innerText()).trim(), word, await section.innerText());
  return section.innerText();
}

/** Opens what was made of the run that is open by itself, once it is there: `Rollback` or `Next strategy`. */
export async function follow(page, way, timeout = 30_000) {
  const made = page.locator('#after .made-of-it li', { has: page.getByRole('link', { name: way, exact: true }) });
  await made.getByText('by itself').waitFor({ timeout });
  await made.getByRole('link', { name: way, exact: true }).click();
  await page.waitForURL((url) => url.pathname.startsWith('/recommendations/'));
}

/** From the run that is open to the incident that it was for. */
export async function incidentOf(page) {
  await page.locator('#run .head a[href^="/recommendations/"]').first().click();
  await page.waitForURL((url) => url.pathname.startsWith('/recommendations/'));
  await page.getByRole('link', { name: 'Its signals' }).click();
  await page.waitForURL((url) => url.pathname.startsWith('/incidents/'));
}
