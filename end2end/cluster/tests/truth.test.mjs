// What the console shows of a run is what the API server holds, field by field, for each state that a task can be in, while it goes on
// and at its end. What the API server holds is read here by itself (`held`), from PipelineRun, TaskRuns and pods as a watch gives them.
//
// How each state is brought about:
// - by the console alone: pending, running, succeeded, failed, retried, timed out, cancelled, skipped because another step failed;
// - waiting for a node, for a volume, for an image: by requests, claims and a `command` in the Pipeline, which belongs to whoever
//   administers the namespace and not to the console (an image without `command` that nobody can pull fails before there is a pod);
// - `when` and `finally`: the console makes neither (domain/src/pipeline_run.rs builds plain steps, and the shipped Pipelines have one
//   task); a Pipeline of the administrator's may have both, and is shown whole;
// - Events: of the Warnings that the console keeps each is compared with the API server's; what a pod waits for stands in its status as
//   well, but for a volume that can't be mounted (faults.test.mjs).
import assert from 'node:assert/strict';
import { isDeepStrictEqual } from 'node:util';
import { after, before, describe, test } from 'node:test';
import { openPage, signedIn } from '../../lib/browser.mjs';
import { stage } from '../../lib/stage.mjs';
import { World, until } from '../../lib/world.mjs';
import { apply, bytes, kubectl } from './lib/kubectl.mjs';
import { namespace } from './lib/namespace.mjs';
import { image } from './lib/places.mjs';
import { playbook, start, steps } from './lib/playbooks.mjs';
import { watch } from './lib/watch.mjs';

const on = stage();
let [home, world, cluster, browser, console_, state] = [];
const gib = 1024 ** 3;

before(async () => {
  home = await namespace('truth-test');
  cluster = watch(home.name, 'pipelineruns', 'taskruns', 'pods');
  [console_, browser] = await Promise.all([on.console({ args: home.args }), on.browser()]);
  // Afterwards: a console does not become ready over Pipelines that are not its own.
  await administered();
  [world, state] = [await World.of(console_), await signedIn(browser, console_.url)];
  const parameters = ['RUN_SECONDS', 'FAIL', 'OUTPUTS'];
  const nowhere = `${image('playbook-shell').split('@')[0]}@sha256:${'0'.repeat(64)}`;
  await world.register(playbook('plain', 'playbook-shell', parameters));
  await world.register(playbook('retried', 'playbook-shell', parameters, { retry_count: 1 }));
  await world.register(playbook('limited', 'playbook-shell', parameters, { timeout: '20s' }));
  await world.register(playbook('pulled', 'playbook-shell', parameters, { retry_count: 2 }), { container_image: nowhere });
  await world.register(playbook('unknown', 'playbook-shell', parameters), { container_image: nowhere });
  await world.register(playbook('guarded', 'playbook-shell', parameters, { retry_count: 3 }));
  await world.register(playbook('large', 'playbook-shell', parameters, { retry_count: 4 }));
  await world.register(playbook('unbound', 'playbook-shell', parameters, { retry_count: 5 }));
});

after(async () => {
  cluster?.end();
  await on.close();
  await home?.remove();
});

/** Pipelines as an administrator may have changed them; each is found by the number of retries that a playbook asks for. */
async function administered() {
  const shipped = await home.get('pipeline', 'playbook-executor');
  const changed = async (retries, change) => {
    const spec = structuredClone(shipped.spec);
    change(spec, spec.tasks[0].taskSpec.steps[0], spec.tasks[0].taskSpec);
    await apply({ apiVersion: 'tekton.dev/v1', kind: 'Pipeline', metadata: { name: `playbook-executor-retry-${retries}`, namespace: home.name }, spec });
  };
  const step = (name) => ({ name, taskSpec: { results: [{ name: 'outputs', type: 'string' }], steps: [{
    name: 'execute', image: image('playbook-shell'), env: [{ name: 'OUTPUTS_PATH', value: '$(results.outputs.path)' }],
  }] } });
  const never = [{ input: 'no', operator: 'in', values: ['yes'] }];
  await changed(2, (_, step) => (step.command = ['/playbook']));
  await changed(3, (spec) => {
    spec.tasks.push({ ...step('guarded'), when: never }, { ...step('behind'), runAfter: ['guarded'] });
    spec.finally = [step('cleanup'), { ...step('never'), when: never }];
  });
  await changed(4, (_, step) => (step.computeResources = { requests: { memory: String(4096 * gib) } }));
  await changed(5, (_, step, task) => {
    task.volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'nobody-gives-it' } }];
    step.volumeMounts = [{ name: 'data', mountPath: '/data' }];
  });
  await apply({ apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: 'nobody-gives-it', namespace: home.name }, spec: {
    storageClassName: 'nobody-gives-it', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } },
  } });
}

