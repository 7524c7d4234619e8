// Pages that follow what they show, in a real Chromium: what others got wrong about it, one test each.
import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { answered, noteAnswers } from './lib/answers.mjs';
import { openPage, press, signedIn, signIn } from './lib/browser.mjs';
import { endless, talkOn } from './lib/chatty.mjs';
import { stage } from './lib/stage.mjs';
import { watchStreams } from './lib/streams.mjs';
import { seed, until, World } from './lib/world.mjs';

const on = stage();
let browser, console_, world, playbook, state;

before(async () => {
  [browser, console_, playbook] = await Promise.all([on.browser(), on.console(), seed('hidden-oomkill-scale-down')]);
  world = await World.of(console_);
  await world.register(playbook);
  await world.register(endless);
  state = await signedIn(browser, console_.url);
});
after(on.close);

/** A page of somebody signed in. It has not been loaded again for as long as it is `marked`. */
async function open(path, options = {}) {
  const page = await openPage(browser, console_.url, { state, ...options });
  page.streams = watchStreams(page.context());
  await noteAnswers(page);
  await visit(page, path);
  return page;
}

async function visit(page, path) {
  await page.goto(path);
  await page.evaluate(() => (window.marked = true));
}

const marked = (page) => page.evaluate(() => window.marked === true);
const row = (page, { id }) => page.locator(`main a[href^="/recommendations/${id}"]`).first();
/** Waits until the page hears what happens: then something that happened is shown. */
const live = (page) => until('the stream', () => page.streams.open().length > 0);

test('twelve tabs do not starve the browser of connections: they share one stream, and all of them follow', async () => {
  const first = await open('/approvals');
  const [context, streams] = [first.context(), first.streams];
  const paths = ['/', '/approvals', '/approvals?state=any', '/catalog'];
  const others = [];
  for (let n = 0; n < 11; n += 1) {
    const page = await context.newPage();
    await visit(page, paths[n % paths.length]);
    others.push(page);
  }
  const tabs = [first, ...others];
  const shown = (page, waiting) => page.locator('#waiting .n').filter({ hasText: `${waiting} waiting` }).waitFor();
  await world.recommend('inc-tabs-1');
  await Promise.all(tabs.map((page) => shown(page, 1)));
  assert.equal(streams.open().length, 1, 'twelve tabs that follow, one stream');

  const [leader] = streams.open();
  await leader.close();
  const left = tabs.filter((page) => page !== leader);
  await world.recommend('inc-tabs-2');
  await Promise.all(left.map((page) => shown(page, 2)));
  assert.equal(streams.open().length, 1, 'the stream was handed over');
  assert.notEqual(streams.open()[0], leader);
  for (const page of left) assert.ok(await marked(page), 'nothing was loaded again');
  await context.close();
});

test('a tab that nobody looks at holds nothing, and catches up when it is looked at', async () => {
  const page = await open('/approvals');
  await live(page);
  await look(page, 'hidden');
  await until('no stream', () => page.streams.open().length === 0);
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  // Another tab of the same browser hears it, and what comes after it.
  const other = await page.context().newPage();
  await visit(other, '/approvals');
  const came = await world.recommend('inc-asleep');
  await row(other, came).waitFor();
  const next = await world.recommend('inc-asleep-still');
  await row(other, next).waitFor();
  assert.deepEqual(asked, [], 'it sleeps');
  assert.equal(await row(page, came).count(), 0);
  await other.close();
  await look(page, 'visible');
  await row(page, came).waitFor();
  assert.ok(await marked(page));
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

/** Puts a tab aside, or looks at it again. */
async function look(page, visibility) {
  await page.evaluate((word) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => word });
    document.dispatchEvent(new Event('visibilitychange'));
  }, visibility);
}

test('the clock of a deadline is set anew when somebody comes back: by then it may have stood still, or run on', async () => {
  const came = await world.recommend('inc-clock');
  const context = (await openPage(browser, console_.url, { state })).context();
  await context.addInitScript(() => {
    // How far this page's even clock, and the one on the wall, are from those that the server goes by.
    window.apart = { even: 0, wall: 0 };
    const even = performance.now.bind(performance);
    const wall = Date.now;
    performance.now = () => even() + window.apart.even;
    Date.now = () => wall() + window.apart.wall;
  });
  const page = await context.newPage();
  for (const path of [`/recommendations/${came.id}`, '/approvals']) {
    await page.goto(path);
    await page.locator('#palette[data-alive]').waitFor({ state: 'attached' });
    const told = page.locator(`main [data-until="${Date.parse(came.expires_at)}"]`).first();
    const minutes = async () => {
      const [, hours = 0, minutes = 0] = /(?:(\d+)h ?)?(?:(\d+)m)/.exec(await told.textContent()) ?? [];
      return Number(hours) * 60 + Number(minutes);
    };
    const truth = () => Math.floor((Date.parse(came.expires_at) - Date.now()) / 60_000);
    await until('the right countdown', async () => Math.abs((await minutes()) - truth()) <= 1);
    await look(page, 'hidden');
    await page.evaluate(() => (window.apart = { even: 240_000, wall: 240_000 }));
    await until('a wrong countdown', async () => truth() - (await minutes()) >= 3);
    await look(page, 'visible');
    await until('the right countdown again', async () => Math.abs((await minutes()) - truth()) <= 1);
  }
  await context.close();
});

