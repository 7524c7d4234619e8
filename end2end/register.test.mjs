// Registering a playbook: judged while somebody types, nothing lost between form and document, a new version from an old one.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { answered, noteAnswers } from './lib/answers.mjs';
import { awake, openPage, signedIn } from './lib/browser.mjs';
import { stage } from './lib/stage.mjs';
import { World, seed } from './lib/world.mjs';

const CHECK = '/catalog/new/check';
const on = stage();
let console_, browser, state;
before(async () => {
  [console_, browser] = await Promise.all([on.console(), on.browser()]);
  const world = await World.of(console_);
  await world.register(await seed('hidden-oomkill-scale-down'));
  state = await signedIn(browser, console_.url);
});
after(on.close);

/** A page at `path`, alive; the test fails on anything that the browser complains about but the answers that say no. */
async function opened(path, { javascript = true, forgiven = [/status of 422/], routed } = {}) {
  const page = await openPage(browser, console_.url, { state, javascript, routed });
  if (javascript) await noteAnswers(page);
  await page.goto(path);
  if (javascript) await awake(page);
  page.done = async () => {
    assert.deepEqual(page.faults.filter((fault) => !forgiven.some((known) => known.test(fault))), []);
    await page.context().close();
  };
  return page;
}

/** Waits until the page has dealt with the judgement of a form in which this was sent. */
const judged = (page, sent) => answered(page, CHECK, new URLSearchParams(sent).toString());
const field = (page, name) => page.locator(`[name="${name}"]`);

test('a fault appears once a field has been left, follows what is typed, and never moves the caret', async () => {
  const page = await opened('/catalog/new');
  const error = page.locator('#f-workflow_id-error');
  await field(page, 'workflow_id').pressSequentially('Scale Down');
  await judged(page, { workflow_id: 'Scale Down' });
  assert.equal(await error.count(), 0, 'nobody is told off while still typing');
  await page.keyboard.press('Tab');
  await error.waitFor();
  assert.equal(await field(page, 'workflow_id').getAttribute('aria-invalid'), 'true');
  assert.equal(await field(page, 'workflow_id').getAttribute('aria-describedby'), 'f-workflow_id-error');
  assert.equal(await page.locator('#f-title-error, #f-version-error').count(), 0, 'what nobody has touched is not called wrong');
  assert.match(await page.locator('#review').innerText(), /Still to fill in: .*Title/s);

  // Into the middle, while an answer comes.
  await field(page, 'workflow_id').fill('scaledown');
  await field(page, 'workflow_id').evaluate((input) => input.setSelectionRange(5, 5));
  await page.keyboard.type('-');
  await judged(page, { workflow_id: 'scale-down' });
  await error.waitFor({ state: 'detached' });
  assert.equal(await field(page, 'workflow_id').getAttribute('aria-invalid'), null);
  assert.deepEqual(
    await field(page, 'workflow_id').evaluate((input) => [input.value, input.selectionStart, document.activeElement === input]),
    ['scale-down', 6, true],
  );
  await page.done();
});

test('an answer that comes late never overwrites a newer one, and a lost connection is silent', async () => {
  const page = await opened('/catalog/new', { forgiven: [/status of 422/, /ERR_FAILED/], routed: true });
  await field(page, 'title').fill('First');
  await page.keyboard.press('Tab');
  await page.locator('#review h3', { hasText: 'First' }).waitFor();
  // The next answer is held back until the one after it has come.
  let release;
  const held = new Promise((done) => (release = done));
  await page.route(`**${CHECK}`, async (route) => {
    if (route.request().postData().includes('title=Second')) await held;
    await route.continue();
  });
  const asked = page.waitForRequest(`**${CHECK}`);
  await field(page, 'title').fill('Second');
  await asked;
  await field(page, 'title').fill('Third');
  await page.locator('#review h3', { hasText: 'Third' }).waitFor();
  release();
  await judged(page, { title: 'Second' });
  assert.equal(await page.locator('#review h3').first().innerText(), 'Third');
  await page.unroute(`**${CHECK}`);

  await page.route(`**${CHECK}`, (route) => route.abort());
  await field(page, 'title').fill('Fourth');
  await judged(page, { title: 'Fourth' });
  assert.equal(await page.locator('#review h3').first().innerText(), 'Third');
  assert.equal(await field(page, 'title').inputValue(), 'Fourth');
  await page.unroute(`**${CHECK}`);
  await field(page, 'title').fill('Fifth');
  await page.locator('#review h3', { hasText: 'Fifth' }).waitFor();
  await page.done();
});