// --- what the API server holds ------------------------------------------------------------------------------------------------------

const succeeded = (object) => object?.status?.conditions?.find(({ type }) => type === 'Succeeded');
/** A time as the wire has it. */
const time = (text) => (text ? new Date(text).toISOString() : null);
const between = (from, to) => (from && to ? Math.max(0, new Date(to) - new Date(from)) : null);
/** What a container that starts as it should waits for is no reason to tell. */
const ordinary = ['ContainerCreating', 'PodInitializing', 'Pending', 'Started', 'Running'];

/** One try of a task: the present one, or one of `retriesStatus`. */
function attempt(status, { number, queued, uid, timedOut }) {
  const condition = succeeded({ status });
  const pod = status.podName ? cluster.of('pods').find(({ metadata }) => metadata.name === status.podName && metadata.ownerReferences?.some((owner) => owner.uid === uid)) : null;
  const scheduled = pod?.status.conditions?.find(({ type }) => type === 'PodScheduled');
  const ofRun = status.podName ? status.steps?.[0] : null;
  const ofPod = pod?.status.containerStatuses?.find(({ name }) => name === 'step-execute')?.state;
  const began = (one) => one?.terminated?.startedAt ?? one?.running?.startedAt;
  const step = ofRun && (began(ofRun) || !began(ofPod)) ? ofRun : (ofPod ?? ofRun);
  const { terminated } = step ?? {};
  const stands = () => {
    if (condition?.status === 'True') return ['succeeded', condition.reason, condition.message];
    if (condition?.status === 'False') {
      const { reason, message } = condition;
      if (reason === 'TaskRunTimeout' || (reason === 'TaskRunCancelled' && timedOut)) return ['timed_out', reason, message];
      if (reason === 'TaskRunCancelled') return ['cancelled', reason, message];
      return ['failed', terminated?.reason && !['Error', 'Completed'].includes(terminated.reason) ? terminated.reason : reason, message];
    }
    if (condition?.reason === 'ToBeRetried') return ['pending', condition.reason, condition.message];
    if (condition && began(step)) return ['running', 'Running', null];
    if (scheduled?.status === 'False') return ['pending', scheduled.reason, scheduled.message];
    const init = pod?.status.initContainerStatuses?.map(({ state }) => state.waiting).find((waiting) => waiting && waiting.reason !== 'PodInitializing');
    const waiting = init ?? step?.waiting;
    if (waiting && !ordinary.includes(waiting.reason)) return ['pending', waiting.reason, waiting.message || null];
    return ['pending', condition?.reason ?? null, condition && !ordinary.includes(condition.reason) ? condition.message : null];
  };
  const [state, reason, message] = stands();
  // Of a step that it ended while it waited, Tekton says that it started when the TaskRun was made; the kubelet knows better.
  const ran = !pod || Boolean(began(ofPod));
  const ended = !['pending', 'running'].includes(state);
  const said = {
    attempt: number,
    state,
    reason,
    pod: status.podName || null,
    queued_at: queued,
    pulling_at: scheduled?.status === 'True' ? time(scheduled.lastTransitionTime) : null,
    running_at: ran ? time(began(step)) : null,
    finished_at: ended ? time(terminated?.finishedAt ?? status.completionTime ?? condition.lastTransitionTime) : null,
  };
  return { said, message, results: status.results ?? [] };
}

