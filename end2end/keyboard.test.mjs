// Every flow by keyboard alone: nothing here knows a mouse. On the way to everything that is used, each stop of the tab key is in
// sight, under no bar, and marked (lib/keyboard.mjs).
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { awake, openPage } from './lib/browser.mjs';
import { chatty, talk } from './lib/chatty.mjs';
import { admin } from './lib/console.mjs';
import { enter, follow, paste, tabTo, write } from './lib/keyboard.mjs';
import { stage } from './lib/stage.mjs';
import { seed, until, World } from './lib/world.mjs';

const on = stage();
let console_, browser, world, page;
/** Runs that come to their end while the first tests run: of three tasks, and one with a long log. */
let three, talked;
before(async () => {
  [console_, browser] = await Promise.all([on.console(), on.browser()]);
  world = await World.of(console_);
  await world.register(chatty);
  three = await world.approve(await world.propose(await seed('workflow-execution-spec')));
  talked = await talk(world, 'inc-log', 1200);
  page = await openPage(browser, console_.url);
});
after(on.close);

const path = () => new URL(page.url()).pathname;
const query = (name) => new URL(page.url()).searchParams.getAll(name);
const record = async ({ id }) => (await world.first.get(`/api/v1/recommendations/${id}`)).body;
const headline = (incident) => `Trouble ${incident} was seen`;
const recommend = (incident, strategy = {}) => world.recommend(incident, { analysis_summary: `${headline(incident)}.`, strategy });
/** Goes to a place by its two keys. */
async function go(key, where) {
  await awake(page);
  await page.keyboard.press('g');
  await Promise.all([page.waitForURL((url) => url.pathname === where), page.keyboard.press(key)]);
  await awake(page);
}

/** Chooses from the list that has the focus by the letters with which the choice begins. */
async function choose(name, word) {
  await tabTo(page, name);
  await page.keyboard.type(word);
}

test('signing in', async () => {
  await page.goto('/');
  await write(page, 'User name', admin.username);
  await write(page, 'Password', admin.password);
  await Promise.all([page.waitForURL((url) => url.pathname === '/'), page.keyboard.press('Enter')]);
});

test('registering a playbook by pasting it', async () => {
  const registration = await seed('hidden-oomkill-scale-down');
  await go('c', '/catalog');
  assert.equal(await follow(page, 'Register a playbook'), 200);
  await awake(page);
  await enter(page, 'Paste or drop JSON or YAML');
  await tabTo(page, /^Registration/);
  await paste(page, JSON.stringify(registration, null, 2));
  assert.equal(await follow(page, 'Fill the form from it'), 200);
  await awake(page);
  assert.equal(await page.inputValue('[name=workflow_id]'), registration.workflow_id);
  assert.equal(await follow(page, 'Register'), 200);
  assert.equal(path(), `/catalog/${registration.workflow_id}`);
});

