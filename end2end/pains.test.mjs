// What went wrong for the users of other consoles, one test each, named after it. docs/pains.md lists all of them, where each was
// seen, and those that other files hold.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { awake, openPage, signIn } from './lib/browser.mjs';
import { chatty, talk } from './lib/chatty.mjs';
import { DRAWN_WHOLE, freezes, watchFreezes } from './lib/freezes.mjs';
import { steps } from './lib/graphs.mjs';
import { stage } from './lib/stage.mjs';
import { seed, until, World } from './lib/world.mjs';

const on = stage();
let console_, browser, world, state, admin, scaleDown, demo;
/** Runs that take their time while other tests run. */
const runs = {};

before(async () => {
  // Ninety days of history; it is written while the first tests run.
  demo = on.console({ args: ['--scene', 'demo'] });
  demo.catch(() => {});
  [console_, browser, scaleDown] = await Promise.all([on.console(), on.browser(), seed('hidden-oomkill-scale-down')]);
  world = await World.of(console_);
  for (const playbook of [scaleDown, await seed('oomkill-increase-memory'), chatty]) await world.register(playbook);
  state = await signedIn(console_);
  admin = console_.api(await console_.token('admin'));
});
after(on.close);

async function signedIn({ url }, user) {
  const page = await openPage(browser, url);
  await signIn(page, user);
  const kept = await page.context().storageState();
  await page.context().close();
  return kept;
}

async function open(path, options = {}) {
  const page = await openPage(browser, console_.url, { state, ...options });
  await page.goto(path);
  return page;
}

/** Presses a button that sends a form, and resolves to what the server answered in the end. */
async function press(page, name) {
  const [response] = await Promise.all([page.waitForNavigation(), page.getByRole('button', { name }).click()]);
  return response;
}

const record = async ({ id }) => (await world.first.get(`/api/v1/recommendations/${id}`)).body;
const runsOf = async ({ id }) => (await world.first.get(`/api/v1/executions?recommendation=${id}`)).body.items;

test('no data was shown as 0 %', async () => {
  const fails = { ...chatty, workflow_id: 'always-fails', title: 'Always fails', container_image: 'quay.io/kubernaut/playbook-fail:v1', parameters: [] };
  await world.register(fails);
  const proposed = await world.recommend('inc-none');
  const nothing = /(?<![\d.–])0\s?%/;
  const page = await open('/');
  const paths = ['/', '/effectiveness', '/catalog', '/catalog/always-fails', `/recommendations/${proposed.id}`, '/approvals'];
  for (const path of paths) {
    await page.goto(path);
    assert.doesNotMatch(await page.innerText('main'), nothing, `${path}, before anything has run`);
  }
  assert.match(await page.innerText('.inbox-row'), /no runs yet/);

  // What did run and did not go through is 0 %, and says of how many; what nobody has assessed is still not.
  const [strategy] = (await seed('recommendation')).strategies;
  const run = await world.approve(await world.recommend('inc-zero', { strategies: [{ ...strategy, workflow_id: fails.workflow_id, parameters: {} }] }));
  runs.broken = await world.approve(await world.propose(steps(2, 2, 1, { image: 'registry.example.org/actions/fail:v1' })));
  runs.three = await world.approve(await world.propose(await seed('workflow-execution-spec')));
  await world.until(run, 'failed');
  await page.goto('/effectiveness');
  const cells = page.getByRole('row', { name: /always-fails/ }).getByRole('cell');
  const [, helped, through] = await cells.allInnerTexts();
  assert.match(helped, /^– nobody has looked$/);
  assert.match(through, /^0\s?%.* of 1\b/);
  await world.reject(proposed, 'seen');
  await page.context().close();
});

test('a default reason became "Rejected: Approved by X" in the audit trail', async () => {
  const [yes, no] = [await world.recommend('inc-reason-yes'), await world.recommend('inc-reason-no')];
  const page = await open(`/recommendations/${yes.id}`);
  assert.equal(await page.inputValue('[name=reason]'), '', 'nothing is written for anybody');
  await press(page, 'Approve');
  await page.goto(`/recommendations/${no.id}`);
  await page.fill('[name=reason]', ' \n ');
  assert.equal((await press(page, 'Reject')).status(), 422, 'blanks are no reason');
  await page.fill('[name=reason]', 'approved by nobody');
  assert.equal((await press(page, 'Reject')).status(), 200);

  const rows = async ({ id }) => (await admin.get(`/api/v1/audit?action=decision.&object=${id}`)).body.items;
  const [approved, rejected] = [await rows(yes), await rows(no)];
  assert.deepEqual([...approved, ...rejected].map(({ action, reason }) => [action, reason ?? null]), [
    ['decision.approve', null],
    ['decision.reject', 'approved by nobody'],
  ]);
  assert.equal((await record(yes)).decisions[0].reason ?? '', '');
  await page.goto(`/audit?action=decision.&object=${yes.id}`);
  assert.equal(await page.locator('.audit .reason').count(), 0, 'where nobody gave one, none is shown');
  await page.context().close();
});

