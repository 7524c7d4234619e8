// The recommendation's page in a real Chromium: what would change is read live, values are judged while they are typed by the
// server's own rules, and the decision is within a thumb's reach on a phone. With and without JavaScript.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { awake, openPage, signedIn } from './lib/browser.mjs';
import { stage } from './lib/stage.mjs';
import { recommendation, seed, until, World } from './lib/world.mjs';

const on = stage();
let console_, browser, world, state;
before(async () => {
  [console_, browser] = await Promise.all([on.console(), on.browser()]);
  world = await World.of(console_);
  await world.register(await seed('hidden-oomkill-scale-down'));
  await world.register(await seed('oomkill-increase-memory'));
  state = await signedIn(browser, console_.url);
});
after(on.close);

/** The page of a new recommendation, alive where it can be. */
const opened = async (incident, { javascript = true, width = 1440, ...changes } = {}) => {
  const { id } = await world.recommend(incident, changes);
  const page = await openPage(browser, console_.url, { state, javascript, width });
  await page.goto(`/recommendations/${id}`);
  if (javascript) await awake(page);
  return page;
};
const replicas = '[name="p.SCALE_TARGET_REPLICAS"]';

test('what would change is there before any script, with what stands in the way', async () => {
  const page = await opened('inc-live', { javascript: false });
  const target = page.locator('#target');
  const change = target.locator('.change-of', { hasText: 'spec.replicas' });
  assert.deepEqual([await change.locator('del').innerText(), await change.locator('ins').innerText()], ['4', '1']);
  assert.match(await target.innerText(), /unchanged/);
  assert.match(await target.innerText(), /read from the cluster/);
  await page.context().close();
});

test('a target that is not there is said beside the buttons', async () => {
  const page = await opened('inc-gone', { strategy: { parameters: { TARGET_RESOURCE_NAME: 'nobody' } } });
  await page.locator('#decide').getByText('There is no Deployment nobody in production').waitFor();
  assert.ok(await page.getByRole('button', { name: 'Approve' }).isEnabled());
  await page.context().close();
});