/** All that the console should say of a run, from what the API server holds; where Tekton told of an end twice, as the console heard it. */
function held({ name, namespace, tasks: heard }) {
  const runs = cluster.of('pipelineruns').filter(({ metadata }) => metadata.name === name && metadata.namespace === namespace);
  const run = runs.at(-1);
  if (!run) return null;
  const condition = succeeded(run);
  const words = { True: 'succeeded', Unknown: run.status?.startTime ? 'running' : 'pending', False: 'failed' };
  let runState = condition ? words[condition.status] : 'pending';
  if (runState === 'failed' && condition.reason === 'PipelineRunTimeout') runState = 'timed_out';
  if (runState === 'failed' && /^Cancelled/.test(condition.reason)) runState = 'cancelled';
  const spec = run.status?.pipelineSpec ?? {};
  const planned = [...(spec.tasks ?? []), ...(spec.finally ?? []).map((task) => ({ ...task, last: true }))];
  const tasks = planned.map(({ name, runAfter = [], last = false }) => {
    const skipped = run.status.skippedTasks?.find((task) => task.name === name);
    const taskRun = cluster.of('taskruns').find(({ metadata }) => metadata.labels['tekton.dev/pipelineTask'] === name && metadata.ownerReferences.some(({ uid }) => uid === run.metadata.uid));
    const task = { name, state: 'pending', reason: null, message: null, run_after: runAfter, finally: last, attempts: [], results: {}, started_at: null, finished_at: null };
    if (taskRun) {
      const timedOut = runState === 'timed_out' || /timed out/.test(taskRun.spec.statusMessage ?? '');
      const triesOf = ({ metadata, status = {} }) => {
        let queued = time(metadata.creationTimestamp);
        return [...(status.retriesStatus ?? []), status].map((each, index) => {
          const one = attempt(each, { number: index + 1, queued, uid: metadata.uid, timedOut });
          queued = one.said.finished_at ?? queued;
          return one;
        });
      };
      const end = heard.find((task) => task.name === name)?.finished_at;
      const ends = cluster.ended(taskRun).map(triesOf);
      const tries = ends.find((tries) => tries.at(-1).said.finished_at === end) ?? ends.at(-1);
      const newest = tries.at(-1);
      task.attempts = tries.map(({ said }) => said);
      Object.assign(task, { state: newest.said.state, reason: newest.said.reason, message: newest.message });
      for (const { name, value } of newest.results) task.results[name] = name === 'outputs' ? parsed(value) : value;
      task.started_at = task.attempts.find(({ running_at }) => running_at)?.running_at ?? null;
      task.finished_at = newest.said.finished_at;
    } else if (skipped) Object.assign(task, { state: 'skipped', reason: 'Skipped', message: skipped.reason });
    const sum = (span) => task.attempts.map(span).filter((ms) => ms !== null).reduce((all, ms) => (all ?? 0) + ms, null);
    task.queued_ms = sum((one) => between(one.queued_at, one.pulling_at ?? one.running_at ?? one.finished_at));
    task.pulling_ms = sum((one) => between(one.pulling_at, one.running_at ?? one.finished_at));
    task.running_ms = sum((one) => between(one.running_at, one.finished_at));
    return task;
  });
  let [reason, message] = [condition?.reason ?? null, condition?.message || null];
  // While nothing runs because a task waits, what it waits for; of a failure the first task that failed.
  const waits = tasks.find((task) => task.state === 'pending' && task.reason && !ordinary.includes(task.reason) && task.reason !== 'ToBeRetried');
  if (condition?.status === 'Unknown' && waits && !tasks.some((task) => task.state === 'running')) [reason, message] = [waits.reason, waits.message && `${waits.name} waits: ${waits.message}`];
  if (condition?.status === 'False' && condition.reason === 'Failed') {
    const failed = tasks.filter((task) => ['failed', 'timed_out'].includes(task.state)).toSorted((a, b) => (a.finished_at ?? '').localeCompare(b.finished_at ?? ''))[0];
    if (failed?.message) message = `${failed.name}: ${failed.message}`;
  }
  return {
    name,
    state: runState,
    reason,
    message,
    uid: run.metadata.ownerReferences.find(({ controller }) => controller).uid,
    run_uid: run.metadata.uid,
    ticket_digest: run.metadata.annotations['kubernaut.io/ticket-digest'],
    started_at: time(run.status?.startTime),
    finished_at: time(run.status?.completionTime),
    tasks,
  };
}

