// The approval policy by its pages, with and without JavaScript: a version with its faults, what it would have changed, putting it in
// force, and what that means for whatever comes next.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openPage, press, signIn } from './lib/browser.mjs';
import { stage } from './lib/stage.mjs';
import { World, seed } from './lib/world.mjs';

const careful = `name: careful
rules:
  - name: production
    why: It pays our wages.
    match:
      environment: production
    approvals: 2
  - name: everything-else
    approvals: 1
`;

const on = stage();
let browser;
before(async () => {
  browser = await on.browser();
});
after(on.close);

for (const javascript of [true, false]) {
  test(`a policy is written, tried and put in force ${javascript ? 'with' : 'without'} JavaScript`, async () => {
    const console_ = await on.console();
    const world = await World.of(console_);
    await world.register(await seed('hidden-oomkill-scale-down'));
    await world.approve(await world.recommend('inc-past'));
    const page = await openPage(browser, console_.url, { javascript });
    await signIn(page);
    const main = () => page.locator('main').innerText();

    await page.goto('/settings');
    await page.getByRole('navigation', { name: 'Settings' }).getByRole('link', { name: 'Policies' }).click();
    await page.getByRole('heading', { name: 'In force: default, version 1' }).waitFor();
    assert.match(await main(), /risk high[^]*Two different people must approve\.[^]*everything else[^]*One person must approve\./);
    assert.match(await page.inputValue('[name=yaml]'), /^# One person approves/, 'the next version begins with the one in force');

    const wrong = careful.replace('approvals: 2', 'aprovals: 2');
    await page.fill('[name=yaml]', wrong);
    assert.equal((await press(page, 'Keep')).status(), 422);
    assert.match(await page.getByRole('alert').innerText(), /Line 7 .*did you mean "approvals"\?/);
    assert.equal((await page.inputValue('[name=yaml]')).replaceAll('\r\n', '\n'), wrong, 'what was typed stays');
    assert.equal(await page.getAttribute('[name=yaml]', 'aria-invalid'), 'true');

    await page.fill('[name=yaml]', careful);
    assert.equal((await press(page, 'Check')).status(), 200);
    await page.getByText('It can be read. Nothing was stored').waitFor();
    await press(page, 'Keep');
    assert.equal(new URL(page.url()).pathname, '/settings/policies/2');
    await page.getByText('It is kept, and changes nothing yet.').waitFor();
    assert.match(await page.getByRole('region', { name: 'Lines that differ from version 1 to 2' }).innerText(), /environment: production/);

    await page.getByRole('link', { name: 'Try it on the last 90 days' }).click();
    const row = page.getByRole('table', { name: 'Decisions that would have been others' }).getByRole('row', { name: /OOMKilled event/ });
    await row.waitFor();
    assert.match(await row.innerText(), /approved by token m\.okafor[^]*Stricter[^]*still waiting: 1 of 2 approvals[^]*rule production/);
    assert.match(await main(), /Of 1 in the last 90 days, 1 would not have run then\./);

    const before = await world.recommend('inc-before');
    await page.goto(`/recommendations/${before.id}`);
    assert.match(await main(), /One person must approve: rule everything-else of the policy default v1/);
    await page.goto('/settings/policies/2');
    await page.fill('[name=reason]', 'agreed in the review of this week');
    await press(page, 'Put it in force');
    await page.getByText('It is in force. Tickets that were made before are made anew.').waitFor();
    assert.equal(await page.getByRole('button', { name: /Put it in force/ }).count(), 0);
    await page.goto(`/recommendations/${before.id}`);
    assert.match(await main(), /Two different people must approve: rule production of the policy careful v2[^]*It pays our wages\./);
    assert.ok(await page.getByRole('button', { name: 'Approve (1 of 2)' }).isEnabled());

    await page.goto('/audit?action=policy.activate');
    assert.match(await page.getByRole('row', { name: /policy\.activate/ }).innerText(), /admin[^]*agreed in the review of this week/);
    assert.deepEqual(page.faults.filter((fault) => !/status of 422/.test(fault)), []);
    await page.context().close();
  });
}

test('a policy in a file is read in the console and changed in its file', async () => {
  const file = join(await on.directory(), 'policy.yaml');
  await writeFile(file, careful);
  const console_ = await on.console({ args: ['--policy-file', file] });
  const page = await openPage(browser, console_.url);
  await signIn(page);
  await page.goto('/settings/policies');
  await page.getByRole('heading', { name: 'In force: careful, version 2' }).waitFor();
  await page.getByText(`The policy is kept in the file ${file}`).waitFor();
  assert.equal(await page.locator('[name=yaml]').count(), 0);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});