test('a mail scanner opened a link and approved', async () => {
  const made = [await world.recommend('inc-scanned'), await world.recommend('inc-scanned-too', { strategy: { estimated_risk: 'high' } })];
  const page = await open('/');
  const digest = async ({ id }) => {
    await page.goto(`/recommendations/${id}`);
    return page.inputValue('[name=ticket_digest]');
  };
  const links = new Set(['/logout']);
  for (const one of made) {
    const ticket = await digest(one);
    const form = `strategy=0&ticket_digest=${ticket}&reason=scanned&confirm=my-app`;
    for (const verb of ['approve', 'reject']) {
      links.add(`/recommendations/${one.id}?decision=${verb}&${form}`);
      links.add(`/api/v1/recommendations/${one.id}/decisions?decision=${verb}&${form}`);
      links.add(`/approvals/review?id=${one.id}&item.${one.id}=&take.${one.id}=yes&ticket.${one.id}=${ticket}&decision=${verb}&reason=scanned`);
    }
    links.add(`/recommendations/${one.id}/parameters?${form}`);
  }
  for (const path of ['/', '/approvals', ...made.map(({ id }) => `/recommendations/${id}`), `/approvals/review?${made.map(({ id }) => `id=${id}`).join('&')}`]) {
    await page.goto(path);
    const found = await page.evaluate(() => [...document.querySelectorAll('a[href], form[action], [formaction]')].map((e) => e.href || e.formAction || e.action));
    for (const link of found) if (link.startsWith(console_.url)) links.add(link);
  }
  assert.ok(links.size > 30, `${links.size} links`);
  // With the cookies of somebody who may decide, as behind a company's proxy.
  for (const link of links) {
    for (const method of ['HEAD', 'GET']) await page.request.fetch(new URL(link, console_.url).href, { method, maxRedirects: 0 });
  }
  for (const one of made) {
    const { state: standing, decisions } = await record(one);
    assert.deepEqual([standing, decisions ?? []], ['open', []]);
    assert.deepEqual(await runsOf(one), []);
    await world.reject(one, 'seen');
  }
  assert.equal((await page.goto('/approvals')).status(), 200);
  assert.equal(new URL(page.url()).pathname, '/approvals', 'nor was anybody signed out');
  await page.context().close();
});

test('a denied permission read as "bad request"', async () => {
  const user = await console_.user('nora', 'operator');
  const made = await world.recommend('inc-denied');
  const page = await open(`/recommendations/${made.id}`, { state: await signedIn(console_, user) });
  await page.fill('[name=reason]', 'it fits');
  await console_.run('user', 'set-role', 'nora', '--role', 'viewer');
  const answer = await press(page, 'Approve');
  assert.equal(answer.status(), 403);
  const said = await page.innerText('main');
  assert.match(said, /may not|not allowed|role/i, 'it says that it is about what one may');
  assert.doesNotMatch(said, /bad request/i);
  assert.equal((await record(made)).state, 'open');
  await world.reject(made, 'seen');
  await page.context().close();
});

test('two people approved at once and one was lost', async () => {
  const states = await Promise.all(['ada', 'ben'].map(async (name) => signedIn(console_, await console_.user(name, 'operator'))));
  for (let round = 0; round < 2; round += 1) {
    const made = await world.recommend(`inc-at-once-${round}`, { strategy: { estimated_risk: 'high' } });
    const pages = await Promise.all(states.map((own) => open(`/recommendations/${made.id}`, { state: own })));
    for (const page of pages) {
      await page.fill('[name=reason]', 'no other way');
      await page.fill('[name=confirm]', 'my-app');
    }
    await Promise.all(pages.map((page) => press(page, /^Approve/)));
    const { decisions, state: standing } = await record(made);
    assert.deepEqual(decisions.map(({ actor }) => actor.name).sort(), ['ada', 'ben'], `round ${round}`);
    assert.equal(standing, 'decided');
    const started = await runsOf(made);
    assert.equal(started.length, 1, 'and it runs once');
    assert.deepEqual(started[0].approved_by.map(({ name }) => name).sort(), ['ada', 'ben']);
    await Promise.all(pages.map((page) => page.context().close()));
  }
});