test('after a lost connection nothing is stuck: it says so, catches up without a reload, and is quiet again', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'kubernaut-live-'));
  const once = await on.console({ dataDir });
  const { host } = new URL(once.url);
  try {
    const other = await World.of(once);
    await other.register(playbook);
    const page = await openPage(browser, once.url);
    await signIn(page);
    page.streams = watchStreams(page.context());
    await visit(page, '/approvals');
    await live(page);
    const said = page.locator('.live-bar');
    assert.equal((await said.innerText()).trim(), '', 'nothing is said while all is well');

    await once.stop();
    await said.getByText('Reconnecting').waitFor();
    assert.match(await said.innerText(), /^Reconnecting, last event (just now|\d+s ago)$/);
    const again = await on.console({ dataDir, listen: host });
    const came = await other.recommend('inc-after-the-restart');
    await row(page, came).waitFor();
    await said.getByText('Reconnecting').waitFor({ state: 'hidden' });
    await until('it to be quiet again', async () => (await said.innerText()).trim() === '');
    assert.ok(await marked(page), 'without a reload');
    await again.stop();
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});

test('a finished run does not go back to running, however late an older answer comes', async () => {
  const id = await talkOn(world, 'inc-backwards');
  const page = await open(`/runs/${id}`, { routed: true });
  const shown = page.locator('#run .head .state').first();
  await page.locator('.live-word.on').waitFor();
  await shown.and(page.getByText('Running')).waitFor();
  const old = await page.evaluate(async () => (await fetch(location.href, { headers: { 'kubernaut-part': 'page' } })).text());
  await world.cancel(id);
  await shown.and(page.getByText('Cancelled')).waitFor();
  await page.locator('.live-word.on').waitFor({ state: 'hidden' });
  assert.equal(await page.getByText('Live', { exact: true }).count(), 0, 'what has ended is not live');

  // Whoever goes back to this address gets what was so before.
  await page.route('**/runs/*?late=1', (route) => route.fulfill({ body: old, contentType: 'text/html' }));
  await page.evaluate(() => {
    window.states = [];
    const look = () => window.states.push(document.querySelector('#run .head .state').textContent.trim());
    look();
    new MutationObserver(look).observe(document.querySelector('#main'), { subtree: true, childList: true, characterData: true });
    history.replaceState(null, '', '?late=1');
    dispatchEvent(new PopStateEvent('popstate'));
  });
  await answered(page, '?late=1');
  assert.deepEqual(await page.evaluate(() => [...new Set(window.states)]), ['Cancelled']);
  assert.ok(await marked(page));
  await page.context().close();
});

test('a decision made elsewhere does not stay listed as pending, and its page does not stay open to be decided', async () => {
  const taken = await world.recommend('inc-elsewhere');
  const left = await world.recommend('inc-not-decided');
  const several = `/approvals/review?id=${taken.id}&id=${left.id}`;
  const tabs = [await open('/approvals'), await open('/'), await open(`/recommendations/${taken.id}`), await open(several)];
  const [inbox, overview, page, review] = tabs;
  await Promise.all([row(inbox, taken).waitFor(), row(overview, taken).waitFor(), ...tabs.map(live)]);
  await page.fill('[name=reason]', 'It waits for the\nroll-out to end.');
  await page.focus('[name=reason]');
  for (const { id } of [taken, left]) await review.check(`[name="take.${id}"]`);
  await review.fill('[name=reason]', 'read both');

  await world.reject(taken, 'the node is being drained anyway');
  const gone = (tab) => row(tab, taken).waitFor({ state: 'detached' });
  await Promise.all([gone(inbox), gone(overview), page.locator('#decide').waitFor({ state: 'detached' })]);
  await review.locator(`[name="take.${taken.id}"]`).waitFor({ state: 'detached' });
  assert.match(await review.innerText(`#review-${taken.id}`), /Rejected[\s\S]*m\.okafor/);
  assert.ok(await review.isChecked(`[name="take.${left.id}"]`), 'the other one stays ticked');
  assert.equal(await review.inputValue('[name=reason]'), 'read both');
  assert.match(await review.innerText('h1'), /Review one decision/);
  assert.match(await page.innerText('main .head'), /Rejected[\s\S]*m\.okafor/, 'it says what was decided and by whom');
  const told = page.getByRole('alert');
  assert.match(await told.innerText(), /decided or closed elsewhere/);
  assert.match(await told.innerText(), /Reason\s+It waits for the\nroll-out to end\./, 'what was typed is not lost');
  for (const tab of tabs) {
    assert.ok(await marked(tab));
    assert.deepEqual(tab.faults, []);
    await tab.context().close();
  }
});

