// What people, quotas and broken clusters do to a run, by hand and one after another: what the run's page says then, how the run stands, and
// what happens next. docs/operations.md is the table of these tests; a sentence that changes here changes there.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { promisify } from 'node:util';
import { stage } from '../../lib/stage.mjs';
import { until } from '../../lib/world.mjs';
import { startApiServer } from './lib/apiserver.mjs';
import { bench, ended, happens, objects, playbook, ranOnce } from './lib/bench.mjs';
import { apply, kubectl, tried } from './lib/kubectl.mjs';
import { image } from './lib/places.mjs';
import { broken } from './lib/proxy.mjs';

const on = stage();
const benches = [];
const started = new Map();

/** The bench of this namespace, with the playbook registered and the console acting; the tests of one namespace share it. */
function at(name, options) {
  if (!started.has(name)) {
    started.set(name, (async () => {
      const one = await bench(on, `faults-${name}`, options);
      benches.push(one);
      await one.world.register(playbook());
      await one.acts();
      return one;
    })());
  }
  return started.get(name);
}

const policies = ['faults-created', 'faults-changed'];
const unguarded = () => kubectl(['delete', '--ignore-not-found', 'validatingadmissionpolicybinding,validatingadmissionpolicy', ...policies])
  .then(() => kubectl(['delete', '--ignore-not-found', 'validatingwebhookconfiguration', 'faults-nobody']));

before(unguarded);
after(async () => {
  await on.close();
  await Promise.all(benches.map((one) => one.close()));
  await unguarded();
});

/** In the namespace of a bench. */
const inside = ({ home }, ...args) => kubectl(['--namespace', home.name, ...args]);
const there = ({ home }, object) => apply({ ...object, metadata: { namespace: home.name, ...object.metadata } });
const patch = (one, what, change) => inside(one, 'patch', what, '--type=merge', '--patch', JSON.stringify(change));
/** A quota, once it counts. */
async function quota(one, hard) {
  await there(one, { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'full' }, spec: { hard } });
  await happens(one.home, 'resourcequota/full', 'jsonpath={.status.hard}');
  return () => inside(one, 'delete', 'resourcequota', 'full');
}

/** A run that is approved and whose PipelineRun is about to be let go. */
async function pending(one, incident, options) {
  const run = await one.proposed(incident, options);
  const held = one.proxy.hold((call) => call.verb === 'patch' && call.kind === 'pipelineruns' && call.name === run.name);
  const id = await run.approve();
  const { go } = await held;
  return { ...run, id, go };
}

/** A run that is at work. */
async function working(one, incident, options = { seconds: 60 }) {
  const run = await one.proposed(incident, options);
  const id = await run.approve();
  await until('its container to run', async () => (await one.world.execution(id)).tasks[0].state === 'running');
  return { ...run, id };
}

/** Waits until a run waits for this reason; Tekton says that it runs a moment before or after. */
const waits = ({ world }, id, reason, state) => until(`execution ${id} to wait: ${reason}`, async () => {
  const run = await world.execution(id);
  return run.reason === reason && (!state || run.state === state) && run;
}, 60);

/** Proves how a run ended, and what its page says. */
async function told(one, id, state, reason, ...why) {
  const run = await ended(one, id);
  assert.deepEqual([run.state, run.reason], [state, reason], run.message);
  assert.deepEqual((await one.page(id)).why, why);
  return run;
}

/** Nothing of it has run: there is no pod. */
const nothingRan = async ({ home }, name) => assert.deepEqual((await objects(home, name)).pods, []);