function parsed(text) {
  try {
    const value = JSON.parse(text);
    return value && typeof value === 'object' && !Array.isArray(value) ? value : text;
  } catch {
    return text;
  }
}

// --- what the console says ----------------------------------------------------------------------------------------------------------

/** What it says, as far as the API server holds it too. Of a Pipeline that is not the console's own it may list the tasks as it met them. */
function told(execution, like) {
  const pick = (from, keys) => Object.fromEntries(keys.map((key) => [key, from[key]]));
  const place = ({ name }) => like.tasks.findIndex((task) => task.name === name);
  const tasks = execution.tasks.toSorted((a, b) => place(a) - place(b)).map((task) => pick(task, Object.keys(like.tasks[0])));
  return { ...pick(execution, Object.keys(like)), tasks };
}

/** Waits until the console says of a run what the API server holds, and this is `so`; resolves to what both say. */
async function agree(id, what, so) {
  let [said, truth, settled] = [];
  const agreed = async () => {
    const execution = await world.execution(id);
    truth = held(execution);
    if (!truth?.tasks.length) return false;
    said = told(execution, truth);
    if (so(truth) && isDeepStrictEqual(said, truth)) return { ...execution, ...truth, parameters: execution.tasks.map(({ parameters }) => parameters) };
    // What has ended for both changes no more, and need not be waited for.
    if (!over(said) || !over(truth)) settled = null;
    else if (Date.now() - (settled ??= Date.now()) > 5000) throw new Error(`${what}: it has ended otherwise`);
    return false;
  };
  try {
    return await until(what, agreed, 180);
  } catch (error) {
    if (truth) assert.deepEqual(said, truth, `${what}: the console (+) and the API server (-)`);
    throw error;
  }
}

const task = (run, name = 'execute') => run.tasks.find((task) => task.name === name);
const over = (run) => !['pending', 'running'].includes(run.state) && run.tasks.every(({ state }) => !['pending', 'running'].includes(state));

/** A duration as a page has it. */
const human = (ms) => (ms === null ? '–' : ms < 60_000 ? `${Math.floor(ms / 1000)}s` : `${Math.floor(ms / 60_000)}m ${String(Math.floor(ms / 1000) % 60).padStart(2, '0')}s`);
const word = (state) => state[0].toUpperCase() + state.slice(1).replace('_', ' ');

/** Makes sure that the table of a run's page says the same; times only of what has ended, the others go on. */
async function onThePage(id, run) {
  const page = await openPage(browser, console_.url, { state, javascript: false });
  await page.goto(`/runs/${id}`);
  assert.equal((await page.locator('#run .head .line .state').first().textContent()).trim(), word(run.state));
  const rows = await page.locator('.as-table tbody tr').evaluateAll((all) => all.map((row) => [...row.children].slice(0, 8).map((cell) => cell.textContent.trim())));
  assert.equal(rows.length, run.tasks.length);
  for (const one of run.tasks) {
    const ended = !['pending', 'running'].includes(one.state);
    const after = one.finally ? 'all others' : one.run_after.join(', ') || '–';
    const times = [...phases(one), between(one.started_at, one.finished_at)].map(human);
    const wanted = [one.name, word(one.state), after, String(one.attempts.length), ...times];
    const row = rows.find(([name]) => name === one.name);
    assert.deepEqual(ended ? row : row.slice(0, 4), ended ? wanted : wanted.slice(0, 4), `${one.name} in the table`);
  }
  for (const one of run.tasks) {
    await page.goto(`/runs/${id}?task=${one.name}&tab=attempts`);
    const shown = await page.locator('main').innerText();
    if (one.message && one.state !== 'succeeded') assert.ok(squeezed(shown).includes(squeezed(one.message)), `${one.name} says ${one.message}: ${shown}`);
    const content = await page.content();
    for (const { pod } of one.attempts) assert.ok(!pod || content.includes(pod), `the page names ${pod}`);
    await page.goto(`/runs/${id}?task=${one.name}&tab=results`);
    for (const name of Object.keys(one.results)) await page.getByRole('table', { name: 'Results' }).getByText(name, { exact: true }).waitFor();
  }
  await page.context().close();
}

