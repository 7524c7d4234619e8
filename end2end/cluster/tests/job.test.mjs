// The main job on a real cluster, over REST: registered, recommended, approved, run, read, counted; of a playbook with hidden
// parameters, of steps in an order with a volume that they share, and of what somebody applied with kubectl.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { stage } from '../../lib/stage.mjs';
import { World, seed, until } from '../../lib/world.mjs';
import { apply, bytes, kubectl } from './lib/kubectl.mjs';
import { namespace } from './lib/namespace.mjs';
import { image } from './lib/places.mjs';
import { playbook, start, steps } from './lib/playbooks.mjs';

const on = stage();
let [home, world, auditor] = [];

before(async () => {
  home = await namespace('job-test');
  const console_ = await on.console({ args: home.args });
  world = await World.of(console_);
  auditor = console_.api(await console_.token('auditor'));
});

after(async () => {
  await on.close();
  await home?.remove();
});

/** Waits until a run has ended well and all that it wrote is kept; resolves to it. */
async function succeeded(id) {
  const ended = await until(`run ${id} to end`, async () => {
    const execution = await world.execution(id);
    return !['pending', 'running'].includes(execution.state) && execution;
  }, 180);
  assert.equal(ended.state, 'succeeded', JSON.stringify(ended));
  for (const { name } of ended.tasks) await world.logged(id, name);
  return ended;
}

const log = async (id, task) => (await world.first.get(`/api/v1/executions/${id}/tasks/${task}/logs`)).body;
/** What the container of a pod wrote, as the cluster has it. */
const written = async (pod) => (await bytes(['--namespace', home.name, 'logs', pod, '--container', 'step-execute'])).toString();
/** The ticket that a run was approved by. */
const ticketOf = async (id) => (await world.first.get(`/api/v1/executions/${id}/ticket`)).body;
const object = async (kind, name) => home.get(kind, name);
/** Text as `KEY=value` lines, as the image prints its environment. */
const environment = (text) => Object.fromEntries(text.split('\n').filter((line) => line.includes('=')).map((line) => line.split(/=(.*)/s)));

test('a playbook with hidden parameters runs exactly as it was approved, and is counted', async () => {
  await world.register(await seed('hidden-oomkill-scale-down'), { container_image: image('playbook-shell') });
  const proposed = await world.recommend('inc-cluster-job');
  const model = (await world.author.get('/api/v1/playbooks/oomkill-scale-down/versions/1.0.0/schema')).body;
  assert.doesNotMatch(JSON.stringify(model), /REMEDIATION_TYPE/, 'a model never sees a hidden parameter');
  const parameters = { ...proposed.strategies[0].parameters, SCALE_TARGET_REPLICAS: 2 };
  const id = await world.approve(proposed, { parameters, reason: 'relieves the node' });
  const ended = await succeeded(id);
  const ticket = await ticketOf(id);
  const wanted = { ...Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, String(value)])), REMEDIATION_TYPE: 'scale_down' };

  // One digest from the decision to the cluster.
  const run = await object('pipelinerun', ended.name);
  const workflow = await object('workflowexecution', ended.name);
  const map = await object('configmap', `${ended.name}-parameters`);
  assert.equal(ticket.digest, ended.ticket_digest);
  for (const { metadata } of [run, workflow, map]) assert.equal(metadata.annotations['kubernaut.io/ticket-digest'], ended.ticket_digest);
  assert.deepEqual([ended.uid, ended.run_uid], [workflow.metadata.uid, run.metadata.uid]);
  for (const { metadata } of [run, map]) assert.equal(metadata.ownerReferences[0].uid, workflow.metadata.uid);
  assert.equal(map.immutable, true);
  assert.deepEqual(map.data, wanted, 'the ConfigMap');
  assert.deepEqual(ended.tasks[0].parameters, wanted, 'what the console says');
  const [attempt] = ended.tasks[0].attempts;
  const pod = await object('pod', attempt.pod);
  assert.equal(pod.spec.containers.find(({ name }) => name === 'step-execute').image, image('playbook-shell'), 'the image that was approved');
  const text = await log(id, 'execute');
  const had = environment(text);
  for (const [name, value] of Object.entries(wanted)) assert.equal(had[name], value, `${name} in the container`);
  assert.equal(text, await written(attempt.pod), 'the log');
  assert.deepEqual(ended.tasks[0].results, { outputs: { observed: 'ok' } });

  const counted = (await world.first.get('/api/v1/effectiveness?group_by=playbook')).body.items.find(({ group }) => group === 'oomkill-scale-down');
  assert.deepEqual([counted.runs, counted.succeeded, counted.not_assessed], [1, 1, 1]);
  const action = (await world.first.get('/api/v1/actions?workflow_id=oomkill-scale-down')).body.items[0];
  assert.deepEqual([action.status, action.image, action.outputs.outputs], ['succeeded', image('playbook-shell'), { observed: 'ok' }]);
  const trail = (await auditor.get(`/api/v1/audit?object=${proposed.id}`)).body.items;
  const decision = trail.find(({ action }) => action === 'decision.approve');
  assert.deepEqual([decision.actor.name, decision.reason], ['token m.okafor', 'relieves the node']);
});

