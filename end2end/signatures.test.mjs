// Who signed an image: real images in a real registry, signed by cosign in both of its forms and by key and certificate, or not at all. What
// the console says of them by the wire and on its pages, and that a policy which asks for a signature lets nothing else pass.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { openPage, signIn } from './lib/browser.mjs';
import { builtCosign, workflow } from './lib/cosign.mjs';
import { stage } from './lib/stage.mjs';
import { World, seed } from './lib/world.mjs';

const programs = await builtCosign();
const there = { skip: programs ? false : 'there is no Go to build cosign with' };

const signedOnly = `name: signed-only
rules:
  - name: everything
    approvals: 1
    require_signature: true
`;

const on = stage();
let registry, images, console_, world, browser;
before(async () => {
  if (!programs) return;
  [registry, browser] = await Promise.all([on.registry(programs), on.browser()]);
  images = {};
  for (const name of ['unsigned', 'other', 'release', 'bundle', 'certificate', 'certificate-bundle']) images[name] = await registry.image(name);
  await registry.sign(images.other, 'other');
  await registry.sign(images.release, 'release');
  await registry.sign(images.bundle, 'release', '--new-bundle-format');
  await registry.sign(images.certificate, 'leaf', ...registry.certified);
  await registry.sign(images['certificate-bundle'], 'leaf', '--new-bundle-format', ...registry.certified);
  const directory = await on.directory();
  await writeFile(join(directory, 'policy.yaml'), signedOnly);
  const env = { KUBERNAUT_SIGNATURES_FILE: await registry.trust(), KUBERNAUT_POLICY_FILE: join(directory, 'policy.yaml') };
  console_ = await on.console({ env });
  world = await World.of(console_);
});
after(on.close);

const key = { by: 'key', name: 'release' };
const identity = { by: 'identity', ...workflow };

/** Registers the seed's playbook with this image under that id; resolves to its version as the catalog has it. */
async function registered(id, image) {
  await world.register(await seed('hidden-oomkill-scale-down'), { workflow_id: id, container_image: image });
  const { status, body } = await world.author.get(`/api/v1/playbooks/${id}/versions/1.0.0`);
  assert.equal(status, 200);
  return body;
}

/** Steps by hand, one for each image, with the ticket that a second operator makes of them. */
async function proposed(...of) {
  const steps = of.map((image, place) => ({ name: `step-${place}`, actionType: 'kubernetes/scale', image, inputs: { namespace: 'production', deployment: `app-${place}` } }));
  const { id } = await world.propose({ workflowType: 'signatures', reason: 'to see who signed', steps });
  const { status, body } = await world.second.post(`/api/v1/recommendations/${id}/tickets`, { strategy: 0 });
  assert.equal(status, 201, JSON.stringify(body));
  const decide = () => world.second.post(`/api/v1/recommendations/${id}/decisions`, { decision: 'approve', strategy: 0, ticket_digest: body.digest, reason: 'it fits' });
  return { id, ticket: body, decide };
}

test('a playbook says who signed its image', there, async () => {
  for (const [name, signed, state, signer] of [
    ['release', true, 'verified', key],
    ['bundle', true, 'verified', key],
    ['certificate', true, 'verified', identity],
    ['certificate-bundle', true, 'verified', identity],
    ['other', false, 'untrusted', null],
    ['unsigned', false, 'missing', null],
  ]) {
    const version = await registered(name, images[name]);
    assert.deepEqual([version.signed, version.signature.state, version.signature.signer], [signed, state, signer], `${name}: ${JSON.stringify(version.signature)}`);
    assert.ok(version.signature.checked_at);
  }
  const elsewhere = await registered('elsewhere', 'quay.io/kubernaut/playbook:v1');
  assert.equal(elsewhere.signed, null);
  assert.match(elsewhere.signature.detail, /quay\.io is not among the registries/);
});

test('the same is on its page and on the ticket of each action', there, async () => {
  await registered('on-a-page', images.certificate);
  const page = await openPage(browser, console_.url);
  await signIn(page);
  await page.goto('/catalog/on-a-page');
  const main = () => page.locator('main').innerText();
  assert.ok((await main()).includes(`by ${workflow.subject} (${workflow.issuer})`));
  const { id, ticket } = await proposed(images.bundle, images.unsigned);
  assert.equal(ticket.signature, 'missing');
  assert.deepEqual(ticket.images.map(({ image, state }) => [image, state]), [[images.bundle, 'verified'], [images.unsigned, 'missing']]);
  assert.deepEqual(ticket.warnings, [`The image ${images.unsigned} is not signed.`]);
  await page.goto(`/recommendations/${id}`);
  assert.match(await main(), /by key release[^]*Not signed/);
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

test('a policy that asks for a signature lets nothing pass that nobody could verify', there, async () => {
  const nowhere = 'quay.io/kubernaut/scale:v1';
  for (const [of, why] of [
    [[images.unsigned], /what runs is not signed/],
    [[images.other], /nobody trusted signed what runs/],
    [[images.release, images.unsigned], /what runs is not signed/],
    [[nowhere], /nobody could check who signed what runs/],
  ]) {
    const { ticket, decide } = await proposed(...of);
    assert.equal(ticket.policy.grant, 'never');
    assert.match(ticket.policy.explanation, why);
    const refused = await decide();
    assert.equal(refused.status, 403, JSON.stringify(refused.body));
  }
  const { ticket, decide } = await proposed(images.release, images.certificate);
  assert.equal(ticket.signature, 'verified');
  const ran = ticket.content.plan.steps.map(({ image }) => image);
  assert.deepEqual(ran, [images.release, images.certificate], 'what was verified is what would run, by digest');
  assert.equal((await decide()).status, 200);
});

test('other settings, other trust: what was known is forgotten at the start', there, async () => {
  const dataDir = await on.directory();
  const start = async (changes) => on.console({ dataDir, env: { KUBERNAUT_SIGNATURES_FILE: await registry.trust(changes) } });
  const first = await start();
  world = await World.of(first);
  assert.equal((await registered('kept', images.release)).signature.state, 'verified');
  await first.stop();
  const second = await start({ keys: [{ name: 'others', file: 'other.pub' }] });
  const author = second.api(await second.token('author', 'again'));
  const state = async () => (await author.get('/api/v1/playbooks/kept/versions/1.0.0')).body.signature.state;
  const end = Date.now() + 20_000;
  let now = await state();
  while (now === 'unknown' && Date.now() < end) now = await state();
  assert.equal(now, 'untrusted', 'it was looked at again at once');
});