/** How long a task was queued, pulled and ran. A page counts a phase that was the last one until the end; the API knows no such number. */
function phases({ attempts }) {
  const ends = ({ queued_at, pulling_at, running_at, finished_at }) => [queued_at, pulling_at, running_at, finished_at];
  return [0, 1, 2].map((phase) => {
    const spans = attempts.map(ends).map((times) => between(times[phase], times.slice(phase + 1).find(Boolean))).filter((ms) => ms !== null);
    return spans.length ? spans.reduce((all, ms) => all + ms) : null;
  });
}

const squeezed = (text) => text.replace(/\s+/g, ' ').replace(/\.$/, '').toLowerCase();

/** Makes sure that the kubelet says the same of a try's times, by itself; Tekton lets a step begin a while after its container has. */
async function asThePodSays({ pod, queued_at, pulling_at, running_at, finished_at }) {
  const { metadata, status } = cluster.of('pods').find(({ metadata }) => metadata.name === pod);
  const { terminated } = status.containerStatuses.find(({ name }) => name === 'step-execute').state;
  assert.equal(pulling_at, time(status.conditions.find(({ type }) => type === 'PodScheduled').lastTransitionTime), 'bound to its node');
  assert.equal(finished_at, time(terminated.finishedAt), 'ended');
  assert.ok(queued_at <= time(metadata.creationTimestamp), 'queued before the pod was made');
  assert.ok(time(terminated.startedAt) <= running_at && running_at <= finished_at, `the container from ${terminated.startedAt}, the step from ${running_at}`);
}

/** Makes sure that the API server has each Warning that the console has of a run; resolves to their reasons. */
async function warned({ warnings = [] }) {
  const events = (await home.get('events', '--field-selector', 'type=Warning')).items;
  for (const { kind, object, reason, message, count } of warnings) {
    const same = events.find((event) => event.involvedObject.kind === kind && event.involvedObject.name === object
      && event.reason === reason && squeezed(event.message) === squeezed(message));
    assert.ok(same, `the API server has no ${reason} of ${object}: ${message}`);
    assert.ok(count <= (same.series?.count ?? same.count ?? 1), `${reason} of ${object}, ${count} times`);
  }
  return warnings.map(({ reason }) => reason);
}

/** Makes sure that a log is what the pod's container wrote. */
async function logOf(id, one, { attempt, pod }) {
  const log = (await world.first.get(`/api/v1/executions/${id}/tasks/${one.name}/logs?attempt=${attempt}`)).body;
  assert.equal(log, (await bytes(['--namespace', home.name, 'logs', pod, '--container', 'step-execute'])).toString(), `the log of attempt ${attempt}`);
}

// --- the states ---------------------------------------------------------------------------------------------------------------------