/** The columns of `kubectl get`, by their heads. */
async function columns(name) {
  const [heads, row] = (await kubectl(['--namespace', home.name, 'get', 'workflowexecution', name])).trim().split('\n').map((line) => line.split(/\s{2,}/));
  return Object.fromEntries(heads.map((head, index) => [head, row[index]]));
}

/** Waits until an applied WorkflowExecution waits in the inbox; resolves to the recommendation. */
async function waiting(name) {
  const there = await until(`${name} to wait`, async () => {
    const applied = await object('workflowexecution', name);
    return applied.status?.phase === 'Initializing' && applied.status.message && applied;
  });
  const [condition] = there.status.conditions;
  assert.deepEqual([condition.type, condition.status, condition.reason], ['Approved', 'False', 'AwaitingDecision']);
  const open = (await world.first.get('/api/v1/recommendations?state=open')).body.items;
  const found = open.find(({ id }) => there.status.message.includes(id));
  assert.ok(found, `${there.status.message}, and is in the inbox: ${open.map(({ id }) => id)}`);
  return found;
}

/** Makes sure that the status which was written back says what the console says. */
async function toldBack(ended) {
  const { status } = await until('the status to be written back', async () => {
    const there = await object('workflowexecution', ended.name);
    return there.status?.completionTime && there;
  });
  assert.deepEqual([status.phase, status.pipelineRun, status.ticketDigest], ['Completed', ended.name, ended.ticket_digest]);
  assert.deepEqual([status.startTime, status.completionTime], [ended.started_at, ended.finished_at]);
  assert.deepEqual(
    status.conditions.map(({ type, status, reason }) => [type, status, reason]),
    [['Valid', 'True', 'TicketProved'], ['Approved', 'True', 'TicketApproved'], ['Succeeded', 'True', ended.reason]],
  );
  assert.match(status.conditions[1].message, /m\.okafor/, 'by whom');
  assert.deepEqual(
    status.steps,
    ended.tasks.map(({ name, state, reason, started_at, finished_at }) => ({ name, state, reason, startedAt: started_at, finishedAt: finished_at })),
  );
}