/** Denies an operation on the PipelineRuns of one incident, in a sentence. */
async function denied(one, name, operation, incident) {
  const resourceRules = [{ apiGroups: ['tekton.dev'], apiVersions: ['v1'], operations: [operation], resources: ['pipelineruns'] }];
  const namespaceSelector = { matchLabels: { 'kubernetes.io/metadata.name': one.home.name } };
  const matchConditions = [{ name: 'one', expression: `object.metadata.?labels['incident-id'].orValue('') == '${incident}'` }];
  const policy = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingAdmissionPolicy', metadata: { name } };
  await apply({ ...policy, spec: { matchConstraints: { resourceRules }, matchConditions, validations: [{ expression: 'false', message: 'no changes while the books are audited' }] } });
  await apply({ ...policy, kind: 'ValidatingAdmissionPolicyBinding', spec: { policyName: name, validationActions: ['Deny'], matchResources: { namespaceSelector } } });
}
const probe = (one, incident) => JSON.stringify({
  apiVersion: 'tekton.dev/v1', kind: 'PipelineRun',
  metadata: { name: 'probe', namespace: one.home.name, labels: { 'incident-id': incident } }, spec: { status: 'PipelineRunPending', pipelineRef: { name: 'playbook-executor' } },
});
/** Waits until the API server guards what it was told to guard. */
const refuses = (what, args, input, words) => until(what, () => kubectl(args, input).then(() => false, (error) => words.test(error.message)));

const UNREACHED = "the cluster's API server can't be reached; check that it is up and the address is right";
const unready = (one) => until('the console to say what is away', async () => {
  const { body } = await one.admin.get('/readyz');
  return !body.ready && body.reasons;
});

/** What happens to a run that is under way, to one that is approved, and to one that is approved later, while the API server is away. */
async function away(one, down, up) {
  const running = await working(one, 'inc-away-running', { seconds: 5 });
  const [next, later] = [await one.proposed('inc-away-next'), await one.proposed('inc-away-later')];
  await down();
  const first = await next.approve();
  const waiting = await waits(one, first, 'WaitingForCluster');
  assert.deepEqual([waiting.state, waiting.stage], ['pending', 'claimed']);
  const [why] = (await one.page(first)).why;
  // By whoever was at it when it went away, or because nobody is at it any more.
  const [asked, nobody] = [/no answer from the cluster, so the outcome is unknown: .*client error \((Connect|SendRequest)\)/, new RegExp(UNREACHED)];
  assert.match(why, new RegExp(`^WaitingForCluster\\. Not started yet: (${asked.source}|${nobody.source})\\.$`));
  assert.deepEqual(await unready(one), [UNREACHED]);
  // When it has not been able to renew its Lease for 7 s, it does not act.
  await until('the console to give up its turn', () => one.console().output().includes('this console does not act any more'));
  const second = await later.approve();
  await waits(one, second, 'WaitingForCluster');
  assert.deepEqual(await one.page(second), { state: 'Pending', why: [`WaitingForCluster. Not started yet: ${UNREACHED}.`] });
  assert.equal((await one.world.execution(running.id)).state, 'running', 'what cannot be seen is no end');
  await up();
  for (const id of [running.id, first, second]) await ranOnce(one, id);
  await until('the console to be ready', async () => (await one.admin.get('/readyz')).body.ready);
}

// What the console asks of its own machine's clock is shifted; the database asks another way, and the cluster has its own.
const shim = `
  #define _GNU_SOURCE
  #include <dlfcn.h>
  #include <stdlib.h>
  #include <time.h>
  int clock_gettime(clockid_t id, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(id, at);
    const char *shift = getenv("CLOCK_SHIFT");
    if (!result && id == CLOCK_REALTIME && shift) at->tv_sec += atol(shift);
    return result;
  }`;
let directory;
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kubernaut-clock-'));
  await writeFile(join(directory, 'clock.c'), shim);
  await promisify(execFile)('cc', ['-shared', '-fPIC', '-o', join(directory, 'clock.so'), join(directory, 'clock.c'), '-ldl']);
});
after(() => rm(directory, { recursive: true, force: true }));

