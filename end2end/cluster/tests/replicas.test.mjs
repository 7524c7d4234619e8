// Two consoles on one PostgreSQL and one cluster: both serve pages and live events and take decisions; one of them acts, and when it is killed the
// other does within 15 s. Nothing runs twice.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { stage } from '../../lib/stage.mjs';
import { World, until } from '../../lib/world.mjs';
import { page, playbook, proposed, ranOnce } from './lib/bench.mjs';
import { namespace } from './lib/namespace.mjs';
import { root } from './lib/places.mjs';
import { startProxy } from './lib/proxy.mjs';

const postgres = join(root, 'scripts/postgres');
const roles = { author: 'h.weiss', propose: 'holmesgpt', operator: 'a.lindqvist', admin: 'n.sato' };
const on = stage();
let home, directory, url, tokens;
/** The two: `{console, proxy, world, admin}`. */
const replicas = [];

before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubernaut-replicas-'));
  await chmod(directory, 0o711);
  const start = promisify(execFile)(postgres, ['start', join(directory, 'postgres')]);
  home = await namespace('replicas');
  url = (await start).stdout.trim();
  // One after the other: the first makes the tables and acts.
  for (const n of [0, 1]) {
    replicas.push({ proxy: await startProxy({ as: `${home.name}/kubernaut-console` }), dataDir: await on.directory() });
    await begin(replicas[n]);
    if (n === 0) await acts(replicas[0]);
  }
  await replicas[0].world.register(playbook());
});

after(async () => {
  await on.close();
  await Promise.all(replicas.map(({ proxy }) => proxy.close()));
  await promisify(execFile)(postgres, ['stop', join(directory, 'postgres')]);
  await rm(directory, { recursive: true, force: true });
  await home?.remove();
});

/** Starts one of the two, at the address that it had. */
async function begin(replica) {
  const KUBECONFIG = await replica.proxy.kubeconfig(join(replica.dataDir, 'kubeconfig'));
  const listen = replica.console && new URL(replica.console.url).host;
  // One trail, one file with its keys.
  const KUBERNAUT_AUDIT_KEY_FILE = join(replicas[0].dataDir, 'audit.keys');
  const env = { KUBECONFIG, KUBERNAUT_DATABASE_URL: url, KUBERNAUT_AUDIT_KEY_FILE };
  const console_ = await on.console({ args: home.args, env, dataDir: replica.dataDir, listen });
  tokens ??= Object.fromEntries(await Promise.all(Object.entries(roles).map(async ([role, name]) => [role, await console_.token(role, name)])));
  const as = (role) => console_.api(tokens[role]);
  const world = new World({ author: as('author'), model: as('propose'), first: as('operator'), second: as('operator') });
  Object.assign(replica, { console: console_, world, admin: as('admin') });
}

async function kill({ console: console_ }) {
  process.kill(console_.pid, 'SIGKILL');
  await console_.stop();
}

/** Waits until it acts: then it watches what there is to watch. */
const acts = ({ proxy }, seconds) => until('it to act', () => proxy.watched().length === 6, seconds);

/** Waits until its page says that it stands by; resolves to who acts then, as it says. */
const standsBy = ({ admin }) => until('it to stand by', async () => {
  const { body } = await admin.get('/settings/cluster');
  return body.match(/([\w.-]+_[0-9a-f]{8}) acts\. This console serves pages, and takes over within 15 s when that one ends\./)?.[1];
});

/** What was asked of the cluster, by either. */
const both = () => ({ calls: replicas.flatMap(({ proxy }) => proxy.calls) });

/** The milliseconds from an approval to the creation of its PipelineRun, by whichever console. */
async function approved(replica, incident, options) {
  const run = await proposed(replica.world, incident, options);
  const id = await run.approve();
  const decided = Date.now();
  const made = await until('its PipelineRun to be made', () => both().calls.find((call) => call.verb === 'create' && call.kind === 'pipelineruns' && call.name === run.name));
  return { ...run, id, ms: made.at - decided };
}

/** What an event stream of a console says, from now on. */
async function listening({ console: console_ }) {
  const response = await fetch(`${console_.url}/api/v1/events`, { headers: { authorization: `Bearer ${tokens.operator}` } });
  assert.equal(response.status, 200);
  let text = '';
  const reading = (async () => {
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) text += chunk;
  })().catch(() => {});
  await until('the stream to begin', () => /^event: snapshot$/m.test(text));
  return {
    hears: (id, state) => until(`a stream to tell that ${id} ${state}`, () => text.split('\n\n').some((event) => event.includes(id) && event.includes(`"${state}"`))),
    reading,
  };
}

test('one acts, both serve; what is decided at the one that stands by starts within 2 s', async () => {
  const [acting, standby] = replicas;
  const { spec } = await home.get('lease', 'kubernaut-console');
  assert.equal(await standsBy(standby), spec.holderIdentity);
  assert.equal((await standby.admin.get('/readyz')).status, 200);
  const streams = await Promise.all(replicas.map(listening));
  const run = await approved(standby, 'inc-standby', { seconds: 1 });
  console.log(`from an approval at the standby to its PipelineRun: ${run.ms} ms`);
  assert.ok(run.ms < 2000, `${run.ms} ms`);
  await ranOnce({ ...standby, home, proxy: both() }, run.id);
  for (const stream of streams) await stream.hears(run.id, 'succeeded');
  for (const { world } of replicas) assert.deepEqual(await page(world, run.id), { state: 'Succeeded', why: [] });
  assert.equal(standby.proxy.calls.filter((call) => ['create', 'patch'].includes(call.verb)).length, 0, 'who stands by changes nothing');
  assert.deepEqual(standby.proxy.watched(), []);
  assert.equal(acting.proxy.watched().length, 6);
});

test('when the one that acts is killed, the other does within 15 s, and ends what ran', async () => {
  const [first, second] = replicas;
  const running = await approved(second, 'inc-taken-over', { seconds: 20 });
  await until('its container to run', async () => (await second.world.execution(running.id)).tasks[0].state === 'running');
  const stream = await listening(second);
  await kill(first);
  const killed = Date.now();
  // Decided with nobody acting.
  const next = await proposed(second.world, 'inc-nobody');
  const id = await next.approve();
  await acts(second, 20);
  const ms = Date.now() - killed;
  console.log(`from the kill to the other acting: ${ms} ms`);
  assert.ok(ms < 15_000, `${ms} ms`);
  for (const one of [running.id, id]) {
    await ranOnce({ ...second, home, proxy: both() }, one);
    await stream.hears(one, 'succeeded');
  }
});

test('the one that was killed comes back and stands by; the other gives its turn back when it is asked to stop', async () => {
  const [first, second] = replicas;
  await begin(first);
  const { spec } = await home.get('lease', 'kubernaut-console');
  assert.equal(await standsBy(first), spec.holderIdentity);
  const running = await approved(first, 'inc-handed-over', { seconds: 5 });
  assert.ok(running.ms < 2000, `${running.ms} ms`);
  await second.world.until(running.id, 'running');
  const began = Date.now();
  await second.console.stop();
  await acts(first);
  const ms = Date.now() - began;
  console.log(`from the word to stop to the other acting: ${ms} ms`);
  assert.ok(ms < 10_000, `${ms} ms`);
  await ranOnce({ ...first, home, proxy: both() }, running.id);
});
