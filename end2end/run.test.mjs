// The run page at any size and by any means, each test named after what went wrong elsewhere: a graph without what had not
// started, logs that died with their pod, links to a line that opened somewhere else, pages that froze.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { AxeBuilder } from '@axe-core/playwright';
import { awake, openPage, signedIn } from './lib/browser.mjs';
import { chatty, endless, grouping, talk, talkInAGroup, talkOn } from './lib/chatty.mjs';
import { DRAWN_WHOLE, freezes, watchFreezes } from './lib/freezes.mjs';
import { steps } from './lib/graphs.mjs';
import { stage } from './lib/stage.mjs';
import { World, until } from './lib/world.mjs';

const on = stage();
let console_, browser, world, state;

before(async () => {
  [console_, browser] = await Promise.all([on.console(), on.browser()]);
  world = await World.of(console_);
  await world.register(chatty);
  await world.register(endless);
  await world.register(grouping);
  state = await signedIn(browser, console_.url);
});
after(on.close);

const open = (options) => openPage(browser, console_.url, { state, ...options });

/** Waits until a run has ended and its log is whole. */
async function ended(id, seconds = 60) {
  await until(`run ${id} to end`, async () => !['pending', 'running'].includes((await world.execution(id)).state), seconds);
  await world.logged(id);
}

/** A run of so many steps of which the first ones sleep: what is looked at is its picture, not its going on. */
const asleep = async (...size) => world.approve(await world.propose(steps(...size, { image: 'registry.example.org/actions/sleep:v1' })));

async function accessible(page, what) {
  const { violations } = await new AxeBuilder({ page }).analyze();
  assert.deepEqual(violations.map((v) => `${v.id}: ${v.nodes[0].target}`), [], what);
}

test('a graph shows the tasks that have not started', async () => {
  const id = await asleep(3, 3, 2);
  await world.until(id, 'running');
  const page = await open({ javascript: false });
  await page.goto(`/runs/${id}`);
  assert.equal(await page.locator('.dag .node').count(), 3);
  const told = await page.locator('.dag .node').evaluateAll((all) => all.map((node) => node.getAttribute('aria-label')));
  for (const task of ['task-0001', 'task-0002']) assert.ok(told.some((label) => label.startsWith(`${task}, waits`)), told.join('\n'));
  await world.cancel(id);
  await page.context().close();
});

test('the log is there after its pod has died, and a link to a line opens at that line', async () => {
  // With a sandbox's console its whole cluster goes, all pods with it.
  const dataDir = await on.directory();
  const once = await on.console({ dataDir });
  const other = await World.of(once);
  await other.register(chatty);
  const id = await talk(other, 'inc-log', 1500);
  await other.until(id, 'succeeded');
  await other.logged(id);
  await once.stop();
  const again = await on.console({ dataDir, listen: new URL(once.url).host });
  const log = await other.first.get(`/api/v1/executions/${id}/tasks/execute/logs`);
  assert.equal(log.body.split('\n').length - 1, 1500);
  const theirs = await signedIn(browser, again.url);
  for (const javascript of [true, false]) {
    const page = await openPage(browser, again.url, { state: theirs, javascript });
    await page.goto(`/runs/${id}?task=execute&attempt=1&line=997#L997`);
    const line = page.locator('#L997');
    await line.waitFor();
    assert.match(await line.textContent(), /ERROR: request 997/);
    await until('the line to be seen', () => line.evaluate((element) => {
      const [box, at] = [element.closest('.log-box').getBoundingClientRect(), element.getBoundingClientRect()];
      return at.top >= box.top - 1 && at.bottom <= box.bottom + 1;
    }));
    assert.ok(await line.evaluate((element) => element.matches('.on, :target')));
    await page.context().close();
  }
});

test('a log can be read to its beginning when the program does not come, and the page says that it does not follow', async () => {
  const id = await talk(world, 'inc-unaided', 2500);
  await ended(id);
  const page = await open();
  const earlier = page.getByRole('link', { name: 'Earlier lines' });
  await page.goto(`/runs/${id}`);
  await awake(page);
  assert.equal(await earlier.isVisible(), false, 'whoever can scroll needs no pages');
  await page.route('**/*.wasm', (route) => route.abort());
  await page.goto(`/runs/${id}`);
  const first = () => page.locator('.log li').first().getAttribute('id');
  const before = await first();
  await earlier.click();
  assert.notEqual(await first(), before);
  await page.getByRole('link', { name: 'Later lines' }).waitFor();

  const running = await talkOn(world, 'inc-unaided-running');
  await page.goto(`/runs/${running}`);
  await page.getByText('This page does not refresh by itself.').waitFor();
  await world.cancel(running);
  await page.context().close();
});