describe('a run, six at a time', { concurrency: 6 }, () => {
  // Tekton looks once a minute whether there is room again.
  test('no room for its pods: it waits, and goes on when there is', async () => {
    const one = await at('full-pods');
    const raise = await quota(one, { pods: '0' });
    const run = await one.proposed('inc-pods');
    const id = await run.approve();
    await waits(one, id, 'ExceededResourceQuota', 'running');
    assert.deepEqual((await one.page(id)).why, [`ExceededResourceQuota. Execute waits: TaskRun Pod exceeded available resources: pods "${run.name}-execute-pod" is `
      + 'forbidden: exceeded quota: full, requested: pods=1, used: pods=0, limited: pods=0.']);
    await raise();
    await ranOnce(one, id);
  });

  test('a PipelineRun that is deleted is lost, and not made again', async () => {
    const one = await at('hand');
    const { id, name } = await working(one, 'inc-deleted');
    await inside(one, 'delete', 'pipelinerun', name);
    const run = await told(one, id, 'lost', 'PipelineRunDeleted', 'PipelineRunDeleted. The PipelineRun was deleted while it ran; it is not made again.');
    assert.equal(run.tasks[0].state, 'lost');
    await happens(one.home, `workflowexecution/${name}`, 'jsonpath={.status.phase}=Failed');
    assert.deepEqual((await objects(one.home, name)).pipelineruns, []);
  });

  test('a WorkflowExecution that is deleted takes its run along', async () => {
    const one = await at('hand');
    const { id, name } = await working(one, 'inc-deleted-all');
    await inside(one, 'delete', 'workflowexecution', name);
    await told(one, id, 'lost', 'PipelineRunDeleted', 'PipelineRunDeleted. The PipelineRun was deleted while it ran; it is not made again.');
  });

  test('what a PipelineRun runs cannot be edited, neither before it is let go nor after', async () => {
    const one = await at('hand');
    const { id, name, go } = await pending(one, 'inc-edited', { seconds: 5 });
    const edited = () => assert.rejects(patch(one, `pipelinerun/${name}`, { spec: { taskRunTemplate: { serviceAccountName: 'default' } } }), /denied the request/);
    await edited();
    go();
    await one.world.until(id, 'running');
    await edited();
    await ranOnce(one, id);
  });

  test('a PipelineRun whose labels are edited before it is let go never starts', async () => {
    const one = await at('hand');
    const { id, name, go } = await pending(one, 'inc-relabelled');
    await patch(one, `pipelinerun/${name}`, { metadata: { labels: { 'playbook-id': 'another' } } });
    go();
    await told(one, id, 'failed', 'NotAsApproved', 'NotAsApproved. The API server made something else of the PipelineRun than was approved, so nothing runs: '
      + 'metadata.labels.playbook-id: sent "says", got "another".');
    assert.equal((await one.home.get('pipelinerun', name)).spec.status, 'Cancelled');
    await nothingRan(one, name);
  });

  test('a PipelineRun that loses its ticket is stopped, and the run lost', async () => {
    const one = await at('hand');
    const { id, name } = await working(one, 'inc-unmarked');
    // Tekton writes back the annotations that it read: what is taken away while it writes is there again, so once more.
    await until('the run to end', async () => {
      await patch(one, `pipelinerun/${name}`, { metadata: { annotations: { 'kubernaut.io/ticket-digest': null } } });
      return (await one.world.execution(id)).state !== 'running';
    });
    await told(one, id, 'lost', 'PipelineRunChanged', "PipelineRunChanged. The ticket's digest or the owner of the PipelineRun was changed while it ran; "
      + 'it was asked to stop, look after its pods.');
    assert.equal((await one.home.get('pipelinerun', name)).spec.status, 'Cancelled');
  });

  test('a PipelineRun that is cancelled by hand is cancelled', async () => {
    const one = await at('hand');
    const { id, name } = await working(one, 'inc-cancelled');
    await patch(one, `pipelinerun/${name}`, { spec: { status: 'Cancelled' } });
    await told(one, id, 'cancelled', 'Cancelled', `PipelineRun "${name}" was cancelled.`);
  });

  test('a ConfigMap that is deleted before the container starts fails the run', async () => {
    const one = await at('hand');
    const { id, name, go } = await pending(one, 'inc-parameters');
    await inside(one, 'delete', 'configmap', `${name}-parameters`);
    go();
    await told(one, id, 'failed', 'Failed', 'execute: CreateContainerConfigError. Failed to create pod due to config error.');
  });

  test('a ConfigMap that is deleted while the run is held up is found missing, and nothing runs', async () => {
    const one = await at('hand');
    const { id, name, go } = await pending(one, 'inc-parameters-before');
    await inside(one, 'delete', 'configmap', `${name}-parameters`);
    go(() => broken);
    await told(one, id, 'failed', 'NotAsApproved', `NotAsApproved. Configmaps "${name}-parameters" not found.`);
    await nothingRan(one, name);
  });

  test('an image that is not in its registry', async () => {
    const one = await at('hand');
    const missing = image('playbook-shell').replace(/@.*/, `@sha256:${'ab'.repeat(32)}`);
    await one.world.register(playbook({ workflow_id: 'missing', container_image: missing }));
    const run = await one.proposed('inc-image', { workflow: 'missing' });
    const id = await run.approve();
    const [registry, path] = [missing.split('/')[0], missing.replace(/^[^/]*\/|@.*$/g, '')];
    await told(one, id, 'failed', 'Failed', `execute: PodCreationFailed. Failed to create task run pod "${run.name}-execute": translating TaskSpec to Pod: GET `
      + `http://${registry}/v2/${path}/manifests/sha256:${'ab'.repeat(32)}: MANIFEST_UNKNOWN: Unknown manifest. Maybe invalid TaskSpec.`);
    await nothingRan(one, run.name);
  });

  test('no service account', async () => {
    const one = await at('poor');
    await inside(one, 'delete', 'serviceaccount', 'playbook-executor');
    const run = await one.proposed('inc-account');
    const id = await run.approve();
    await told(one, id, 'failed', 'Failed', `execute: PodCreationFailed. Failed to create task run pod "${run.name}-execute": translating TaskSpec to Pod: `
      + 'serviceaccounts "playbook-executor" not found. Maybe invalid TaskSpec.');
    await nothingRan(one, run.name);
  });

  test('no room for its PipelineRun: it waits, and goes on when there is', async () => {
    const one = await at('full-runs');
    const raise = await quota(one, { 'count/pipelineruns.tekton.dev': '0' });
    const run = await one.proposed('inc-runs');
    const id = await run.approve();
    assert.equal((await waits(one, id, 'WaitingForCluster')).state, 'pending');
    const counted = (word) => `${word}: count/pipelineruns.tekton.dev`;
    assert.deepEqual((await one.page(id)).why, [`WaitingForCluster. Not started yet: pipelineruns.tekton.dev "${run.name}" is forbidden: exceeded quota: full, `
      + `${counted('requested')}=1, ${counted('used')}=0, ${counted('limited')}=0.`]);
    await raise();
    await ranOnce(one, id);
  });

  // Nothing but an Event tells it: the pod's status says that its containers are being made.
  test('no Secret: it waits and names it, until it is there', async () => {
    const one = await at('secretless', { secret: 'kubeconfig-remediation' });
    const run = await one.proposed('inc-secret');
    const id = await run.approve();
    const waiting = await waits(one, id, 'FailedMount');
    assert.deepEqual([waiting.state, waiting.tasks[0].state, waiting.tasks[0].reason], ['running', 'pending', 'FailedMount']);
    const missing = /MountVolume\.SetUp failed for volume ".*" : secret "kubeconfig-remediation" not found/;
    const [why] = (await one.page(id)).why;
    assert.match(why, new RegExp(`^FailedMount\\. Execute waits: ${missing.source}\\.$`));
    const warned = ({ warnings }) => warnings.find(({ message }) => missing.test(message));
    const { kind, object, task, reason } = warned(waiting);
    assert.deepEqual([kind, object, task, reason], ['Pod', `${run.name}-execute-pod`, 'execute', 'FailedMount']);
    await until('it to be told again', async () => warned(await one.world.execution(id)).count > 1);
    const { body: events } = await one.world.first.get(`/runs/${id}?task=execute&tab=events`);
    assert.match(events, /<ol class="events">.*FailedMount.*kubeconfig-remediation.*execute-pod.* times, last .*<\/ol>/s);
    await there(one, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'kubeconfig-remediation' }, stringData: { kubeconfig: 'apiVersion: v1' } });
    // The kubelet looks again after two minutes at the latest.
    const over = await ended(one, id, 180);
    assert.deepEqual([over.state, over.reason], ['succeeded', 'Succeeded']);
    assert.ok(warned(over), 'what Kubernetes warned of stays told');
  });

  test('no node with room: it waits until its time is over', async () => {
    const one = await at('poor');
    await there(one, { apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'greedy' }, spec: { limits: [{ type: 'Container', default: { cpu: '1k' }, defaultRequest: { cpu: '1k' } }] } });
    await there(one, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'another' } });
    await one.world.register(playbook({ workflow_id: 'short', execution: { timeout: '20s', service_account: 'another' } }));
    const run = await one.proposed('inc-node', { workflow: 'short' });
    const id = await run.approve();
    await waits(one, id, 'Unschedulable', 'running');
    const [why] = (await one.page(id)).why;
    assert.match(why, /^Unschedulable\. Execute waits: 0\/\d+ nodes are available: \d+ Insufficient cpu\./);
    // Task and run have the same limit; which of the two Tekton sees first is its own affair.
    const end = await ended(one, id);
    assert.deepEqual([end.state, end.reason, end.tasks[0].state], ['timed_out', 'PipelineRunTimeout', 'timed_out']);
    const { why: [task, whole] } = await one.page(id);
    assert.match(task, /^execute: (TaskRunTimeout\. TaskRun ".*" failed to finish within "20s"|TaskRunCancelled\. TaskRun ".*" was cancelled\. TaskRun cancelled as the PipelineRun it belongs to has timed out)\.$/);
    assert.equal(whole, `PipelineRunTimeout. PipelineRun "${run.name}" failed to finish within "20s".`);
  });

  test('no volume: it waits, first for its claim and then for the volume, and can be cancelled', async () => {
    const one = await at('hand');
    // The claim that Tekton makes is refused by a quota of its class; its name stands in the message, and a claim is put there that nothing will bind.
    const raise = await quota(one, { 'local.storageclass.storage.k8s.io/persistentvolumeclaims': '0' });
    const steps = { workflowType: 'shared', reason: 'r', steps: [{ name: 'one', actionType: 'kubernetes/x', image: image('playbook-shell'), inputs: {}, runAfter: [], usesWorkspace: true }] };
    const run = await one.proposed('inc-volume', { steps });
    const id = await run.approve();
    const waiting = await until('its claim to be refused', async () => {
      const now = await one.world.execution(id);
      return /PVC creation error/.test(now.message) && now;
    });
    assert.deepEqual([waiting.state, waiting.reason], ['running', 'PipelineRunPending']);
    const claim = waiting.message.match(/retryable for (\S+):/)[1];
    const [held] = (await one.page(id)).why;
    assert.match(held, /^Waiting for PVC creation to succeed: PVC creation error, retryable for .*exceeded quota: full, requested: .*\.$/);
    await there(one, {
      apiVersion: 'v1', kind: 'PersistentVolumeClaim', metadata: { name: claim },
      spec: { storageClassName: 'nowhere', accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    });
    await waits(one, id, 'Unschedulable');
    const [why] = (await one.page(id)).why;
    assert.match(why, /^Unschedulable\. One waits: .*unbound immediate PersistentVolumeClaims/);
    await one.world.cancel(id);
    await told(one, id, 'cancelled', 'Cancelled', `PipelineRun "${run.name}" was cancelled.`);
    await raise();
  });

  test('a policy that denies the PipelineRun: the run fails with its sentence', async () => {
    const one = await at('guarded');
    await denied(one, 'faults-created', 'CREATE', 'inc-denied');
    await refuses('the policy to be in force', ['create', '--dry-run=server', '-f', '-'], probe(one, 'inc-denied'), /books/);
    const run = await one.proposed('inc-denied');
    const id = await run.approve();
    await told(one, id, 'failed', 'Invalid', `Invalid. Pipelineruns.tekton.dev "${run.name}" is forbidden: ValidatingAdmissionPolicy 'faults-created' with binding `
      + "'faults-created' denied request: no changes while the books are audited.");
    await nothingRan(one, run.name);
  });

  test('a policy that denies to let it go: it stays pending and says so, and runs when it is allowed', async () => {
    const one = await at('guarded');
    const { id, name, go } = await pending(one, 'inc-kept');
    await denied(one, 'faults-changed', 'UPDATE', 'inc-kept');
    const touch = ['--namespace', one.home.name, 'annotate', '--dry-run=server', '--overwrite', 'pipelinerun', name, 'a=b'];
    await refuses('the policy to be in force', touch, '', /books/);
    go();
    const run = await waits(one, id, 'WaitingForCluster');
    assert.equal(run.state, 'pending');
    const sentence = `pipelineruns.tekton.dev "${name}" is forbidden: ValidatingAdmissionPolicy 'faults-changed' with binding 'faults-changed' denied request: no changes while the books are audited`;
    assert.deepEqual((await one.page(id)).why, [`WaitingForCluster. Not started yet: ${sentence}; its PipelineRun could not be stopped: ${sentence}.`]);
    // Between two tries: what is denied and then, a moment later, may be stopped is stopped.
    const next = await one.proxy.hold((call) => call.verb === 'patch' && call.name === name && Array.isArray(call.json));
    await kubectl(['delete', 'validatingadmissionpolicybinding', 'faults-changed']);
    await until('the policy to be gone', async () => (await tried(touch)).code === 0);
    next.go();
    // Nobody denies it any more: it is let go, once.
    await ranOnce(one, id);
  });

  test('a webhook that nobody answers: the run waits, and goes on when it is gone', async () => {
    const one = await at('guarded');
    await apply({
      apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration', metadata: { name: 'faults-nobody' },
      webhooks: [{
        name: 'nobody.kubernaut.io', admissionReviewVersions: ['v1'], sideEffects: 'None', failurePolicy: 'Fail', timeoutSeconds: 1,
        clientConfig: { service: { namespace: one.home.name, name: 'nobody' } },
        namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': one.home.name } },
        matchConditions: [{ name: 'one', expression: "object.metadata.?labels['incident-id'].orValue('') == 'inc-unanswered'" }],
        rules: [{ apiGroups: ['tekton.dev'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pipelineruns'] }],
      }],
    });
    await refuses('the webhook to be asked', ['create', '--dry-run=server', '-f', '-'], probe(one, 'inc-unanswered'), /nobody\.kubernaut\.io/);
    const run = await one.proposed('inc-unanswered');
    const id = await run.approve();
    assert.equal((await waits(one, id, 'WaitingForCluster')).state, 'pending');
    const [why] = (await one.page(id)).why;
    assert.match(why, /^WaitingForCluster\. Not started yet: Internal error occurred: failed calling webhook "nobody\.kubernaut\.io": .*service "nobody" not found\.$/);
    await kubectl(['delete', 'validatingwebhookconfiguration', 'faults-nobody']);
    await ranOnce(one, id);
  });

  test('a namespace that is being deleted: nothing starts in it, and what ran ends with its pods', async () => {
    const one = await at('ending', { as: false });
    await there(one, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'stays', finalizers: ['kubernaut.io/stays'] } });
    const running = await working(one, 'inc-running');
    const late = await one.proposed('inc-late');
    const held = one.proxy.hold((call) => call.verb === 'create' && call.kind === 'pipelineruns' && call.name === late.name);
    const id = await late.approve();
    const { go } = await held;
    await kubectl(['delete', 'namespace', one.home.name, '--wait=false']);
    await happens(one.home, `namespace/${one.home.name}`, 'jsonpath={.status.phase}=Terminating');
    go();
    await told(one, id, 'failed', 'Forbidden', `Forbidden. Pipelineruns.tekton.dev "${late.name}" is forbidden: unable to create new content in namespace ${one.home.name} because it is being terminated.`);
    const run = await ended(one, running.id);
    // Whether the cluster removes the pod first or the PipelineRun is its own affair.
    assert.ok(run.state === 'lost' || (run.state === 'failed' && run.tasks[0].reason === 'StepFailed'), `${run.state} ${run.reason}: ${run.message}`);
    const said = await until('the console to say why it does not act', async () => {
      const { body } = await one.admin.get('/readyz');
      return !body.ready && !body.reasons.join().includes('wait a moment') && body.reasons;
    });
    const mend = `sed 's/kubernaut-system/${one.home.name}/g' deploy/base/namespace.yaml | kubectl apply -f -`;
    assert.deepEqual(said, [`the namespace ${one.home.name} is being deleted, so nothing runs in it; run \`${mend}\` when it is gone`]);
    await patch(one, 'configmap/stays', { metadata: { finalizers: null } });
    const gone = await until('the namespace to be gone', async () => {
      const { body } = await one.admin.get('/readyz');
      return body.reasons.join().includes('is not there') && body.reasons;
    });
    assert.deepEqual(gone, [`the namespace ${one.home.name} is not there; run \`${mend}\``]);
  });

  test('the API server does not answer for a while', async () => {
    const one = await at('away');
    await away(one, one.proxy.down, one.proxy.up);
  });

  test('the API server is restarted', async (t) => {
    // Another one on the same store: nobody else's is touched.
    const server = await startApiServer();
    if (!server) return t.skip('its programs can be started only on the cluster of end2end/cluster/up');
    try {
      const one = await at('restarted', { socketPath: server.socketPath });
      await away(one, server.stop, server.start);
    } finally {
      await server.close();
    }
  });

  for (const [name, shift] of [['slow', -3600], ['fast', 3600]]) {
    test(`a console whose clock is an hour ${name} runs what was approved`, async () => {
      const one = await at(`clock-${name}`, { env: { LD_PRELOAD: join(directory, 'clock.so'), CLOCK_SHIFT: String(shift) } });
      const run = await one.proposed('inc-clock', { seconds: 1 });
      const id = await run.approve();
      const left = Date.parse((await one.world.execution(id)).expires_at) - Date.now();
      assert.ok(left > 13 * 60_000 && left < 15.5 * 60_000, `the approval holds for ${left} ms by the database's clock`);
      await ranOnce(one, id);
    });
  }
});

