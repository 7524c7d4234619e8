// The pages as a screen reader has them, by Chromium's accessibility tree: what is said of each thing, in which order, nothing twice;
// and what a page says by itself while much goes on.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { openPage, signedIn } from './lib/browser.mjs';
import { chatty, endless, talk, talkOn } from './lib/chatty.mjs';
import { steps } from './lib/graphs.mjs';
import { listen, spoken } from './lib/spoken.mjs';
import { stage } from './lib/stage.mjs';
import { seed, World } from './lib/world.mjs';

const on = stage();
let console_, browser, world, state;
before(async () => {
  [console_, browser] = await Promise.all([on.console(), on.browser()]);
  world = await World.of(console_);
  for (const playbook of [await seed('hidden-oomkill-scale-down'), chatty, endless]) await world.register(playbook);
  state = await signedIn(browser, console_.url);
});
after(on.close);

const open = async (path) => {
  const page = await openPage(browser, console_.url, { state });
  await listen(page);
  await page.goto(path);
  return page;
};

/** What is spoken, without what differs from time to time. */
const heard = async (page, selector) =>
  (await spoken(page, selector)).map((line) => line.replace(/\d+(ms|[smh])( \d+[smh])?\b/g, 'a while').replace(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC/, 'a time'));

test('a run: what runs after what, how long each took, one selected', async () => {
  const id = await world.approve(await world.propose(steps(3, 3, 2)));
  await world.until(id, 'succeeded');
  const page = await open(`/runs/${id}`);
  const tasks = ['task-0000', 'task-0001', 'task-0002'];
  assert.deepEqual(await heard(page, '.dag'), [
    'region "What runs after what"',
    'group "3 tasks, from left to right in the order in which they can run"',
    ...tasks.map((task) => `link "${task}, succeeded in a while, on the critical path"`),
  ]);
  assert.deepEqual(await heard(page, '.time'), [
    'heading "Timeline"',
    'list',
    ...tasks.flatMap((task) => ['listitem', `link "${task} succeeded in a while, on the critical path"`]),
  ]);
  assert.equal(await page.locator('.dag [aria-current=true]').count(), 1);
  assert.equal(await page.locator('.time [aria-current=true]').count(), 1);
  await page.context().close();
});

test('a log: its search, how it is set, then its lines', async () => {
  const id = await talk(world, 'inc-log', 3);
  await world.until(id, 'succeeded');
  await world.logged(id);
  const page = await open(`/runs/${id}?find=line`);
  const lines = await heard(page, '.log-area');
  assert.deepEqual(lines.slice(0, lines.indexOf('list', lines.indexOf('region "Log of execute, attempt 1"'))), [
    'search "In this log"',
    'searchbox "Find in the log of execute"',
    '"line"',
    'status live=polite atomic',
    '"3 of 3"',
    'link "The hit before"',
    'link "The next hit"',
    'link "Clear"',
    'list "Which lines"',
    ...['All', 'Warnings', 'Errors'].flatMap((word) => ['listitem', `link "${word}"`]),
    'list "How they are set"',
    ...['Times off', 'Wrap on', 'Wide off', 'Download'].flatMap((word) => ['listitem', `link "${word}"`]),
    'region "Log of execute, attempt 1"',
  ]);
  assert.equal(lines.filter((line) => /^link "\d"$/.test(line)).length, 3, 'each line has its number');
  await page.context().close();
});

test('the inbox: each recommendation once, with its risk and how long there is to decide', async () => {
  const made = await world.recommend('inc-spoken');
  const page = await open('/approvals');
  const lines = await heard(page, 'main');
  const from = lines.indexOf('listitem');
  assert.deepEqual(lines.slice(from, lines.indexOf('timer "a time"') + 2), [
    'listitem',
    'checkbox "Select OOMKilled event detected on deployment my-app in production namespace, inc-spoken"',
    'heading "OOMKilled event detected on deployment my-app in production namespace"',
    '"Scale down replicas · production / Deployment my-app · OOMKilled · inc-spoken"',
    'code',
    '"SCALE_TARGET_REPLICAS=1"',
    ...lines.slice(from + 6, lines.indexOf('"model says 85 %"', from)),
    '"model says 85 %"',
    '"no runs yet"',
    '"Medium risk"',
    '"time left:"',
    'timer "a time"',
    '"a while"',
  ]);
  assert.ok(!lines.some((line) => line.startsWith('image')), 'what stands in words is not told as a picture, too');
  await world.reject(made, 'seen');
  await page.context().close();
});

test('names keep the spaces between their words', async () => {
  const page = await open('/settings/accounts');
  const lines = await heard(page, 'main');
  for (const name of ['textbox "Password leave it empty to have one made"', 'checkbox "viewer reads recommendations, runs and the catalog"', 'rowheader "admin you"']) {
    assert.ok(lines.includes(name), `${name} in:\n${lines.join('\n')}`);
  }
  await page.context().close();
});

test('a busy run says how it stands when that changes, and little else', async () => {
  const id = await talkOn(world, 'inc-busy');
  const page = await open(`/runs/${id}?find=line`);
  await world.until(id, 'running');
  await page.locator('.log-find .hits').filter({ hasText: /\d{3} of/ }).waitFor();
  const busy = 15;
  await page.waitForTimeout(busy * 1000);
  await world.cancel(id);
  await page.waitForFunction(() => window.said.at(-1)?.text === 'This run: cancelled');
  const said = await page.evaluate(() => window.said.map(({ at, text }) => `${Math.round(at)}: ${text}`));
  // At most one in five seconds, and that there is something to be found.
  assert.ok(said.length <= 1 + busy / 5, said.join('\n'));
  assert.equal(await page.locator('[aria-live=assertive]').count(), 0);
  await page.context().close();
});