// Each of them runs by itself; what takes time is waiting.
describe('side by side', { concurrency: true }, () => {
  test('a playbook that takes no parameters runs as well', async () => {
    await world.register(playbook('takes-nothing', 'playbook-static', []));
    const ended = await succeeded(await start(world, 'takes-nothing'));
    assert.deepEqual(ended.tasks[0].parameters, {});
  });

  test("the seed's three steps run in their order, the third on the volume that they share", async () => {
    const spec = await steps();
    const id = await world.approve(await world.propose(spec));
    const began = await world.execution(id);
    assert.deepEqual(began.tasks.map(({ name, run_after }) => [name, run_after]), spec.steps.map(({ name, runAfter }) => [name, runAfter]), 'every task from the first second');
    const ended = await succeeded(id);
    const [restart, scale, pull] = ended.tasks;
    for (const earlier of [restart, scale]) assert.ok(earlier.finished_at <= pull.started_at, `${earlier.name} ends before ${pull.name} begins`);
    assert.ok(restart.started_at < scale.finished_at && scale.started_at < restart.finished_at, 'the first two run side by side');

    const run = await object('pipelinerun', ended.name);
    const claims = (await home.get('pvc')).items.filter(({ metadata }) => metadata.ownerReferences?.[0].uid === run.metadata.uid);
    assert.equal(claims.length, 1, 'one volume');
    assert.equal(claims[0].status.phase, 'Bound');
    for (const [index, task] of ended.tasks.entries()) {
      const step = spec.steps[index];
      const pod = await object('pod', task.attempts[0].pod);
      const mounted = pod.spec.volumes.some((volume) => volume.persistentVolumeClaim?.claimName === claims[0].metadata.name);
      assert.equal(mounted, Boolean(step.usesWorkspace), `${task.name} has the volume`);
      const text = await log(id, task.name);
      assert.equal(text, await written(task.attempts[0].pod), `the log of ${task.name}`);
      const had = environment(text);
      assert.equal(had.ACTION_TYPE, step.actionType);
      assert.deepEqual(JSON.parse(had.ACTION_INPUTS), step.inputs, `what ${task.name} was given`);
      const [taskRun] = (await home.get('taskrun', '-l', `tekton.dev/pipelineRun=${ended.name},tekton.dev/pipelineTask=${task.name}`)).items;
      assert.deepEqual(task.results.outputs, JSON.parse(taskRun.status.results.find(({ name }) => name === 'outputs').value));
    }
    const actions = (await world.first.get('/api/v1/actions?limit=200')).body.items.filter(({ execution_id }) => execution_id === id);
    assert.deepEqual(actions.map(({ task, status }) => [task, status]).toSorted(), spec.steps.map(({ name }) => [name, 'succeeded']).toSorted(), 'a record of each');
  });

  test('a WorkflowExecution of steps that somebody applies waits in the inbox, runs once approved, and is told how it went', async () => {
    const spec = await steps();
    const name = 'remediate-payment-oom';
    const manifest = { apiVersion: 'workflowexecution.kubernaut.ai/v1alpha1', kind: 'WorkflowExecution', metadata: { name, namespace: home.name }, spec };
    await apply(manifest);
    const proposed = await waiting(name);
    assert.deepEqual(await columns(name).then(({ NAME, PHASE, TYPE }) => [NAME, PHASE, TYPE]), [name, 'Initializing', spec.workflowType]);
    assert.equal((await home.get('pipelinerun')).items.filter(({ metadata }) => metadata.name === name).length, 0, 'nothing runs before its decision');
    await assert.rejects(apply({ ...manifest, spec: { ...spec, reason: 'another' } }), /spec is immutable/);

    const id = await world.approve(proposed);
    const ended = await succeeded(id);
    assert.equal(ended.name, name, 'it is run under its own name');
    await toldBack(ended);
    assert.equal((await columns(name)).PHASE, 'Completed');
    assert.equal((await kubectl(['--namespace', home.name, 'get', 'workflowexecution', name, '-o', 'wide'])).includes(spec.reason), true);
  });

  test('a WorkflowExecution of a playbook that somebody applies takes its hidden parameters from the catalog', async () => {
    const name = 'scale-my-app';
    const { strategies: [{ parameters }] } = await seed('recommendation');
    const scaling = {
      id: 'oomkill-scale-down',
      version: '1.0.0',
      actionType: 'scale_down_replicas',
      parameters: Object.entries(parameters).map(([name, value]) => ({ name, value: String(value) })),
    };
    const spec = { workflowType: 'oomkill-scale-down', reason: 'the node is full', playbook: scaling };
    await apply({ apiVersion: 'workflowexecution.kubernaut.ai/v1alpha1', kind: 'WorkflowExecution', metadata: { name, namespace: home.name }, spec });
    const id = await world.approve(await waiting(name));
    const ended = await succeeded(id);
    await toldBack(ended);
    assert.equal(environment(await log(id, 'execute')).REMEDIATION_TYPE, 'scale_down');
    const { PHASE, TYPE, PLAYBOOK } = await columns(name);
    assert.deepEqual([PHASE, TYPE, PLAYBOOK], ['Completed', 'oomkill-scale-down', 'oomkill-scale-down']);
  });

  test('one that is rejected says by whom and why, and never runs', async () => {
    const name = 'not-this-one';
    const spec = { ...(await steps()), reason: 'somebody felt like it' };
    await apply({ apiVersion: 'workflowexecution.kubernaut.ai/v1alpha1', kind: 'WorkflowExecution', metadata: { name, namespace: home.name }, spec });
    await world.reject(await waiting(name), 'the node is drained already');
    const { status } = await until('the rejection to be told', async () => {
      const there = await object('workflowexecution', name);
      return there.status.phase === 'Failed' && there;
    });
    assert.match(status.message, /m\.okafor.*the node is drained already/);
    assert.deepEqual(status.conditions.map(({ type, status, reason }) => [type, status, reason]), [['Approved', 'False', 'Rejected']]);
    await assert.rejects(object('pipelinerun', name), /not found/);
  });
});