test('what somebody is typing is not swept away when something else changes', async () => {
  const mine = await world.recommend('inc-typing');
  const page = await open(`/recommendations/${mine.id}`);
  await page.locator('#ticket summary', { hasText: 'Edit parameters' }).click();
  await page.fill('[name="p.SCALE_TARGET_REPLICAS"]', '3');
  await page.fill('[name=reason]', 'half a sent');
  const before = await event(page);
  await world.register(await seed('oomkill-increase-memory'));
  await until('the page to be shown anew', async () => (await event(page)) > before);
  assert.equal(await page.inputValue('[name=reason]'), 'half a sent');
  assert.equal(await page.inputValue('[name="p.SCALE_TARGET_REPLICAS"]'), '3');
  assert.equal(await page.evaluate(() => document.activeElement.name), 'reason');
  assert.equal(await page.locator('.told').count(), 0);
  await page.keyboard.type('ence');
  assert.equal(await page.inputValue('[name=reason]'), 'half a sentence');
  await page.context().close();
});

const event = async (page) => Number(await page.locator('#main').getAttribute('data-event'));

test('a ticket does not change under the eyes of who judges it', async () => {
  const mine = await world.recommend('inc-ticket');
  const page = await open(`/recommendations/${mine.id}`);
  const several = await open(`/approvals/review?id=${mine.id}`);
  await several.check(`[name="take.${mine.id}"]`);
  const digest = await page.inputValue('[name=ticket_digest]');
  assert.equal(await several.inputValue(`[name="ticket.${mine.id}"]`), digest);
  // What it says; a copy button that comes alive changes the white space beside it.
  const read = async () => (await page.innerText('#ticket .read')).replace(/\s+/g, ' ');
  const text = await read();
  await page.fill('[name=reason]', 'as I read it');
  const status = (word) => world.author.post('/api/v1/playbooks/oomkill-scale-down/versions/1.0.0/status', { status: word, reason: 'under review' });
  assert.equal((await status('disabled')).status, 200);
  await page.getByRole('alert').getByText('The ticket has changed').waitFor();
  assert.equal(await page.inputValue('[name=ticket_digest]'), digest);
  assert.equal(await read(), text);
  assert.equal(await page.inputValue('[name=reason]'), 'as I read it');
  await several.getByRole('alert').getByText('The ticket has changed').waitFor();
  assert.equal(await several.inputValue(`[name="ticket.${mine.id}"]`), digest, 'nor among several');
  assert.ok(await several.isChecked(`[name="take.${mine.id}"]`));
  const answers = [await press(page, 'Approve'), await press(several, 'Approve ticked')];
  await status('active');
  assert.deepEqual(answers.map((answer) => answer.status()), [409, 409], 'and what is no longer so is not approved');
  await Promise.all([page, several].map((one) => one.context().close()));
});

test('a form that came back keeps saying what is wrong with it, and tells when something has changed', async () => {
  const mine = await world.recommend('inc-came-back');
  const page = await open(`/recommendations/${mine.id}`);
  await live(page);
  // What the page before had open is over by then.
  const follows = page.waitForRequest('**/api/v1/events?**');
  await press(page, 'Reject');
  await page.locator('#f-reason-error').waitFor();
  await page.fill('[name=reason]', 'now with a reason');
  await follows;
  await world.reject(mine, 'somebody was quicker');
  const told = page.getByRole('alert').filter({ hasText: 'Something here has changed' });
  await told.waitFor();
  assert.equal(await page.inputValue('[name=reason]'), 'now with a reason');
  await Promise.all([page.waitForNavigation(), told.getByRole('link').click()]);
  assert.match(await page.innerText('main .head'), /Rejected/);
  await page.context().close();
});

test('who has signed out in another tab is told that this one is not kept up to date any more', async () => {
  const page = await openPage(browser, console_.url);
  await signIn(page);
  await visit(page, '/approvals');
  const other = await page.context().newPage();
  await other.goto('/approvals');
  await other.getByRole('button', { name: 'Sign out' }).click();
  await other.waitForURL('**/login');
  await page.locator('.live-bar').getByText('Not kept up to date any more').waitFor({ timeout: 30_000 });
  await Promise.all([page.waitForURL(/\/login/), page.locator('.live-bar a').click()]);
  await page.context().close();
});

test('without JavaScript the page of a run says that it does not refresh by itself', async () => {
  const steps = await world.approve(await world.propose(await seed('workflow-execution-spec')));
  const plain = await openPage(browser, console_.url, { state, javascript: false });
  await plain.goto(`/runs/${steps}`);
  assert.match(await plain.innerText('#run .live'), /This page does not refresh by itself\./);
  await plain.getByRole('link', { name: 'Reload' }).waitFor();
  await plain.context().close();
});
