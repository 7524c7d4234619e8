// The playbooks of deploy/examples on a real cluster: that they do what they say, as the console would have them run, with the rights that
// their files give and no others. KUBECONFIG=… CLUSTER_IMAGES=… node --test end2end/cluster/tests/examples-playbooks.test.mjs
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { container, pods, runs, stageOf, target, uids, wanted, workload } from './lib/examples.mjs';
import { NOBODY, kubeconfigOf, refused, run, startPlaybook } from './lib/example-runs.mjs';
import { eventually, get, kubectl } from './lib/kubectl.mjs';

stageOf('playbooks/oomkill-scale-down/rbac', 'playbooks/oomkill-increase-memory/rbac', 'playbooks/oomkill-multi-strategy/rbac');

const limits = (pod) => Object.fromEntries(pod.spec.containers.map(({ name, resources }) => [name, resources.limits.memory]));

const parametersOf = (name, more = {}) => ({
  TARGET_RESOURCE_KIND: 'Deployment',
  TARGET_RESOURCE_NAME: name,
  TARGET_NAMESPACE: target,
  ...more,
});

// --- playbooks in shell ------------------------------------------------------------------------------------------------------------

describe('oomkill-scale-down', { concurrency: 4 }, () => {
  const scaleDown = (name, replicas, more = {}, options = {}) => ({
    playbook: 'playbook-oomkill-scale-down',
    account: 'oomkill-scale-down',
    parameters: parametersOf(name, { SCALE_TARGET_REPLICAS: `${replicas}`, STABLE_SECONDS: '2', ...more }),
    ...options,
  });

  test('scales, says so, and once more is no harm; back is the same way', async () => {
    await workload('down', { replicas: 3 });
    const ended = await run(scaleDown('down', 1));
    assert.ok(ended.succeeded, ended.log);
    assert.deepEqual(ended.outputs, { previous_replicas: 3, final_replicas: 1 });
    assert.equal(await wanted('down'), 1);
    assert.equal((await pods('down')).length, 1);
    const again = await run(scaleDown('down', 1));
    assert.deepEqual(again.outputs, { previous_replicas: 1, final_replicas: 1 });
    assert.match(again.log, /nothing to change/);
    const back = await run(scaleDown('down', 2));
    assert.deepEqual(back.outputs, { previous_replicas: 1, final_replicas: 2 });
    assert.match(back.log, /right for a rollback only/);
    assert.equal((await pods('down')).length, 2);
  });

  test('scales a StatefulSet to nothing', async () => {
    await workload('down-set', { kind: 'StatefulSet', replicas: 2 });
    const ended = await run(scaleDown('down-set', 0, { TARGET_RESOURCE_KIND: 'StatefulSet' }));
    assert.ok(ended.succeeded, ended.log);
    assert.equal(await wanted('down-set', 'statefulset'), 0);
    assert.deepEqual(await pods('down-set'), []);
  });

  test('a target that is not there, values that cannot be, an account without rights', async () => {
    await workload('down-refused', { replicas: 2 });
    await Promise.all([
      refused(3, /ERROR: the cluster does not have it: .*deployments.apps "nowhere" not found/, scaleDown('nowhere', 1)),
      refused(2, /ERROR: SCALE_TARGET_REPLICAS is no whole number from 0 to 100: '-1'/, scaleDown('down-refused', -1)),
      refused(2, /ERROR: a DaemonSet .* cannot be scaled/, scaleDown('down-refused', 1, { TARGET_RESOURCE_KIND: 'DaemonSet' })),
      refused(2, /ERROR: the target's name is no name of Kubernetes: '--all'/, scaleDown('--all', 1)),
      refused(4, /ERROR: the cluster refuses this account\. Grant what rbac\.yaml .* is forbidden/, scaleDown('down-refused', 1, {}, { account: NOBODY })),
    ]);
    assert.equal(await wanted('down-refused'), 2);
  });

  test('says who is in the way when something else sets the number', async () => {
    await workload('down-contested', { replicas: 2 });
    const started = await startPlaybook(scaleDown('down-contested', 1, { STABLE_SECONDS: '20' }));
    await eventually('it to be scaled', async () => (await wanted('down-contested')) === 1);
    await kubectl(['--namespace', target, 'scale', 'deployment/down-contested', '--replicas=2']);
    const ended = await started.ended();
    assert.equal(ended.exitCode, 6, ended.log);
    assert.match(ended.log, /is to have 2 replicas again, not 1: something else sets them, such as a HorizontalPodAutoscaler/);
  });

  test('gives up in time, and a second attempt says the same', async () => {
    await workload('down-stuck', { replicas: 2, ready: false, containers: [{ ...container('main', '32Mi'), readinessProbe: { exec: { command: ['false'] } } }] });
    const ended = await run(scaleDown('down-stuck', 1, { WAIT_SECONDS: '6' }, { retries: 1 }));
    assert.equal(ended.exitCode, 5, ended.log);
    assert.equal(ended.attempts, 2);
    assert.match(ended.log, /scaled to 1, but after 6 s there are 1 pods with 0 ready/);
  });

  test('ends at once when it is cancelled', async () => {
    await workload('down-cancelled', { replicas: 2, ready: false, containers: [{ ...container('main', '32Mi'), readinessProbe: { exec: { command: ['false'] } } }] });
    const started = await startPlaybook(scaleDown('down-cancelled', 1, { WAIT_SECONDS: '600' }));
    await eventually('it to be scaled', async () => (await wanted('down-cancelled')) === 1);
    const [taskRun] = await started.taskRuns();
    await pause(2000);
    await started.cancel();
    const asked = Date.now();
    // A program that does not listen is killed after 30 seconds.
    await eventually('the end of its pod', () => get('--namespace', runs, 'pod', taskRun.status.podName).then(() => false, () => true));
    assert.ok(Date.now() - asked < 15_000, `${Date.now() - asked} ms`);
  });

  test('acts on the cluster of a kubeconfig that the run is given', async () => {
    await workload('down-elsewhere', { replicas: 2 });
    const secret = await kubeconfigOf('oomkill-scale-down');
    const ended = await run(scaleDown('down-elsewhere', 1, {}, { account: NOBODY, kubeconfig: secret }));
    assert.ok(ended.succeeded, ended.log);
    assert.match(ended.log, /Cluster: that of \/workspace\/kubeconfig\/kubeconfig/);
    assert.equal(await wanted('down-elsewhere'), 1);
  });
});

describe('oomkill-increase-memory', { concurrency: 4 }, () => {
  const increase = (name, limit, more = {}, options = {}) => ({
    playbook: 'playbook-oomkill-increase-memory',
    account: 'oomkill-increase-memory',
    parameters: parametersOf(name, { MEMORY_LIMIT_NEW: limit, ...more }),
    ...options,
  });

  test('the pods run with the new limit', async () => {
    await workload('memory', { replicas: 2 });
    const former = await uids('memory');
    const ended = await run(increase('memory', '48Mi'));
    assert.ok(ended.succeeded, ended.log);
    assert.deepEqual(ended.outputs, { container: 'main', previous_limit: '32Mi', new_limit: '48Mi' });
    assert.match(ended.log, /::group::Rollout[^]*successfully rolled out[^]*::endgroup::/);
    const now = await eventually('two pods', async () => ((await pods('memory')).length === 2 ? pods('memory') : null));
    for (const pod of now) {
      assert.deepEqual(limits(pod), { main: '48Mi' });
      assert.ok(!former.includes(pod.metadata.uid));
    }
    const again = await run(increase('memory', '48Mi'));
    assert.match(again.log, /nothing to change/);
    assert.deepEqual(again.outputs, { container: 'main', previous_limit: '48Mi', new_limit: '48Mi' });
    const back = await run(increase('memory', '32Mi'));
    assert.match(back.log, /less than before: right for a rollback only/);
    assert.ok(back.succeeded, back.log);
  });

  test('of several containers the one that was named, and none that was not', async () => {
    await workload('memory-two', { kind: 'DaemonSet', containers: [container('main', '32Mi'), container('sidecar', '16Mi')] });
    const daemonSet = { TARGET_RESOURCE_KIND: 'DaemonSet' };
    await refused(2, /has several containers: name one in TARGET_CONTAINER, of main sidecar/, increase('memory-two', '48Mi', daemonSet));
    await refused(3, /has no container other, but main sidecar/, increase('memory-two', '48Mi', { ...daemonSet, TARGET_CONTAINER: 'other' }));
    const ended = await run(increase('memory-two', '24Mi', { ...daemonSet, TARGET_CONTAINER: 'sidecar' }));
    assert.ok(ended.succeeded, ended.log);
    for (const pod of await pods('memory-two')) assert.deepEqual(limits(pod), { main: '32Mi', sidecar: '24Mi' });
  });

  test('a limit that no node has', async () => {
    await workload('memory-vast');
    await refused(5, /ERROR: the limit is 900Gi, but the new pods are not ready; .* To go back: 32Mi/, increase('memory-vast', '900Gi', { WAIT_SECONDS: '6' }));
  });

  test('a target that is not there, values that cannot be, an account without rights', async () => {
    await workload('memory-refused');
    await Promise.all([
      refused(3, /deployments.apps "nowhere" not found/, increase('nowhere', '48Mi')),
      refused(2, /MEMORY_LIMIT_NEW must be a number with Mi or Gi/, increase('memory-refused', '48')),
      refused(2, /the number in MEMORY_LIMIT_NEW is not within 1 to 99999: 0/, increase('memory-refused', '0Mi')),
      refused(2, /MEMORY_LIMIT_NEW is missing/, increase('memory-refused', '')),
      refused(4, /refuses this account/, increase('memory-refused', '48Mi', {}, { account: 'oomkill-scale-down' })),
    ]);
    assert.deepEqual(limits((await pods('memory-refused'))[0]), { main: '32Mi' });
  });
});

// --- the playbook in Ansible -------------------------------------------------------------------------------------------------------

describe('oomkill-multi-strategy', { concurrency: 3 }, () => {
  const strategy = (type, name, more = {}, options = {}) => ({
    playbook: 'playbook-oomkill-multi',
    account: 'oomkill-multi-strategy',
    parameters: parametersOf(name, { REMEDIATION_TYPE: type, ...more }),
    ...options,
  });

  test('scale_down', async () => {
    await workload('multi-down', { replicas: 3 });
    const ended = await run(strategy('scale_down', 'multi-down', { SCALE_TARGET_REPLICAS: '1' }));
    assert.ok(ended.succeeded, ended.log);
    assert.deepEqual(ended.outputs, { previous_replicas: 3, final_replicas: 1 });
    assert.equal(await wanted('multi-down'), 1);
    assert.equal((await pods('multi-down')).length, 1);
  });

  test('increase_memory', async () => {
    await workload('multi-memory', { containers: [container('main', '32Mi'), container('sidecar', '16Mi')] });
    const ended = await run(strategy('increase_memory', 'multi-memory', { MEMORY_LIMIT_NEW: '48Mi', TARGET_CONTAINER: 'main' }));
    assert.ok(ended.succeeded, ended.log);
    assert.deepEqual(ended.outputs, { container: 'main', previous_limit: '32Mi', new_limit: '48Mi' });
    const [pod] = await eventually('one pod', async () => ((await pods('multi-memory')).length === 1 ? pods('multi-memory') : null));
    assert.deepEqual(limits(pod), { main: '48Mi', sidecar: '16Mi' });
  });

  test('optimize_application', async () => {
    await workload('multi-optimize');
    const setting = { SETTING_NAME: 'MEMORY_PROFILE', SETTING_VALUE: 'lean' };
    const ended = await run(strategy('optimize_application', 'multi-optimize', setting));
    assert.ok(ended.succeeded, ended.log);
    assert.deepEqual(ended.outputs, { container: 'main', setting: 'MEMORY_PROFILE', previous: 'none', now: 'lean' });
    const [pod] = await pods('multi-optimize');
    assert.deepEqual(pod.spec.containers[0].env, [{ name: 'MEMORY_PROFILE', value: 'lean' }]);
  });

  test('what it refuses, it says', async () => {
    await workload('multi-refused', { replicas: 2 });
    const down = { SCALE_TARGET_REPLICAS: '1' };
    await refused(2, /REMEDIATION_TYPE must be scale_down, increase_memory or optimize_application, not 'reboot'/, strategy('reboot', 'multi-refused'));
    await refused(2, /SCALE_TARGET_REPLICAS must be a whole number from 0 to 100, not '1e3'/, strategy('scale_down', 'multi-refused', { SCALE_TARGET_REPLICAS: '1e3' }));
    await refused(2, /Deployment nowhere in .* is not there/, strategy('scale_down', 'nowhere', down));
    await refused(2, /forbidden/i, strategy('scale_down', 'multi-refused', down, { account: NOBODY }));
    assert.equal(await wanted('multi-refused'), 2);
  });

  test('acts on the cluster of a kubeconfig that the run is given', async () => {
    await workload('multi-elsewhere', { replicas: 2 });
    const secret = await kubeconfigOf('oomkill-multi-strategy');
    const ended = await run(strategy('scale_down', 'multi-elsewhere', { SCALE_TARGET_REPLICAS: '1' }, { account: NOBODY, kubeconfig: secret }));
    assert.ok(ended.succeeded, ended.log);
    assert.equal(await wanted('multi-elsewhere'), 1);
  });
});