test('rows are added and removed in place: what was typed stays, and the focus follows', async () => {
  const page = await opened('/catalog/new');
  await page.evaluate(() => (window.same = true));
  await field(page, 'exposed.0.name').fill('FIRST');
  await page.locator('#exposed').getByRole('button', { name: 'Add a parameter' }).click();
  await field(page, 'exposed.1.name').waitFor();
  await page.waitForFunction(() => document.activeElement?.name === 'exposed.1.name');
  await page.keyboard.type('SECOND');
  await field(page, 'exposed.1.type').selectOption('integer');
  await page.locator('#review').getByText('SECOND', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Remove FIRST' }).click();
  await field(page, 'exposed.0.name').waitFor({ state: 'detached' });
  assert.equal(await field(page, 'exposed.1.name').inputValue(), 'SECOND');
  assert.equal(await field(page, 'exposed.1.type').inputValue(), 'integer');
  await page.waitForFunction(() => document.activeElement?.name === 'exposed.1.name');
  assert.ok(await page.evaluate(() => window.same), 'the page was not loaded anew');
  await page.done();
});

/** What no form has a field for, and what a line of text could not hold. */
async function odd() {
  const registration = await seed('hidden-oomkill-scale-down');
  registration.workflow_id = 'odd-one';
  registration.remediation_steps = ['Look', 'Then look again'];
  registration.description = 'One line.\n\nAnother, with "quotes" and: colons.';
  registration.labels = { signal_type: 'OOMKilled', tags: ['a, b', 'plain'] };
  registration.parameters.exposed[0].enum = ['Deployment', 'State, ful', 'Daemon"Set'];
  registration.parameters.exposed[0].tekton_mapping = `env.${registration.parameters.exposed[0].name}`;
  registration.parameters.exposed[2].required = false;
  registration.parameters.exposed.push({ name: 'WINDOW', type: 'integer', default: 5, examples: [5, 10], depends_on: { TARGET_RESOURCE_KIND: ['State, ful'] } });
  registration.parameters.hidden.push({ name: 'TOKEN', secret_ref: { name: 'git', key: 'token' } });
  return registration;
}

for (const javascript of [true, false]) {
  test(`nothing is lost between document and form, JavaScript ${javascript ? 'on' : 'off'}`, async () => {
    const registration = await odd();
    const page = await opened('/catalog/new?as=document', { javascript });
    const to = (name) => Promise.all([page.waitForNavigation(), page.getByRole('button', { name, exact: true }).click()]);
    await field(page, 'document').fill(JSON.stringify(registration));
    await to('Form');
    assert.equal(await field(page, 'exposed.0.name').inputValue(), registration.parameters.exposed[0].name);
    assert.match(await page.locator('.also-kept').innerText(), /remediation_steps[\s\S]*tekton_mapping/);
    await to('YAML');
    assert.match(await field(page, 'document').inputValue(), /^workflow_id: odd-one\n/);
    await to('Form');
    await field(page, 'title').fill('Changed in the form');
    await to('JSON');
    assert.deepEqual(JSON.parse(await field(page, 'document').inputValue()), { ...registration, title: 'Changed in the form' });
    await page.done();
  });
}

test('a file dropped on the page becomes the form', async () => {
  const registration = await odd();
  const page = await opened('/catalog/new');
  const dropped = await page.evaluateHandle((text) => {
    const carried = new DataTransfer();
    carried.items.add(new File([text], 'playbook.json', { type: 'application/json' }));
    return carried;
  }, JSON.stringify(registration));
  await Promise.all([page.waitForNavigation(), page.dispatchEvent('main', 'drop', { dataTransfer: dropped })]);
  assert.equal(await field(page, 'workflow_id').inputValue(), 'odd-one');
  assert.equal(await field(page, 'exposed.4.depends_on').inputValue(), 'TARGET_RESOURCE_KIND: "State, ful"');
  await page.done();
});

test('a new version starts from an old one, and what breaks is told while it is typed', async () => {
  const page = await opened('/catalog/oomkill-scale-down', { javascript: false });
  await page.getByRole('link', { name: 'New version from this one' }).click();
  const { pathname, search } = new URL(page.url());
  await page.done();

  const form = await opened(pathname + search);
  assert.equal(await field(form, 'version').inputValue(), '1.1.0');
  await form.locator('#review').getByText('Nothing changed yet').waitFor();
  await form.locator('#exposed-3 summary').click();
  await field(form, 'exposed.3.maximum').fill('200');
  await form.locator('#review').getByText('A compatible change').waitFor();
  await field(form, 'exposed.3.maximum').fill('20');
  await form.locator('#review').getByText('A breaking change').waitFor();
  assert.ok(await form.locator('#exposed-3 details').evaluate((folded) => folded.open), 'what was unfolded stays so');
  await form.getByRole('button', { name: 'Use 2.0.0' }).click();
  await form.waitForFunction(() => document.querySelector('[name=version]').value === '2.0.0');
  await form.getByRole('button', { name: 'Use 2.0.0' }).waitFor({ state: 'detached' });
  await Promise.all([form.waitForNavigation(), form.getByRole('button', { name: 'Register', exact: true }).click()]);
  assert.equal(new URL(form.url()).pathname, '/catalog/oomkill-scale-down');
  await form.getByRole('link', { name: 'What 2.0.0 changed since 1.0.0' }).click();
  assert.match(await form.locator('#compare').innerText(), /Breaking[\s\S]*most 20 instead of 100/);
  await form.done();
});