// Last, because it is of the whole cluster.
test('Tekton does not work for a while', async () => {
  const one = await at('hand');
  const running = await working(one, 'inc-tekton-running', { seconds: 3 });
  const next = await one.proposed('inc-tekton-next');
  let id;
  try {
    await kubectl(['scale', '--namespace', 'tekton-pipelines', '--replicas=0', 'deployment/tekton-pipelines-controller']);
    await kubectl(['wait', '--namespace', 'tekton-pipelines', 'pod', '--selector=app=tekton-pipelines-controller', '--for=delete', '--timeout=60s']);
    id = await next.approve();
    await until('its PipelineRun to be let go', () => one.proxy.calls.some((call) => call.verb === 'patch' && call.kind === 'pipelineruns' && call.name === next.name && call.told === 200));
    await happens(one.home, `pod/${running.name}-execute-pod`, 'jsonpath={.status.phase}=Succeeded');
    assert.equal((await one.world.execution(running.id)).state, 'running');
    const waiting = await waits(one, id, 'WaitingForTekton');
    assert.deepEqual([waiting.state, waiting.stage], ['pending', 'started']);
    const why = 'WaitingForTekton. Tekton has not taken it up yet: its controller is away, or has much to do; look with '
      + '`kubectl get pods --all-namespaces --selector app=tekton-pipelines-controller`.';
    assert.deepEqual(await one.page(id), { state: 'Pending', why: [why] });
    // What ran is Tekton's to end: nothing is said of it before its time is over.
    assert.deepEqual(await one.page(running.id), { state: 'Running', why: [] });
  } finally {
    await kubectl(['scale', '--namespace', 'tekton-pipelines', '--replicas=1', 'deployment/tekton-pipelines-controller']);
  }
  await until('it to be said no more', async () => (await one.world.execution(id)).reason !== 'WaitingForTekton');
  await ranOnce(one, running.id);
  await ranOnce(one, id);
});
