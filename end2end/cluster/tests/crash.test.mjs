// Whatever happens to the console or to its words with the API server, what was approved runs exactly once: killed before and after each write,
// replies that are lost, late, doubled or errors, watches that end or fall behind. Which requests there are is read from a run that nobody
// disturbs, so that a new one is covered by itself.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { stage } from '../../lib/stage.mjs';
import { until } from '../../lib/world.mjs';
import { bench, happens, playbook, ranOnce } from './lib/bench.mjs';
import { answer, broken, faults } from './lib/proxy.mjs';

/** Consoles that are killed at a time. */
const LANES = 4;
const WRITES = ['create', 'patch', 'update', 'delete'];
const WATCHED = ['pipelineruns', 'pods', 'taskruns', 'workflowexecutions'];
/** Long enough for a status in between: one is written three seconds after something changed. */
const SECONDS = 4;

const on = stage();
let benches = [];
let calm, lanes, steps;

/** What a request is among those of a run: its verb and kind, and for a status the phase that it tells. */
const step = ({ verb, kind, json }) => [verb, kind, json?.status?.phase].filter(Boolean).join(' ');
/** Whether a request is about the run of this name. */
const about = (name) => (call) => call.name !== undefined && (call.name === name || call.name.startsWith(`${name}-`));
const isWrite = (what) => WRITES.includes(what.split(' ')[0]);

before(async () => {
  const all = await Promise.allSettled(Array.from({ length: LANES + 1 }, async (_, n) => {
    const one = await bench(on, `crash-${n}`);
    benches.push(one);
    await one.world.register(playbook());
    await one.acts();
    return one;
  }));
  [calm, ...lanes] = all.map(({ value, reason }) => value ?? assert.fail(reason));
  // The run that nobody disturbs.
  const run = await calm.proposed('inc-recorded', { seconds: SECONDS });
  await ranOnce(calm, await run.approve());
  const ours = calm.proxy.calls.filter(about(run.name));
  steps = [...new Set(ours.filter(({ kind }) => kind !== 'pods/log').map(step))];
  const writes = steps.filter(isWrite);
  // If this fails because there is one more: it is covered by itself; say so here.
  assert.deepEqual(writes.sort(), [
    'create configmaps', 'create pipelineruns', 'create workflowexecutions', 'patch pipelineruns',
    'patch workflowexecutions/status Completed', 'patch workflowexecutions/status Executing',
  ]);
});

after(async () => {
  await on.close();
  await Promise.all(benches.map((one) => one.close()));
});

/** Kills the console when it is about to do something for one run and has done it, and not heard of it yet, for another; and starts it again. */
async function killed(lane, incident, match, cases) {
  let dead;
  const gone = new Promise((done) => (dead = done));
  const runs = await Promise.all(cases.map(async (reached) => {
    const run = await lane.proposed(`${incident}-${reached ? 'after' : 'before'}`, { seconds: SECONDS });
    let there;
    const arrived = new Promise((done) => (there = done));
    const hook = lane.proxy.hook((call) => about(run.name)(call) && match(call), async (_, pass) => {
      if (reached) await pass();
      there();
      await gone;
      return broken;
    }, 1);
    return { run, hook, arrived };
  }));
  const ids = await Promise.all(runs.map(({ run }) => run.approve()));
  await Promise.all(runs.map(({ arrived }) => arrived));
  await lane.kill();
  dead();
  await lane.restart();
  await Promise.all(ids.map((id) => ranOnce(lane, id)));
  for (const { hook } of runs) assert.equal(hook.calls.length, 1);
}

test('a console that is killed before or after any write, and started again, has run it once', { concurrency: LANES }, async (t) => {
  const points = steps.filter(isWrite).map((what) => [what, (call) => step(call) === what, [false, true]]);
  points.push(['reading the log of what runs', (call) => call.kind === 'pods/log', [false]]);
  const [free, waiting] = [[...lanes], []];
  await Promise.all(points.map(([what, match, cases], n) => t.test(what, async () => {
    const lane = free.pop() ?? (await new Promise((next) => waiting.push(next)));
    try {
      await killed(lane, `inc-killed-${n}`, match, cases);
    } finally {
      const next = waiting.shift();
      if (next) next(lane);
      else free.push(lane);
    }
  })));
});

