// What every other browser test stands on: the console starts and stops cleanly, and its page comes alive in Chromium.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { openPage, signIn } from './lib/browser.mjs';
import { startConsole } from './lib/console.mjs';
import { stage } from './lib/stage.mjs';

const on = stage();
let console_, browser;
before(async () => {
  [console_, browser] = await Promise.all([on.console(), on.browser()]);
});
after(on.close);

for (const javascript of [false, true]) {
  test(`a person signs in with JavaScript ${javascript ? 'on' : 'off'}, and the page's style and program arrive`, async () => {
    const page = await openPage(browser, console_.url, { javascript });
    await signIn(page);
    const awaited = [/\/console\.css$/, ...(javascript ? [/\/console\.js$/, /\/console\.wasm$/] : [])];
    const answers = Promise.all(awaited.map((file) => page.waitForResponse((response) => file.test(response.url()))));
    await page.reload();
    for (const answer of await answers) assert.ok([200, 304].includes(answer.status()), `${answer.status()} ${answer.url()}`);
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });
}

test('SIGTERM ends the console with exit code 0 and the directory is gone', async () => {
  const other = await startConsole();
  assert.equal(await other.stop(), 0);
  assert.ok(!existsSync(other.dataDir));
});