test('two pending approvals looked the same', async () => {
  const summary = { analysis_summary: 'The same words were seen twice.' };
  const made = [
    await world.recommend('inc-same-1', summary),
    await world.recommend('inc-same-2', { ...summary, strategy: { parameters: { SCALE_TARGET_REPLICAS: 2 } } }),
    await world.recommend('inc-same-3', { ...summary, strategy: { parameters: { TARGET_RESOURCE_NAME: 'payment-service' } } }),
  ];
  const page = await open('/approvals?q=the+same+words');
  // Nobody tells two apart by the number of their incident, nor by how long they wait.
  const rows = (await page.locator('.inbox-row').allInnerTexts()).map((text) => text.replace(/inc-same-\d|\d+[hms]/g, ''));
  assert.equal(rows.length, made.length);
  assert.equal(new Set(rows).size, made.length, rows.join('\n---\n'));
  for (const one of made) await world.reject(one, 'seen');
  await page.context().close();
});

test('the buttons were on only one of several tabs', async () => {
  const [strategy] = (await seed('recommendation')).strategies;
  const memory = { TARGET_RESOURCE_KIND: 'Deployment', TARGET_RESOURCE_NAME: 'my-app', TARGET_NAMESPACE: 'production', MEMORY_LIMIT_NEW: '2Gi' };
  const made = await world.recommend('inc-tabs', { strategies: [strategy, { ...strategy, workflow_id: 'oomkill-increase-memory', parameters: memory }] });
  const page = await open(`/recommendations/${made.id}`);
  const digests = new Set();
  for (const chosen of [0, 1]) {
    await page.goto(`/recommendations/${made.id}?strategy=${chosen}`);
    for (const name of ['Approve', 'Reject']) assert.ok(await page.getByRole('button', { name }).isEnabled(), `${name}, strategy ${chosen}`);
    assert.equal(await page.inputValue('#decide [name=strategy]'), String(chosen));
    digests.add(await page.inputValue('[name=ticket_digest]'));
  }
  assert.equal(digests.size, 2, 'each decides its own ticket');
  await world.reject(made, 'seen');

  const run = await talk(world, 'inc-tabs-run', 100_000);
  await world.until(run, 'running');
  for (const tab of ['logs', 'parameters', 'results', 'attempts', 'events']) {
    await page.goto(`/runs/${run}?tab=${tab}`);
    assert.equal(await page.locator('.tabs [aria-current=page]').count(), 1);
    await page.locator('summary', { hasText: 'Cancel' }).waitFor({ timeout: 5000 });
  }
  await world.cancel(run);
  await page.context().close();
});

test('a log on the screen was replaced by an error when its pod died', async () => {
  const run = await talk(world, 'inc-pod', 100_000);
  const page = await open(`/runs/${run}`);
  await until('lines', async () => (await page.locator('.log li').count()) > 20);
  // Whoever scrolls up reads there, and is left there.
  await page.locator('.log-box').evaluate((box) => (box.scrollTop = 0));
  const first = page.locator('.log #L1');
  await first.waitFor();
  const shown = await first.innerText();
  await world.cancel(run);
  await page.locator('#run .head .state', { hasText: 'Cancelled' }).first().waitFor({ timeout: 40_000 });
  const log = await world.first.get(`/api/v1/executions/${run}/tasks/execute/logs`);
  assert.match(log.body, /^line 1: reconciling/);
  assert.equal(await first.innerText(), shown, 'what was there stays');
  for (const javascript of [true, false]) {
    const again = await open(`/runs/${run}?line=1`, { javascript });
    assert.match(await again.locator('.log li').first().innerText(), /line 1: reconciling/);
    await again.context().close();
  }
  await page.context().close();
});

test("the kubelet's words were shown as the task's log", async () => {
  const run = runs.broken;
  await world.until(run, 'failed');
  const page = await open(`/runs/${run}?task=task-0001`, { javascript: false });
  const panel = page.locator('#task');
  assert.match(await panel.innerText(), /never ran and wrote nothing/, 'of what never ran there is no log, and it says why');
  assert.equal(await panel.locator('.log li').count(), 0);
  await page.goto(`/runs/${run}?task=task-0000`);
  const lines = await panel.locator('.log li').allInnerTexts();
  assert.deepEqual(lines.map((line) => line.replace(/^\s*\d+\s+/, '').trim()), [
    'fail starts', 'parameter ACTION_INPUTS is set', 'parameter ACTION_TYPE is set', 'ERROR: this image always fails',
  ]);
  await page.context().close();
});

