// Pages that nobody wants to see and everybody does: what was refused, what ended badly, what is cut off, what is empty. Each on a
// console of its own kind, since what leads there would spoil any other.
import { readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { press, signedIn } from './browser.mjs';
import { admin } from './console.mjs';
import { shown } from './showcase.mjs';
import { seed, until, World } from './world.mjs';

/** Starts what is needed on the `stage`; resolves to the pages, in the form of showcase.mjs. */
export async function troubles(on, browser) {
  const kinds = [refused(on, browser), ended(on, browser), broken(on, browser), untold(on, browser), empty(on, browser)];
  return (await Promise.all(kinds)).flat();
}

/** Pages of one console, as somebody who is signed in sees them. */
const of = ({ url }, state, pages) => pages.map(shown).map((page) => ({ url, state, ...page }));

/** Refusals, a status each, and a page whose stream is lost. */
async function refused(on, browser) {
  const console_ = await on.console({ args: ['--recent-sign-in', '10s'] });
  const world = await World.of(console_);
  await world.register(await seed('hidden-oomkill-scale-down'));
  const { id } = await world.recommend('inc-refused');
  const grave = await world.recommend('inc-grave', { strategy: { estimated_risk: 'high' } });
  const done = await world.recommend('inc-decided');
  const run = await world.approve(done);
  await world.until(run, 'succeeded');
  const state = await signedIn(browser, console_.url);
  const old = sleep(11_000);
  const viewer = await signedIn(browser, console_.url, await console_.user('vera', 'viewer'));
  const demoted = await signedIn(browser, console_.url, await console_.user('nora', 'operator'));
  const reject = async (page) => {
    await page.fill('[name=reason]', 'The node is being drained.');
    return press(page, 'Reject');
  };
  return of(console_, state, [
    ['login', '/login', { state: null }],
    ['login-refused', '/login', { state: null, status: 401, act: (page) => signInWith(page, 'wrong') }],
    ['login-too-often', '/login', { state: null, status: 429, act: tooOften }],
    ['sign-in-again', `/recommendations/${grave.id}`, {
      status: 403,
      act: async (page) => {
        await page.fill('[name=confirm]', 'my-app');
        await old;
        return press(page, 'Approve (1 of 2)');
      },
    }],
    ['error-401', `/recommendations/${id}`, {
      status: 401,
      act: async (page) => {
        await page.context().clearCookies();
        return reject(page);
      },
    }],
    ['error-403', '/audit', { state: viewer, status: 403 }],
    ['error-403-act', `/recommendations/${id}`, {
      state: demoted,
      status: 403,
      act: async (page) => {
        await console_.run('user', 'set-role', 'nora', '--role', 'viewer');
        const answer = await reject(page);
        await console_.run('user', 'set-role', 'nora', '--role', 'operator');
        return answer;
      },
    }],
    ['error-405', '/logout', { status: 405 }],
    ['error-409', `/runs/${run}`, { status: 409, act: (page) => send(page, `/runs/${run}/cancel`, { reason: 'too late' }) }],
    ['error-413', '/catalog/new?as=document', {
      status: 413,
      act: async (page) => {
        await page.fill('[name=document]', ' '.repeat(300 * 1024));
        return press(page, 'Register');
      },
    }],
    ['reconnecting', '/approvals', {
      faults: /\/api\/v1\/events|ERR_FAILED/,
      act: async (page) => {
        await page.route('**/api/v1/events*', (route) => route.abort());
        await page.reload();
        await page.locator('.live-bar').getByText('Reconnecting').waitFor();
      },
    }],
  ]);
}

async function signInWith(page, password) {
  await page.fill('[name=username]', admin.username);
  await page.fill('[name=password]', password);
  const answer = await press(page, 'Sign in');
  await page.getByRole('alert').waitFor();
  return answer;
}

/** Guesses until the console has had enough of it, under a name that nobody else needs. */
async function tooOften(page) {
  for (;;) {
    await page.fill('[name=username]', 'somebody-who-guesses');
    await page.fill('[name=password]', 'a guess');
    const answer = await press(page, 'Sign in');
    if (answer.status() !== 401) return answer;
    page.faults.length = 0;
  }
}

/** Sends a form that the page does not have (any more), as one that was opened earlier would. */
async function send(page, action, fields) {
  const [answer] = await Promise.all([
    page.waitForNavigation(),
    page.evaluate(([action, fields]) => {
      const form = Object.assign(document.createElement('form'), { method: 'post', action });
      for (const [name, value] of Object.entries(fields)) form.append(Object.assign(document.createElement('input'), { name, value }));
      document.body.append(form);
      form.submit();
    }, [action, fields]),
  ]);
  return answer;
}

/** Ends that nobody ordered: nobody decided in time, a run took too long, a run's cluster forgot it. */
async function ended(on, browser) {
  const dataDir = await on.directory();
  const options = { dataDir, args: ['--approval-ttl', '10s'] };
  const once = await on.console(options);
  const world = await World.of(once);
  const scaleDown = await seed('hidden-oomkill-scale-down');
  const wait = {
    workflow_id: 'wait-a-second',
    version: '0.1.0',
    title: 'Wait a second',
    description: 'Waits as long as it is told and changes nothing.',
    container_image: 'quay.io/kubernaut/playbook-sleep:v1',
    parameters: [{ name: 'SLEEP_SECONDS', description: 'How long to wait', type: 'integer', required: true, minimum: 1 }],
  };
  await world.register(scaleDown);
  await world.register({ ...wait, execution: { timeout: '2s' } });
  await world.register({ ...wait, workflow_id: 'wait-for-long' });
  const [strategy] = (await seed('recommendation')).strategies;
  const run = async (workflow_id) =>
    world.approve(await world.recommend(`inc-${workflow_id}`, { strategies: [{ ...strategy, workflow_id, parameters: { SLEEP_SECONDS: 3600 } }] }));
  const late = await run('wait-a-second');
  const lost = await run('wait-for-long');
  await Promise.all([world.until(late, 'timed_out'), world.until(lost, 'running')]);
  // The sandbox lives in the console: with it, all of its cluster goes.
  await once.stop();
  const again = await on.console({ ...options, listen: new URL(once.url).host });
  await world.until(lost, 'lost');
  const { id } = await world.recommend('inc-expired');
  await until('it to expire', async () => (await world.first.get(`/api/v1/recommendations/${id}`)).body.state === 'expired');
  const state = await signedIn(browser, again.url);
  return of(again, state, [
    ['recommendation-expired', `/recommendations/${id}`],
    ['approvals-closed', '/approvals?state=any'],
    ['run-timed-out', `/runs/${late}`],
    ['run-lost', `/runs/${lost}`],
    ['runs-ended', '/runs'],
  ]);
}

/** A database that can't be read, and one that holds nonsense where the catalog was written, after somebody had signed in. */
async function broken(on, browser) {
  const pages = [['error-503', 503, (file) => truncate(file)], ['error-500', 500, garble]].map(async ([name, status, spoil]) => {
    const console_ = await on.console();
    const world = await World.of(console_);
    const state = await signedIn(browser, console_.url);
    const [log] = (await readdir(console_.dataDir)).filter((file) => file.endsWith('-wal')).map((file) => join(console_.dataDir, file));
    const { size } = await stat(log);
    // What was written last is in no connection's memory but the one's that wrote it.
    await world.register(await seed('hidden-oomkill-scale-down'));
    await spoil(log, size);
    return of(console_, state, [[name, '/catalog', { status, faults: /\/api\/v1\/events/ }]]);
  });
  return (await Promise.all(pages)).flat();
}

/** Overwrites what SQLite's write-ahead log holds from this size on (https://sqlite.org/walformat.html), but not a database's first page. */
async function garble(file, from) {
  const log = await readFile(file);
  const page = log.readUInt32BE(8);
  for (let frame = from; frame < log.length; frame += 24 + page) if (log.readUInt32BE(frame) !== 1) log.fill(0xff, frame + 24, frame + 24 + page);
  await writeFile(file, log, { flag: 'r+' });
}

/** Receivers of notifications: one takes what it is told, one is not there. */
async function untold(on, browser) {
  const hears = createServer((_, answer) => answer.writeHead(204).end()).unref();
  await new Promise((done) => hears.listen(0, '127.0.0.1', done));
  const directory = await on.directory();
  const receiver = (name, port, more) =>
    `[[receiver]]\nname = "${name}"\nurl = "http://127.0.0.1:${port}/hook"\nsecret-file = "secret"\n${more}\n`;
  const file = join(directory, 'receivers.toml');
  await writeFile(join(directory, 'secret'), 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw');
  await writeFile(file, receiver('oncall-chat', hears.address().port, '') + receiver('pager-of-the-other-team-with-a-long-name', 9, 'severities = ["high", "critical"]'));
  const console_ = await on.console({ args: ['--notify-file', file, '--notify-allow-private', 'on', '--notify-attempts', '1'] });
  const world = await World.of(console_);
  await world.recommend('inc-untold');
  const auditor = console_.api(await console_.token('auditor'));
  for (const state of ['dead', 'delivered']) {
    await until(`one to be ${state}`, async () => (await auditor.get(`/api/v1/notifications?state=${state}`)).body.items.length === 1);
  }
  const state = await signedIn(browser, console_.url);
  return of(console_, state, [
    ['notifications', '/settings/notifications?done=tested'],
    ['notifications-refused', '/settings/notifications', {
      status: 404,
      act: (page) => send(page, '/settings/notifications/new_none.oncall-chat/discard', { nothing: '' }),
    }],
  ]);
}

/** Places with nothing in them; each offers the next step. */
async function empty(on, browser) {
  const console_ = await on.console();
  const state = await signedIn(browser, console_.url);
  const act = async (page) => {
    await page.locator('main .empty a').first().waitFor();
  };
  const places = { overview: '/', approvals: '/approvals', runs: '/runs', catalog: '/catalog', effectiveness: '/effectiveness' };
  return of(console_, state, Object.entries(places).map(([name, path]) => [`empty-${name}`, path, { act }]));
}