test('a log keeps the line that is read when the window gets another width', async () => {
  const id = await talk(world, 'inc-turned', 2500);
  await ended(id);
  const page = await open({ width: 740 });
  await page.goto(`/runs/${id}?line=997#L997`);
  await awake(page);
  await page.locator('.log li.on#L997').waitFor();
  const top = () => page.evaluate(() => {
    const { top } = document.querySelector('.log-box').getBoundingClientRect();
    return [...document.querySelectorAll('.log-box li')].find((line) => line.getBoundingClientRect().bottom > top + 4)?.id;
  });
  // The line that is meant has come to its place, and so has what is around it.
  let read;
  await until('the log to stand still', async () => read === (read = await top()));
  for (const [width, height] of [[360, 740], [1440, 900], [740, 360]]) {
    await page.setViewportSize({ width, height });
    await until(`${read} to be the first line at ${width} px`, async () => (await top()) === read);
  }
  await page.context().close();
});

test('a log is searched on the server, with its hits marked and walked, also without JavaScript', async () => {
  const id = await talk(world, 'inc-find', 2500);
  await ended(id);
  const plain = await open({ javascript: false });
  await plain.goto(`/runs/${id}`);
  await plain.fill('.log-find input[name=find]', 'disruption BUDGET');
  await plain.press('.log-find input[name=find]', 'Enter');
  assert.equal(await plain.locator('.log-find .hits').textContent(), '2 of 2');
  await plain.getByRole('link', { name: 'The hit before' }).click();
  assert.equal(await plain.locator('.log li.on mark').textContent(), 'disruption budget');
  assert.equal(await plain.locator('.log li.on').getAttribute('id'), 'L997');
  await plain.goto(`/runs/${id}?level=error`);
  assert.deepEqual(await plain.locator('.log li.error').evaluateAll((all) => all.map((line) => line.id)), ['L997', 'L1997']);
  await plain.context().close();

  const page = await open();
  await page.goto(`/runs/${id}?find=disruption`);
  await page.locator('.log li.on#L1997').waitFor();
  await page.getByRole('link', { name: 'The hit before' }).click();
  await page.locator('.log li.on#L997').waitFor();
  assert.match(page.url(), /hit=1/);
  await accessible(page, 'a log that is searched');
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('a group of more lines than a chunk is folded and unfolded as one', async () => {
  // Its marks are lines 2 and 1003: it begins in the first chunk and ends in the sixth.
  const id = await talkInAGroup(world, 'inc-group', 1000);
  await ended(id);
  const page = await open();
  await page.goto(`/runs/${id}`);
  const box = page.locator('.log-box');
  const shown = () => box.evaluate((frame) => [...frame.querySelectorAll('.log li:not(.group)')].filter((line) => line.checkVisibility()).map((line) => line.id));
  const summaries = page.locator('.log-box summary:visible');
  await until('the group to be folded', async () => (await shown()).join() === 'L1,L1004');
  assert.deepEqual(await summaries.allTextContents(), ['Fetch 1000 lines']);
  assert.equal(await page.locator('.chunk:not([hidden])').count(), 2, 'what is all in it takes no place');

  await summaries.click();
  await until('its first lines', async () => (await shown()).includes('L3'));
  await box.evaluate((frame) => (frame.scrollTop = frame.scrollHeight / 2));
  await until('the lines of a chunk in its middle', async () => (await shown()).includes('L500'));
  await box.evaluate((frame) => (frame.scrollTop = frame.scrollHeight));
  await until('its last lines', async () => {
    const lines = await shown();
    return lines.includes('L1002') && lines.includes('L1004');
  });
  assert.equal(await page.locator('.log-box li.rest > details > summary:visible').count(), 0, 'it has one title');

  await box.evaluate((frame) => (frame.scrollTop = 0));
  await summaries.first().click();
  await until('it to be folded again', async () => (await shown()).join() === 'L1,L1004');

  // A link to a line in it opens it; without scripts each part can be unfolded.
  await page.goto(`/runs/${id}?line=500#L500`);
  await until('the line that is meant', async () => (await shown()).includes('L500'));
  assert.deepEqual(page.faults, []);
  await page.context().close();
  const plain = await open({ javascript: false });
  await plain.goto(`/runs/${id}`);
  await plain.getByText('continued, 2 lines').click();
  assert.ok(await plain.locator('#L1002').isVisible());
  await plain.context().close();
});

test('a log that is being written is followed, and whoever scrolls away from its end is left there', async () => {
  const id = await talkOn(world, 'inc-follow');
  const page = await open();
  await page.goto(`/runs/${id}`);
  const box = page.locator('.log-box');
  const last = () => box.getAttribute('data-last').then(Number);
  await until('lines', async () => (await box.count()) && (await last()) > 1000);
  const left = () => box.evaluate((frame) => frame.scrollHeight - frame.scrollTop - frame.clientHeight);
  await until('the end to be followed', async () => (await left()) < 60);
  // The page hears of it with the next frame; lines that come before pull to the end once more.
  await until('the top', () => box.evaluate((frame) => new Promise((told) => {
    frame.addEventListener('scroll', () => told(frame.scrollTop === 0), { once: true });
    frame.scrollTop = frame.scrollTop === 0 ? 1 : 0;
  })));
  const before = await last();
  await until('many more lines', async () => (await last()) > before + 500);
  assert.equal(await box.evaluate((frame) => frame.scrollTop), 0);
  await world.cancel(id);
  await page.context().close();
});

test('a log of 300,000 lines does not kill the page', async () => {
  const id = await talk(world, 'inc-long', 300_000);
  await ended(id, 240);
  const page = await open();
  await watchFreezes(page);
  await page.goto(`/runs/${id}`);
  const box = page.locator('.log-box');
  await until('the viewer', () => box.evaluate((frame) => frame.querySelectorAll('.chunk').length > 100));
  for (const share of [0.5, 0.1, 0.9, 0, 1]) {
    await box.evaluate((frame, share) => (frame.scrollTop = share * (frame.scrollHeight - frame.clientHeight)), share);
    await until('lines in sight', () => box.evaluate((frame) => {
      const { left, top, height } = frame.getBoundingClientRect();
      return Boolean(document.elementFromPoint(left + 30, top + height / 2)?.closest('.log li'));
    }));
  }
  assert.ok((await page.locator('.log li').count()) < 4000, 'what is out of sight is put away');
  assert.deepEqual(await freezes(page), []);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('a graph of 1,000 tasks does not freeze the page: it is folded, searched, and drawn whole when asked', async () => {
  const id = await asleep(1000, 40, 1800);
  const page = await open();
  await watchFreezes(page);
  await page.goto(`/runs/${id}`);
  const folded = await page.locator('.dag .node').count();
  assert.ok(folded > 0 && folded < 300, `${folded} of 1,000 are drawn`);
  assert.deepEqual(await freezes(page), [], 'folded');
  await accessible(page, 'a large run');

  await page.fill('.dag-seek input', 'task-0777');
  await page.press('.dag-seek input', 'Enter');
  await page.waitForURL(/seek=task-0777|task=task-0777/);
  assert.equal(await page.locator('.task-name').textContent(), 'task-0777');

  await page.goto(`/runs/${id}?unfold=all`);
  assert.equal(await page.locator('.dag .node').count(), 1000);
  await page.locator('html[data-map=on]').waitFor();
  assert.deepEqual(await freezes(page, DRAWN_WHOLE), [], 'every task is drawn');
  await page.getByRole('link', { name: 'Larger' }).click();
  assert.match(page.url(), /zoom=140/);
  const width = () => page.locator('.dag > svg').evaluate((svg) => svg.getBoundingClientRect().width);
  const large = await width();
  await page.getByRole('link', { name: 'Smaller' }).click();
  assert.ok((await width()) < large);

  // Every task is reached by keys; what is selected is selected everywhere.
  await page.locator('.dag .node').first().focus();
  await page.keyboard.press('j');
  await page.keyboard.press('ArrowRight');
  const chosen = await page.evaluate(() => document.activeElement.getAttribute('data-name'));
  await page.waitForURL(new RegExp(`task=${chosen}`));
  await until('the panel', async () => (await page.locator('.task-name').textContent()) === chosen);
  assert.equal(await page.locator(`.time-rows .r.sel`).getAttribute('data-name'), chosen);
  assert.deepEqual(await freezes(page), [], 'every task is drawn, looked at larger and smaller, and selected');
  assert.deepEqual(page.faults, []);
  await world.cancel(id);
  await page.context().close();
});

test('a run can be looked at without JavaScript at any size', async () => {
  const id = await asleep(200, 20, 360);
  const page = await open({ javascript: false });
  await page.goto(`/runs/${id}`);
  const folded = page.locator('.dag .node.many').first();
  assert.match(await folded.getAttribute('aria-label'), /unfold$/);
  await folded.click();
  assert.match(page.url(), /unfold=/);
  await page.getByRole('link', { name: 'Fit' }).click();
  assert.match(page.url(), /zoom=fit/);
  await page.goto(`/runs/${id}?sort=name`);
  assert.equal(await page.locator('.as-table tbody tr').count(), 200);
  await world.cancel(id);
  await page.context().close();
});