test('a value is judged while it is typed, and neither caret nor value is lost', async () => {
  const page = await opened('inc-typed');
  await page.getByText('Edit parameters').click();
  const field = page.locator(replicas);
  await field.fill('1000');
  await field.blur();
  await page.locator('#f-p-SCALE_TARGET_REPLICAS-error').waitFor();
  assert.equal(await field.getAttribute('aria-invalid'), 'true');
  assert.equal(await field.inputValue(), '1000');
  await field.fill('3');
  await page.locator('#f-p-SCALE_TARGET_REPLICAS-error').waitFor({ state: 'detached' });
  await page.locator('#edit-preview ins', { hasText: '3' }).waitFor();
  await page.locator('#target ins', { hasText: '3' }).waitFor();
  await page.locator('#unsaved').getByText('Make a new ticket first').waitFor();
  assert.ok(await field.evaluate((element) => element === document.activeElement), 'the focus stays');
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('the model’s value stays in sight and can be taken back', async () => {
  for (const javascript of [true, false]) {
    const page = await opened(`inc-back-${javascript}`, { javascript });
    await page.getByText('Edit parameters').click();
    await page.locator(replicas).fill('3');
    if (javascript) {
      await page.getByRole('button', { name: 'Take it back' }).click();
    } else {
      // Without a script the server tells it when the form comes back.
      await page.locator('[name="p.TARGET_RESOURCE_NAME"]').fill('$(x)');
      await page.getByRole('button', { name: 'Make a new ticket' }).click();
      await page.locator('#said-SCALE_TARGET_REPLICAS').getByRole('button', { name: 'Take it back' }).click();
    }
    await until("the model's value", async () => (await page.locator(replicas).inputValue()) === '1');
    await page.context().close();
  }
});

test('a slider sets a number, and the ticket that is made of it can be approved', async () => {
  const page = await opened('inc-slide');
  await page.getByText('Edit parameters').click();
  const slider = page.getByRole('slider', { name: /SCALE_TARGET_REPLICAS/ });
  await slider.focus();
  await page.keyboard.press('ArrowRight');
  assert.equal(await page.locator(replicas).inputValue(), '2');
  await page.getByRole('button', { name: 'Take it back' }).click();
  await until('the model’s value', async () => (await page.locator(replicas).inputValue()) === '1');
  assert.equal(await slider.inputValue(), '1', 'the slider goes back with its field');
  await slider.press('ArrowRight');
  await page.locator('#edit-preview ins', { hasText: '2' }).waitFor();
  await page.getByRole('button', { name: 'Make a new ticket' }).click();
  await page.locator('.values ins', { hasText: '2' }).waitFor();
  await Promise.all([page.waitForURL(/\/runs\//), page.getByRole('button', { name: 'Approve' }).click()]);
  // Its run changes the object the other tests look at: nothing of it goes on behind their backs.
  await world.until(new URL(page.url()).pathname.split('/').at(-1), 'succeeded');
  await page.context().close();
});

test('on a phone the decision is one tap away, and every target is large enough', async () => {
  const page = await opened('inc-phone', { width: 360 });
  const jump = page.locator('.jump');
  await jump.getByRole('link', { name: 'Decide' }).click();
  await page.waitForFunction(() => {
    const { top, bottom } = document.querySelector('#decide [value=approve]').getBoundingClientRect();
    const foot = document.querySelector('.nav').getBoundingClientRect().top;
    return top >= 0 && bottom <= foot;
  });
  await page.context().close();
});

test('forty parameters and absurdly long values push nothing aside', async () => {
  const many = Array.from({ length: 40 }, (_, n) => ({ name: `PARAMETER_${n}_WITH_A_LONG_NAME_THAT_GOES_ON`, type: 'string', required: true }));
  const playbook = { ...(await seed('oomkill-increase-memory')), workflow_id: 'many', parameters: many };
  await world.register(playbook);
  const values = Object.fromEntries(many.map(({ name }) => [name, `value-without-a-place-to-break-${'x'.repeat(80)}`]));
  const [strategy] = (await recommendation('x')).strategies;
  for (const width of [1440, 768, 360]) {
    const page = await opened(`inc-many-${width}`, {
      width,
      strategies: [{ ...strategy, workflow_id: 'many', parameters: values, rationale: `${'word'.repeat(300)} and more`, rollback_parameters: values }],
    });
    await page.evaluate(() => document.querySelectorAll('details').forEach((folded) => (folded.open = true)));
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth), `at ${width}`);
    await page.context().close();
  }
});

test('a target that changes while the page is open is told there, without a reload; what was typed and judged stays', async () => {
  const page = await opened('inc-watched');
  const { id } = await world.recommend('inc-watched-too');
  const several = await page.context().newPage();
  await several.goto(`/approvals/review?id=${new URL(page.url()).pathname.split('/').at(-1)}&id=${id}`);
  await page.evaluate(() => (window.marked = true));
  await several.evaluate(() => (window.marked = true));
  await page.getByText('Edit parameters').click();
  await page.locator(replicas).fill('7');
  await page.locator('#edit-preview ins', { hasText: '7' }).waitFor();
  const other = await world.recommend('inc-scales', { strategy: { parameters: { SCALE_TARGET_REPLICAS: 3 } } });
  await world.until(await world.approve(other), 'succeeded');

  const said = 'Deployment my-app has changed since the analysis';
  await page.locator('#heed').getByText(said).waitFor({ timeout: 40_000 });
  assert.match(await page.innerText('#heed'), /replicas \d+ → 3/);
  await page.locator('#target del', { hasText: '3' }).waitFor();
  assert.equal(await page.locator(replicas).inputValue(), '7');
  assert.equal(await page.locator('#edit-preview ins', { hasText: '7' }).count(), 1, 'with what was judged of it');
  await several.locator('.review-item').first().getByText(said).waitFor({ timeout: 40_000 });
  for (const one of [page, several]) assert.ok(await one.evaluate(() => window.marked), 'without a reload');
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('without JavaScript the target can be read again by a link', async () => {
  const page = await opened('inc-again', { javascript: false });
  const answer = page.waitForNavigation();
  await page.locator('#target').getByRole('link', { name: 'Read again' }).click();
  assert.equal((await answer).status(), 200);
  await page.locator('#target').getByText('read from the cluster').waitFor();
  await page.context().close();
});