describe('each state of a task', { concurrency: 4 }, () => {
  test('waiting for a node: with the scheduler\'s reason, as its Event has it, until somebody cancels', async () => {
    const id = await start(world, 'large', { RUN_SECONDS: '0' });
    const run = await agree(id, 'to wait for a node', (run) => task(run).reason === 'Unschedulable');
    assert.match(task(run).message, /Insufficient memory/);
    assert.deepEqual([run.state, run.reason, run.message], ['running', 'Unschedulable', `execute waits: ${task(run).message}`]);
    const [{ pod }] = task(run).attempts;
    const events = (await home.get('events', '--field-selector', `involvedObject.name=${pod},reason=FailedScheduling`)).items;
    assert.ok(events.some(({ message }) => message === task(run).message), JSON.stringify(events.map(({ message }) => message)));
    await onThePage(id, run);
    await world.cancel(id);
    const cancelled = await agree(id, 'to be cancelled before it ran', (run) => over(run) && run.state === 'cancelled');
    await onThePage(id, cancelled);
    assert.ok((await warned(cancelled)).includes('FailedScheduling'));
  });

  test('waiting for a volume that nobody gives', async () => {
    const id = await start(world, 'unbound', { RUN_SECONDS: '0' });
    const run = await agree(id, 'to wait for a volume', (run) => task(run).reason === 'Unschedulable');
    assert.match(task(run).message, /unbound immediate PersistentVolumeClaims/);
    await onThePage(id, run);
    await world.cancel(id);
    await agree(id, 'to be cancelled', (run) => over(run) && run.state === 'cancelled');
  });

  test('pulling an image that is not there: what the kubelet says, then the failure', async () => {
    const id = await start(world, 'pulled', { RUN_SECONDS: '0' });
    const run = await agree(id, 'to wait for its image', (run) => /^(ErrImagePull|ImagePullBackOff)$/.test(task(run).reason));
    const [{ pulling_at, running_at }] = task(run).attempts;
    assert.ok(pulling_at && !running_at && task(run).state === 'pending');
    await onThePage(id, run);
    const ended = await agree(id, 'to fail', over);
    assert.deepEqual([ended.state, task(ended).state, task(ended).reason], ['failed', 'failed', 'TaskRunImagePullFailed']);
    await onThePage(id, ended);
    assert.ok((await warned(ended)).includes('Failed'));
  });

  test('an image that Tekton can not ask for its entry point: failed, without a pod', async () => {
    const ended = await agree(await start(world, 'unknown', { RUN_SECONDS: '0' }), 'to fail', over);
    assert.deepEqual([ended.state, task(ended).reason, task(ended).attempts[0].pod], ['failed', 'PodCreationFailed', null]);
  });

  test('running, then succeeded: times, parameters, results, log', async () => {
    const outputs = '{"replicas":2,"note":"ünïcödé ✓ \\"quoted\\"","nested":{"list":[1,2.5,null,true]}}';
    const id = await start(world, 'plain', { RUN_SECONDS: '6', OUTPUTS: outputs });
    const running = await agree(id, 'to run', (run) => task(run).state === 'running');
    await onThePage(id, running);
    const run = await agree(id, 'to succeed', over);
    assert.equal(run.state, 'succeeded');
    assert.deepEqual(task(run).results, { outputs: JSON.parse(outputs) });
    assert.deepEqual(run.parameters[0], (await home.get('configmap', `${run.name}-parameters`)).data);
    await asThePodSays(task(run).attempts[0]);
    await onThePage(id, run);
    await world.logged(id);
    await logOf(id, task(run), task(run).attempts[0]);
  });

  test('failed: the reason and the sentence of Tekton', async () => {
    const id = await start(world, 'plain', { FAIL: 'always' });
    const run = await agree(id, 'to fail', over);
    assert.deepEqual([run.state, task(run).state, task(run).attempts.length], ['failed', 'failed', 1]);
    assert.match(task(run).message, /exited with code 1|exit code 1|"step-execute" exited/);
    await asThePodSays(task(run).attempts[0]);
    await onThePage(id, run);
  });

  test('retried: each attempt with its own pod, times and log', async () => {
    const id = await start(world, 'retried', { FAIL: 'first' });
    const run = await agree(id, 'to succeed at the second try', over);
    const { attempts } = task(run);
    assert.deepEqual(attempts.map(({ state }) => state), ['failed', 'succeeded']);
    assert.notEqual(attempts[0].pod, attempts[1].pod);
    await world.logged(id);
    for (const one of attempts) {
      await asThePodSays(one);
      await logOf(id, task(run), one);
    }
    await onThePage(id, run);
  });

  test('timed out: by the limit that was approved', async () => {
    const id = await start(world, 'limited', { RUN_SECONDS: '600' });
    const run = await agree(id, 'to time out', over);
    assert.deepEqual([run.state, task(run).state], ['timed_out', 'timed_out']);
    assert.ok(between(run.started_at, run.finished_at) >= 20_000);
    await onThePage(id, run);
  });

  test('cancelled while it runs', async () => {
    const id = await start(world, 'plain', { RUN_SECONDS: '600' });
    await agree(id, 'to run', (run) => task(run).state === 'running');
    await world.cancel(id);
    const run = await agree(id, 'to be cancelled', over);
    assert.deepEqual([run.state, task(run).state], ['cancelled', 'cancelled']);
    await onThePage(id, run);
  });

  test('skipped, because a step before it failed; the one beside it ends', async () => {
    const spec = await steps();
    // Its user is root, which no pod of a playbook may be.
    spec.steps[0].image = image('playbook-root');
    const id = await world.approve(await world.propose(spec));
    await agree(id, 'to have one that has not begun', (run) => task(run, 'create-gitops-pr').attempts.length === 0 && run.state === 'running' && task(run, 'scale-deployment').state === 'running');
    const run = await agree(id, 'to fail', over);
    assert.deepEqual(run.tasks.map(({ state }) => state), ['failed', 'succeeded', 'skipped']);
    assert.match(task(run, 'create-gitops-pr').message, /stopping/);
    for (const [index, { name, inputs }] of spec.steps.entries()) {
      const map = (await home.get('configmap')).items.find(({ metadata }) => metadata.name.startsWith(`${run.name}-${name}-`));
      assert.deepEqual(run.parameters[index], JSON.parse(map.data.ACTION_INPUTS), `the parameters of ${name}`);
      assert.deepEqual(run.parameters[index], inputs);
    }
    await onThePage(id, run);
  });

  test('skipped by `when`, and `finally`: a Pipeline that has them is shown whole', async () => {
    const id = await start(world, 'guarded', { RUN_SECONDS: '3' });
    await agree(id, 'to show what is to come', (run) => run.tasks.length === 5 && task(run).state === 'running' && task(run, 'cleanup').state === 'pending');
    const run = await agree(id, 'to end', over);
    const states = Object.fromEntries(run.tasks.map(({ name, state }) => [name, state]));
    assert.deepEqual(states, { execute: 'succeeded', guarded: 'skipped', behind: 'succeeded', cleanup: 'succeeded', never: 'skipped' });
    assert.match(task(run, 'guarded').message, /When Expressions evaluated to false/);
    assert.deepEqual(run.tasks.filter((task) => task.finally).map(({ name }) => name), ['cleanup', 'never']);
    assert.ok(task(run, 'cleanup').started_at >= task(run).finished_at);
    await onThePage(id, run);
  });

  test('lost: somebody deleted the PipelineRun; what was known of it is kept', async () => {
    const id = await start(world, 'plain', { RUN_SECONDS: '600' });
    const running = await agree(id, 'to run', (run) => task(run).state === 'running');
    await until('its log', async () => /^RUN_SECONDS=600$/m.test((await world.first.get(`/api/v1/executions/${id}/tasks/execute/logs`)).body));
    await kubectl(['--namespace', home.name, 'delete', 'pipelinerun', running.name, '--wait=false']);
    const lost = await world.until(id, 'lost');
    await assert.rejects(home.get('pipelinerun', running.name), /not found/);
    assert.equal(lost.reason, 'PipelineRunDeleted');
    const [now] = lost.tasks;
    assert.deepEqual([now.state, now.started_at, now.attempts[0].pod], ['lost', task(running).started_at, task(running).attempts[0].pod]);
    await world.logged(id);
    assert.match((await world.first.get(`/api/v1/executions/${id}/tasks/execute/logs`)).body, /^RUN_SECONDS=600$/m);
  });
});

test('waiting for the quota, then running: what it waited for is told while it waits, and not afterwards', async () => {
  await apply({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'none', namespace: home.name }, spec: { hard: { pods: '0' } } });
  await until('the quota to hold', async () => (await home.get('resourcequota', 'none')).status?.hard?.pods === '0');
  const id = await start(world, 'plain', { RUN_SECONDS: '600' });
  const waiting = await agree(id, 'to wait for the quota', (run) => task(run).reason === 'ExceededResourceQuota');
  assert.equal(task(waiting).attempts[0].pod, null);
  await onThePage(id, waiting);
  await kubectl(['--namespace', home.name, 'delete', 'resourcequota', 'none']);
  // Tekton looks again when the TaskRun changes, else much later.
  await kubectl(['--namespace', home.name, 'annotate', 'taskrun', '-l', `tekton.dev/pipelineRun=${waiting.name}`, 'room=there']);
  const running = await agree(id, 'to run', (run) => task(run).state === 'running');
  await onThePage(id, running);
  await world.cancel(id);
  await agree(id, 'to be cancelled', over);
});