test('4,000 parallel nodes hung the page', async () => {
  const wide = (nodes) => steps(nodes, 1, 0);
  for (const [nodes, status, why] of [[4000, 413, /longer than \d+ bytes/], [1001, 422, /at most 1000/]]) {
    const refused = await world.first.post('/api/v1/executions', wide(nodes));
    assert.equal(refused.status, status, `${nodes} are not taken`);
    assert.match(refused.body.detail, why);
  }

  // The most that are taken, side by side.
  const run = await world.approve(await world.propose(wide(1000)));
  await world.cancel(run);
  const page = await openPage(browser, console_.url, { state });
  await watchFreezes(page);
  await page.goto(`/runs/${run}`);
  assert.ok((await page.locator('.dag .node').count()) < 300, 'folded');
  assert.deepEqual(await freezes(page), [], 'folded');
  await page.goto(`/runs/${run}?unfold=all`);
  assert.equal(await page.locator('.dag .node').count(), 1000);
  await page.locator('html[data-alive]').waitFor();
  assert.deepEqual(await freezes(page, DRAWN_WHOLE), [], 'every task is drawn');
  for (const nth of [3, 5]) {
    const node = page.locator('.dag .node').nth(nth);
    const name = await node.getAttribute('data-name');
    await node.click();
    await page.locator('.task-name', { hasText: name }).waitFor();
    assert.equal(new URL(page.url()).searchParams.get('task'), name);
  }
  assert.deepEqual(await freezes(page), [], 'every task is drawn, and one after the other selected');
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
  await page.context().close();
});

test('a gantt scrolled out of step with its rows', async () => {
  const run = await world.approve(await world.propose(steps(60, 6, 100)));
  const page = await open(`/runs/${run}?unfold=all`);
  await page.locator('html[data-alive]').waitFor();
  const rows = page.locator('.time-rows');
  await rows.evaluate((list) => (window.rows = list));
  const ordered = await page.locator('.time-rows .r').evaluateAll((all) => all.map((row) => row.dataset.name));
  assert.equal(ordered.length, 60);
  for (const share of [0, 0.4, 1]) {
    // In one go: the run goes on, and its page with it.
    const apart = await rows.evaluate((list, share) => {
      list.scrollTop = share * (list.scrollHeight - list.clientHeight);
      const { top, bottom } = list.getBoundingClientRect();
      const middle = (element) => {
        const box = element.getBoundingClientRect();
        return (box.top + box.bottom) / 2;
      };
      const seen = [...list.querySelectorAll('.r')].filter((row) => middle(row) > top && middle(row) < bottom);
      return seen.map((row) => Math.abs(middle(row.querySelector('.text')) - middle(row.querySelector('.bars'))));
    }, share);
    assert.ok(apart.length > 3, 'rows are in sight');
    assert.ok(Math.max(...apart) <= 1.5, `names and bars are apart by ${apart}`);
  }
  // One list holds names and bars: there is nothing that could scroll apart.
  const scrolls = await page.evaluate(() => {
    const able = (element) => element.scrollHeight > element.clientHeight + 1 && /auto|scroll/.test(getComputedStyle(element).overflowY);
    return [...document.querySelectorAll('.time, .time *')].filter(able).map((element) => element.className);
  });
  assert.ok(scrolls.length <= 1, `these scroll by themselves: ${scrolls}`);
  // Nor does it begin anew when the first task has run, and a critical path is told above it.
  await page.locator('.crit-words', { hasText: '→' }).waitFor();
  const kept = await rows.evaluate((list) => list === window.rows && list.scrollTop > 0);
  assert.ok(kept, 'the list is the same, and scrolled as it was');
  await world.cancel(run);
  await page.context().close();
});