/** Does the same to each request of a run, the first time it is made. */
async function disturbed(n, act) {
  const run = await calm.proposed(`inc-disturbed-${n}`, { seconds: SECONDS });
  const hooks = steps.map((one) => calm.proxy.hook((call) => about(run.name)(call) && step(call) === one, act, 1));
  await ranOnce(calm, await run.approve());
  // What is only read may have been known already.
  for (const [at, hook] of hooks.entries()) if (isWrite(steps[at])) assert.equal(hook.calls.length, 1, `${steps[at]} was to be disturbed`);
}

test('whatever happens to its words with the API server, it has run once', { concurrency: true }, async (t) => {
  const done = {
    'never arrives': faults.unsent,
    'is done, and its reply lost': faults.lost,
    'arrives twice': faults.twice,
    'is answered late': faults.late(1500),
    'is answered 429, with Retry-After': faults.answered(429, { headers: { 'retry-after': '1' } }),
    'is answered 500': faults.answered(500),
    'is answered 503': faults.answered(503),
    'is answered 403 by an API server that does not know the rights yet': faults.answered(403, { message: 'objects is forbidden: User "console" cannot create resource "objects"' }),
    'is answered 404 by who stands before the API server': () => ({ status: 404, headers: { 'content-type': 'text/plain' }, body: '404 page not found\n' }),
  };
  await Promise.all([
    ...Object.entries(done).map(([what, act], n) => t.test(`each request of a run ${what}`, () => disturbed(n, act))),
    t.test('watches that end, fall behind or are refused lose nothing of a run', watchesFail),
    t.test('a Lease whose renewals are lost or refused for a moment stays with its holder', renewalsFail),
  ]);
});

async function watchesFail() {
  const { proxy, world, home } = lanes[0];
  const watching = () => until('all watches to be open', () => WATCHED.every((kind) => proxy.watched().includes(kind)));
  await watching();
  const run = await lanes[0].proposed('inc-watches', { seconds: 8 });
  const id = await run.approve();
  await world.until(id, 'running');
  const anew = () => Promise.all(WATCHED.map((kind) => proxy.next((call) => call.verb === 'watch' && call.kind === kind)));
  const listed = () => Promise.all(WATCHED.map((kind) => proxy.next((call) => call.verb === 'list' && call.kind === kind)));
  let again = anew();
  proxy.cutWatches();
  await again;
  await watching();
  again = Promise.all([listed(), anew()]);
  proxy.expireWatches();
  await again;
  await watching();
  // Refused as too old when they begin, until the run has ended with nobody looking.
  const refused = proxy.hook((call) => call.verb === 'watch', () => answer(410, { reason: 'Expired' }));
  assert.equal((await world.execution(id)).state, 'running');
  proxy.cutWatches();
  await until('all watches to be refused', () => WATCHED.every((kind) => refused.calls.some((call) => call.kind === kind)));
  await happens(home, `pipelinerun/${run.name}`, 'condition=Succeeded');
  refused.off();
  await ranOnce(lanes[0], id);
}

async function renewalsFail() {
  const { proxy } = calm;
  const { spec } = await calm.home.get('lease', 'kubernaut-console');
  const renewal = (call) => call.kind === 'leases' && call.verb === 'patch';
  for (const act of [faults.lost, faults.answered(500), faults.unsent]) {
    const hook = proxy.hook(renewal, act, 1);
    const disturbed = await hook.caught;
    // After a reply that was lost the Lease is another than was read, so it takes one round more.
    await until('the Lease to be renewed again', () => proxy.calls.some((call) => renewal(call) && call.at > disturbed.at && call.told === 200));
  }
  const now = await calm.home.get('lease', 'kubernaut-console');
  assert.equal(now.spec.holderIdentity, spec.holderIdentity);
  assert.equal(now.spec.leaseTransitions, spec.leaseTransitions);
  const run = await calm.proposed('inc-lease', { seconds: 0 });
  await ranOnce(calm, await run.approve());
}
