// The actions of deploy/examples on a real cluster: that they do what they say, as the console would have them run, with the rights that
// their files give and no others. What they have in common with the playbooks is here, too; git/create-pr is in examples-git.test.mjs.
// KUBECONFIG=… CLUSTER_IMAGES=… node --test end2end/cluster/tests/examples-actions.test.mjs
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { container, pods, runs, stageOf, target, uids, wanted, workload } from './lib/examples.mjs';
import { ACTIONS, NOBODY, act, declined } from './lib/example-runs.mjs';
import { apply, kubectl } from './lib/kubectl.mjs';
import { file, image, root } from './lib/places.mjs';

stageOf('actions/account', 'actions/restart/rbac', 'actions/scale/rbac');

describe('kubernetes/restart_pod', { concurrency: 4 }, () => {
  const restart = { actionType: 'kubernetes/restart_pod', image: image('actions/restart') };

  test('replaces each pod by a ready one', async () => {
    await workload('restart', { replicas: 3 });
    const former = await uids('restart');
    const ended = await act(restart, { namespace: target, labelSelector: 'app=restart' });
    assert.ok(ended.succeeded, ended.log);
    assert.deepEqual(ended.outputs, { restarted: 3 });
    const now = await pods('restart');
    assert.equal(now.length, 3);
    for (const pod of now) {
      assert.ok(!former.includes(pod.metadata.uid));
      assert.equal(pod.status.conditions.find(({ type }) => type === 'Ready').status, 'True');
    }
  });

  test('a disruption budget holds', async () => {
    await workload('restart-budget', { replicas: 2 });
    await apply({
      apiVersion: 'policy/v1',
      kind: 'PodDisruptionBudget',
      metadata: { name: 'restart-budget', namespace: target },
      spec: { minAvailable: 2, selector: { matchLabels: { app: 'restart-budget' } } },
    });
    const former = await uids('restart-budget');
    await declined(5, /0 of 2 pods are restarted; .* could not be evicted within 6 s: .*disruption budget/, restart, {
      namespace: target,
      labelSelector: 'app=restart-budget',
      timeoutSeconds: 6,
    });
    assert.deepEqual(await uids('restart-budget'), former);
  });

  test('nothing to restart, too much, what nothing would make anew, no rights, inputs that are none', async () => {
    await workload('restart-refused', { replicas: 2 });
    const labels = { app: 'restart-bare' };
    await apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bare', namespace: target, labels }, spec: { containers: [container('main', '16Mi')] } });
    const former = await uids('restart-refused');
    const inputs = { namespace: target, labelSelector: 'app=restart-refused' };
    await Promise.all([
      declined(3, /no pod in .* has app=nowhere/, restart, { ...inputs, labelSelector: 'app=nowhere' }),
      declined(2, /picks 2 pods, more than maxPods \(1\): none was restarted/, restart, { ...inputs, maxPods: 1 }),
      declined(2, /nothing would make these anew, none was restarted: bare/, restart, { ...inputs, labelSelector: 'app=restart-bare' }),
      declined(4, /refuses this account/, restart, inputs, { account: NOBODY }),
      declined(2, /labelSelector is missing/, restart, { namespace: target }),
      declined(2, /there is no input selector; there are labelSelector, maxPods, namespace, timeoutSeconds/, restart, { ...inputs, selector: 'x' }),
      declined(2, /namespace has a line break/, restart, { ...inputs, namespace: `${target}\nother` }),
    ]);
    assert.deepEqual(await uids('restart-refused'), former);
    assert.equal((await pods('restart-bare')).length, 1);
  });
});

describe('kubernetes/scale_deployment', { concurrency: 4 }, () => {
  const scale = { actionType: 'kubernetes/scale_deployment', image: image('actions/scale') };

  test('scales', async () => {
    await workload('scale');
    const ended = await act(scale, { namespace: target, deployment: 'scale', replicas: 3 });
    assert.ok(ended.succeeded, ended.log);
    assert.deepEqual(ended.outputs, { replicas: 3, previous: 1 });
    assert.equal(await wanted('scale'), 3);
    assert.equal((await pods('scale')).length, 3);
  });

  test('a Deployment that is not there, inputs that are none, an account without rights', async () => {
    await workload('scale-refused');
    const inputs = { namespace: target, deployment: 'scale-refused', replicas: 2 };
    await Promise.all([
      declined(3, /deployments.apps "nowhere" not found/, scale, { ...inputs, deployment: 'nowhere' }),
      declined(2, /replicas must be integer, not string/, scale, { ...inputs, replicas: '2' }),
      declined(2, /replicas must be integer, not number/, scale, { ...inputs, replicas: 1.5 }),
      declined(2, /replicas must be from 0 to 1000/, scale, { ...inputs, replicas: -1 }),
      declined(4, /refuses this account/, scale, inputs, { account: NOBODY }),
    ]);
    assert.equal(await wanted('scale-refused'), 1);
  });

  test('reads standard input where there is no ACTION_INPUTS, and needs no writable root', async () => {
    await workload('scale-stdin');
    const spec = { image: scale.image, stdin: true, stdinOnce: true, securityContext: { readOnlyRootFilesystem: true, runAsNonRoot: true } };
    const overrides = { spec: { serviceAccountName: ACTIONS, containers: [{ name: 'by-hand', ...spec }] } };
    const options = ['--restart=Never', '--rm', '--stdin', '--quiet', `--image=${scale.image}`, `--overrides=${JSON.stringify(overrides)}`];
    const inputs = JSON.stringify({ namespace: target, deployment: 'scale-stdin', replicas: 2 });
    await kubectl(['--namespace', runs, 'run', 'by-hand', ...options], inputs);
    assert.equal(await wanted('scale-stdin'), 2);
  });
});

test('each image runs as a user that is not root, and has the contract that its action promises', () => {
  for (const kind of ['playbooks', 'actions']) {
    for (const entry of readdirSync(join(root, 'deploy/examples', kind), { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
      const read = (name) => file(join('deploy/examples', kind, entry.name, name));
      assert.match(read('Dockerfile'), /^USER 65532$/m, entry.name);
      if (kind === 'actions') {
        const contract = JSON.parse(read('action-contract.yaml'));
        assert.deepEqual(Object.keys(contract), ['actionType', 'version', 'description', 'inputs', 'outputs', 'repeatable']);
      }
    }
  }
});