test('a grid flickered and fetched again at each click', async () => {
  const run = runs.three;
  await world.until(run, 'succeeded');
  const page = await open(`/runs/${run}`);
  await page.locator('html[data-alive]').waitFor();
  await page.evaluate(() => {
    const watched = (window.watched = { gone: 0, shift: 0, parts: document.querySelectorAll('.dag *, .time *').length });
    for (const part of document.querySelectorAll('.dag .node, .time .r')) part.kept = true;
    const gone = (list) => list.forEach(({ removedNodes }) => (watched.gone += [...removedNodes].filter(({ nodeType }) => nodeType === 1).length));
    for (const frame of document.querySelectorAll('.dag, .time')) new MutationObserver(gone).observe(frame, { childList: true, subtree: true });
    new PerformanceObserver((list) => {
      for (const { value, sources } of list.getEntries()) if (sources.some(({ node }) => node?.parentElement?.closest('.tasks'))) watched.shift += value;
    }).observe({ type: 'layout-shift' });
  });
  const asked = [];
  page.on('request', (request) => asked.push(new URL(request.url()).pathname));
  for (const name of await page.locator('.dag .node').evaluateAll((all) => all.map((node) => node.dataset.name))) {
    asked.length = 0;
    await page.locator(`.dag .node[data-name="${name}"] rect`).first().click();
    await page.locator('.task-name', { hasText: name }).waitFor();
    assert.ok(asked.filter((path) => path.startsWith('/runs')).length <= 1, `one question at most: ${asked}`);
    assert.equal(asked.filter((path) => /executions/.test(path)).length, 0, String(asked));
  }
  const { gone, shift, parts } = await page.evaluate(() => window.watched);
  assert.equal(gone, 0, 'no part of graph or timeline was taken away and drawn again');
  assert.equal(shift, 0, 'nor moved');
  assert.ok(await page.evaluate(() => [...document.querySelectorAll('.dag .node, .time .r')].every((part) => part.kept)), 'they are the very same');
  assert.ok(parts > 20);
  await page.context().close();
});

test('a list fetched everything and paged in the browser', async () => {
  const filled = await demo;
  const page = await openPage(browser, filled.url, { state: await signedIn(filled) });
  // Since the last page began: the one before may have followed until then.
  const asked = [];
  page.on('request', (request) => {
    if (request.isNavigationRequest()) asked.length = 0;
    asked.push(new URL(request.url()).pathname);
  });
  await page.goto('/effectiveness?days=all');
  const all = Number((await page.innerText('.head')).match(/([\d,.]+) runs/)[1].replace(/\D/g, ''));
  assert.ok(all > 500, `${all} runs are there`);

  const seen = new Set();
  await page.goto('/runs');
  let pages = 0;
  const links = () => page.locator('.run-line h2 a').evaluateAll((all) => all.map((link) => link.getAttribute('href')));
  for (; pages < 4; pages += 1) {
    const here = await links();
    assert.ok(here.length > 10 && here.length <= 100, `${here.length} on a page`);
    for (const link of here) {
      assert.ok(!seen.has(link), `${link} is listed twice`);
      seen.add(link);
    }
    const [answer] = await Promise.all([page.waitForNavigation({ waitUntil: 'load' }), page.getByRole('link', { name: 'Next page' }).click()]);
    assert.match(page.url(), /cursor=/);
    const { length } = await answer.body();
    assert.ok(length < 250_000, `a page of ${length} bytes, before it is compressed`);
    await awake(page);
    assert.equal(asked.filter((path) => /^\/(runs|api\/v1\/executions)/.test(path)).length, 1, `one page, one question: ${asked}`);
  }

  // What is on none of these pages is found by the server, which looks at all of them.
  const old = await filled.api(await filled.token('viewer')).get('/api/v1/executions?limit=200&state=timed_out');
  const oldest = old.body.items.at(-1);
  assert.ok(!seen.has(`/runs/${oldest.id}`), 'it was not fetched before');
  await page.goto(`/runs?q=${encodeURIComponent(oldest.name)}`);
  assert.deepEqual(await links(), [`/runs/${oldest.id}`]);
  await page.context().close();
});

test('docs/pains.md names only tests that exist', async () => {
  const list = await readFile(new URL('../docs/pains.md', import.meta.url), 'utf8');
  const rows = list.split('\n').filter((line) => /^\| (?!What|-)/.test(line));
  assert.ok(rows.length > 25, `${rows.length} pains`);
  for (const row of rows) {
    const held = row.split(' | ').at(-1);
    const named = [...held.matchAll(/`([^`]+)`: \*([^*]+)\*/g)];
    assert.ok(named.length > 0, `no test: ${row}`);
    for (const [, file, title] of named) {
      const source = await readFile(new URL(`../${file}`, import.meta.url), 'utf8');
      const titles = source.split('\n').filter((line) => /^\s*(test\(|fn |async fn )/.test(line)).map((line) => line.replaceAll("\\'", "'"));
      assert.ok(titles.some((line) => line.includes(title)), `${file} has no test "${title}"`);
    }
  }
});