// On a desktop, and on the same one with everything twice as large: there the bars take the most room.
for (const [size, viewport] of [['', { width: 1440, height: 900 }], [', at 200 % zoom', { width: 720, height: 450 }]]) {
  test(`finding a recommendation from the overview, reading it, editing a value, approving with a reason${size}`, async () => {
    await page.setViewportSize(viewport);
    const incident = `inc-approve-${viewport.width}`;
    const made = await recommend(incident);
    await go('o', '/');
    assert.equal(await follow(page, headline(incident)), 200);
    assert.equal(path(), `/recommendations/${made.id}`);
    await awake(page);
    await enter(page, 'Edit parameters');
    await write(page, /^SCALE_TARGET_REPLICAS ?model: 1$/, '3');
    await page.locator('#edit-preview ins', { hasText: '3' }).waitFor();
    assert.equal(await follow(page, 'Make a new ticket'), 200);
    await page.locator('aside.ticket ins', { hasText: '3' }).waitFor();
    await awake(page);
    await write(page, /^Reason/, 'by keyboard alone');
    assert.equal(await follow(page, 'Approve'), 200);
    assert.match(path(), /^\/runs\//);
    const { decisions } = await record(made);
    assert.equal(decisions[0].reason, 'by keyboard alone');
    const execution = await world.execution(path().split('/').at(-1));
    assert.equal(String(execution.tasks[0].parameters.SCALE_TARGET_REPLICAS), '3');
  });

  test(`rejecting: a reason is asked for, and its field is where one is led${size}`, async () => {
    const made = await recommend(`inc-reject-${viewport.width}`);
    await page.goto(`/recommendations/${made.id}`);
    await awake(page);
    assert.equal(await follow(page, 'Reject'), 422);
    await awake(page);
    // What has to be mended has the focus already: typing is all that is left.
    await page.waitForFunction(() => document.activeElement?.name === 'reason');
    await page.keyboard.type('the node is drained');
    assert.equal(await follow(page, 'Reject'), 200);
    assert.equal((await record(made)).decisions[0].reason, 'the node is drained');
  });

  test(`approving high risk with the typed name${size}`, async () => {
    const made = await recommend(`inc-risky-${viewport.width}`, { estimated_risk: 'high' });
    await page.goto(`/recommendations/${made.id}`);
    await awake(page);
    await write(page, /^Reason/, 'no other way');
    await write(page, /^Type my-app to approve/, 'my-app');
    assert.equal(await follow(page, /^Approve/), 200);
    await page.locator('main').getByText('Another person has to approve.').first().waitFor();
    assert.equal((await record(made)).decisions.length, 1);
    await world.reject(made, 'seen');
  });

  test(`selecting several and deciding them together${size}`, async () => {
    const incidents = ['one', 'two', 'three'].map((name) => `inc-several-${name}-${viewport.width}`);
    const made = [];
    for (const incident of incidents) made.push(await recommend(incident));
    await go('a', '/approvals');
    for (const incident of incidents.slice(0, 2)) {
      await tabTo(page, `Select ${headline(incident)}, ${incident}`);
      await page.keyboard.press('Space');
    }
    // Enter on a check box opens its line and sends nothing.
    await tabTo(page, `Select ${headline(incidents[2])}, ${incidents[2]}`);
    await Promise.all([page.waitForURL(`**/recommendations/${made[2].id}`), page.keyboard.press('Enter')]);
    await page.goBack();
    await awake(page);
    for (const incident of incidents.slice(0, 2)) assert.ok(await page.getByLabel(`Select ${headline(incident)}, ${incident}`).isChecked());
    assert.equal(await follow(page, 'Review selected'), 200);
    assert.deepEqual(query('id').sort(), made.slice(0, 2).map(({ id }) => id).sort());
    await awake(page);
    for (let n = 0; n < 2; n += 1) {
      await tabTo(page, /^I read this ticket, .*; decide it$/);
      await page.keyboard.press('Space');
    }
    await write(page, /^Reason for all that are ticked/, 'read both');
    assert.equal(await follow(page, 'Approve ticked'), 200);
    for (const one of made.slice(0, 2)) assert.equal((await record(one)).decisions[0].reason, 'read both');
    assert.equal((await record(made[2])).state, 'open');
    await world.reject(made[2], 'left');
  });
}

test('moving through the tasks of a run, in the picture and in the timeline', async () => {
  await page.setViewportSize({ width: 1440, height: 900 });
  await world.until(three, 'succeeded');
  await go('r', '/runs');
  const href = () => page.evaluate(() => document.activeElement.getAttribute('href'));
  for (let line = await page.locator('.run-line').count(); line && (await href()) !== `/runs/${three}`; line -= 1) await page.keyboard.press('j');
  await Promise.all([page.waitForURL(`**/runs/${three}`), page.keyboard.press('Enter')]);
  await awake(page);
  const names = await page.locator('.dag .node').evaluateAll((all) => all.map((node) => node.dataset.name));
  const chosen = (name) => page.locator('.task-name', { hasText: new RegExp(`^${name}$`) }).waitFor();

  await tabTo(page, new RegExp(`^${names[0]}`));
  await page.keyboard.press('Enter');
  await chosen(names[0]);
  await page.keyboard.press('ArrowRight');
  const next = await page.evaluate(() => document.activeElement.dataset.name);
  assert.notEqual(next, names[0]);
  await chosen(next);
  assert.equal(await page.locator('.time-rows .r.sel').getAttribute('data-name'), next, 'selected everywhere');

  // Behind the boxes of the picture come the rows of the timeline.
  await tabTo(page, new RegExp(`^${names[0]},`));
  const row = await page.evaluate(() => document.activeElement.dataset.name);
  await page.keyboard.press('ArrowDown');
  const below = await page.evaluate(() => document.activeElement.dataset.name);
  assert.notEqual(below, row);
  await chosen(below);
  for (const tab of [/^Parameters/, 'Events']) {
    await enter(page, tab);
    await page.locator('.tabs [aria-current=page]', { hasText: typeof tab === 'string' ? tab : 'Parameters' }).waitFor();
  }
});

/** Which of the page's lines the focus is in, counted from 0, by what fits a line. */
const line = (lines) => page.evaluate((lines) => [...document.querySelectorAll(lines)].findIndex((each) => each.contains(document.activeElement)), lines);

test('moving by j and k in tables and in what is reviewed', async () => {
  const made = [await recommend('inc-line-1'), await recommend('inc-line-2')];
  const places = [
    ['/audit', 'table.audit > tbody > tr'],
    ['/settings/tokens', 'table.people > tbody > tr'],
    [`/approvals/review?${made.map(({ id }) => `id=${id}`).join('&')}`, '.review-items > li'],
  ];
  for (const [where, lines] of places) {
    await page.goto(where);
    await awake(page);
    const at = [];
    for (const key of ['j', 'j', 'k']) {
      await page.keyboard.press(key);
      at.push(await line(lines));
    }
    assert.deepEqual(at, [0, 1, 0], where);
  }
  for (const one of made) await world.reject(one, 'seen');
});

test('with single keys switched off arrows still move through a run, and letters do not', async () => {
  const { hostname } = new URL(console_.url);
  await page.context().addCookies([{ name: 'keys', value: 'off', domain: hostname, path: '/' }]);
  await page.goto(`/runs/${three}`);
  await awake(page);
  const here = () => page.evaluate(() => document.activeElement.dataset.name);
  await page.locator('.dag .node').first().focus();
  const first = await here();
  for (const key of ['l', 'j', 'h', 'k']) await page.keyboard.press(key);
  assert.equal(await here(), first);
  await page.keyboard.press('ArrowRight');
  assert.notEqual(await here(), first);
  await page.context().addCookies([{ name: 'keys', value: 'on', domain: hostname, path: '/' }]);
});

test('opening a log, searching in it, going to a line', async () => {
  await world.until(talked, 'succeeded');
  await page.goto(`/runs/${talked}`);
  await awake(page);
  await tabTo(page, 'Find in the log of execute');
  await page.keyboard.type('disruption');
  await page.keyboard.press('Enter');
  await page.locator('.log li.on#L997').waitFor();
  assert.deepEqual(query('find'), ['disruption']);
  await page.locator('.log-box .chunk').first().waitFor();
  // The box scrolls by keys, and each line's number leads to it.
  await tabTo(page, 'Log of execute, attempt 1');
  const top = () => page.locator('.log-box').evaluate((box) => box.scrollTop);
  const before = await top();
  // The browser glides there; who goes on while it does lands beside it.
  const rests = page.locator('.log-box').evaluate((box) => new Promise((done) => box.addEventListener('scrollend', done, { once: true })));
  await page.keyboard.press('PageUp');
  await rests;
  assert.ok((await top()) < before, 'the log scrolled');
  const number = await tabTo(page, /^\d+$/);
  await page.keyboard.press('Enter');
  await page.waitForURL((url) => url.hash === `#L${number}`);
  await page.locator(`.log li#L${number}:is(.on, :target)`).waitFor();
});

test('cancelling a run', async () => {
  const run = await talk(world, 'inc-cancel', 400_000);
  await world.until(run, 'running');
  await page.goto(`/runs/${run}`);
  await awake(page);
  await enter(page, 'Cancel');
  await write(page, /^Reason/, 'the wrong cluster');
  assert.equal(await follow(page, 'Cancel this run'), 200);
  await page.locator('#run .head .state', { hasText: 'Cancelled' }).first().waitFor({ timeout: 40_000 });
});

test('narrowing the catalog', async () => {
  await world.register(await seed('oomkill-increase-memory'));
  await go('c', '/catalog');
  await page.keyboard.press('/');
  await page.keyboard.type('memory');
  await Promise.all([page.waitForURL((url) => url.searchParams.get('q') === 'memory'), page.keyboard.press('Enter')]);
  await awake(page);
  await enter(page, '+ severity');
  const [answer] = await Promise.all([page.waitForNavigation(), enter(page, /^(critical|high|medium|low|any) \d+$/)]);
  assert.equal(answer.status(), 200);
  assert.equal(query('severity').length, 1);
  await awake(page);
  assert.equal(await follow(page, /^severity: .*, take it away$/), 200);
  assert.deepEqual(query('severity'), []);
});

test('asking Effectiveness for another measure and another time', async () => {
  await go('e', '/effectiveness');
  await choose('Charts show', 'Went');
  await choose('Group by', 'By sig');
  assert.equal(await follow(page, 'Show'), 200);
  assert.deepEqual([query('measure'), query('by')], [['went_through'], ['signal_type']]);
  await awake(page);
  await tabTo(page, 'Effectiveness in numbers');
});

test('filtering the audit trail and exporting what matches', async () => {
  await go('o', '/');
  assert.equal(await follow(page, 'Audit'), 200);
  await awake(page);
  await choose('Action', 'All of dec');
  await write(page, 'Actor', 'admin');
  assert.equal(await follow(page, 'Show'), 200);
  assert.deepEqual([query('action'), query('actor')], [['decision.'], ['admin']]);
  await awake(page);
  const [file] = await Promise.all([page.waitForEvent('download'), enter(page, 'Export what matches')]);
  assert.equal(file.suggestedFilename(), 'audit.jsonl');
  await file.cancel();
});

test('making a token and revoking it', async () => {
  await go('s', '/settings');
  assert.equal(await follow(page, 'Tokens'), 200);
  await awake(page);
  await write(page, /^Name/, 'keyboard');
  await tabTo(page, /^viewer/);
  await page.keyboard.press('Space');
  await choose('Works for', '7');
  assert.equal(await follow(page, 'Make the token'), 201);
  const secret = await page.locator('.once .secret code').innerText();
  assert.equal((await console_.api(secret).get('/api/v1/executions')).status, 200);
  await awake(page);
  await enter(page, 'Revoke keyboard');
  assert.equal(await follow(page, 'Revoke it'), 200);
  assert.equal((await console_.api(secret).get('/api/v1/executions')).status, 401);
});

test('signing out', async () => {
  await go('o', '/');
  await follow(page, 'Sign out');
  assert.equal(path(), '/login');
  assert.deepEqual(page.faults.filter((fault) => !/status of 4\d\d/.test(fault)), []);
});
