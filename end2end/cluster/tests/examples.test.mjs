// The images of deploy/examples on a real cluster: that they do what they say, as the console would have them run, with the rights that
// their files give and no others. KUBECONFIG=… CLUSTER_IMAGES=… node --test end2end/cluster/tests/examples.test.mjs
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { apply, eventually, get, image, installTekton, kubectl, root, runPlaybook, runSteps, salt, shipped } from './cluster.mjs';

const places = { runs: `ex-runs-${salt}`, target: `ex-target-${salt}` };
const { runs, target } = places;
const NOBODY = 'playbook-executor'; // has no rights

before(async () => {
  for (const name of [runs, target]) await kubectl(['create', 'namespace', name]);
  await installTekton(places);
  for (const file of ['playbooks/oomkill-scale-down/rbac', 'playbooks/oomkill-increase-memory/rbac', 'playbooks/oomkill-multi-strategy/rbac',
    'actions/account', 'actions/restart/rbac', 'actions/scale/rbac']) {
    await apply(shipped(`examples/${file}.yaml`, places));
  }
  await gitServer();
  await eventually('the accounts', () => get(runs, 'serviceaccount', 'kubernaut-actions').catch(() => null));
});

after(() => kubectl(['delete', 'namespace', runs, target, '--wait=false']));

// --- what they act on ------------------------------------------------------------------------------------------------------------

const container = (name, memory) => ({
  name,
  image: image('busybox'),
  command: ['sleep', '100000'],
  resources: { limits: { memory } },
});

/** A workload of idle pods, all ready. */
async function workload(name, { kind = 'Deployment', replicas = 1, containers = [container('main', '32Mi')], ready = true } = {}) {
  const labels = { app: name };
  await apply({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace: target },
    spec: {
      ...(kind === 'DaemonSet' ? {} : { replicas }),
      ...(kind === 'StatefulSet' ? { serviceName: name, podManagementPolicy: 'Parallel' } : {}),
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { terminationGracePeriodSeconds: 1, automountServiceAccountToken: false, containers },
      },
    },
  });
  if (ready) await kubectl(['--namespace', target, 'rollout', 'status', `${kind}/${name}`, '--timeout=120s']);
}

const pods = async (app) =>
  (await get(target, 'pods', `--selector=app=${app}`)).items.filter(({ metadata }) => !metadata.deletionTimestamp);
const uids = async (app) => (await pods(app)).map(({ metadata }) => metadata.uid).sort();
const limits = (pod) => Object.fromEntries(pod.spec.containers.map(({ name, resources }) => [name, resources.limits.memory]));
const wanted = async (name, kind = 'deployment') => (await get(target, kind, name)).spec.replicas;

const parametersOf = (name, more = {}) => ({
  TARGET_RESOURCE_KIND: 'Deployment',
  TARGET_RESOURCE_NAME: name,
  TARGET_NAMESPACE: target,
  ...more,
});

const run = async (options) => (await runPlaybook(runs, options)).ended();

/** A playbook's run that must fail with this exit code and say this. */
async function refused(code, words, options) {
  const ended = await run(options);
  assert.equal(ended.succeeded, false, ended.log);
  assert.equal(ended.exitCode, code, ended.log);
  assert.match(ended.log, words);
  assert.equal(ended.outputs, undefined);
}

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
    const started = await runPlaybook(runs, scaleDown('down-contested', 1, { STABLE_SECONDS: '20' }));
    await eventually('scaled', async () => (await wanted('down-contested')) === 1);
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
    const started = await runPlaybook(runs, scaleDown('down-cancelled', 1, { WAIT_SECONDS: '600' }));
    await eventually('scaled', async () => (await wanted('down-cancelled')) === 1);
    const [taskRun] = await started.taskRuns();
    await pause(2000);
    await started.cancel();
    const asked = Date.now();
    // A program that does not listen is killed after 30 seconds.
    await eventually('the end of its pod', () => get(runs, 'pod', taskRun.status.podName).then(() => false, () => true));
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

/** A Secret with a kubeconfig of that account: what it may do, and only by this, shows which cluster a run acts on. */
async function kubeconfigOf(account) {
  const token = (await kubectl(['--namespace', runs, 'create', 'token', account])).trim();
  const authority = (await get(runs, 'configmap', 'kube-root-ca.crt')).data['ca.crt'];
  const kubeconfig = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'it',
    clusters: [{ name: 'it', cluster: { server: 'https://kubernetes.default.svc', 'certificate-authority-data': Buffer.from(authority).toString('base64') } }],
    users: [{ name: 'it', user: { token } }],
    contexts: [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
  });
  const name = `kubeconfig-${account}`;
  await apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: runs }, stringData: { kubeconfig } });
  return name;
}

// --- actions -------------------------------------------------------------------------------------------------------------------------

const ACCOUNT = 'kubernaut-actions';
const step = (action, inputs, more = {}) => ({ name: 'step', ...action, inputs, ...more });
const act = async (action, inputs, { account = ACCOUNT, ...more } = {}) => {
  const ended = await (await runSteps(runs, [step(action, inputs, more)], account)).ended();
  return { ...ended, ...ended.tasks.step };
};
async function declined(code, words, action, inputs, options) {
  const ended = await act(action, inputs, options);
  assert.equal(ended.exitCode, code, ended.log);
  assert.match(ended.log, words);
}

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
    const overrides = { spec: { serviceAccountName: ACCOUNT, containers: [{ name: 'by-hand', ...spec }] } };
    const options = ['--restart=Never', '--rm', '--stdin', '--quiet', `--image=${scale.image}`, `--overrides=${JSON.stringify(overrides)}`];
    const inputs = JSON.stringify({ namespace: target, deployment: 'scale-stdin', replicas: 2 });
    await kubectl(['--namespace', runs, 'run', 'by-hand', ...options], inputs);
    assert.equal(await wanted('scale-stdin'), 2);
  });
});

// --- Git -----------------------------------------------------------------------------------------------------------------------------

const TOKEN = `token-${salt}`;
const HOST = `git.${runs}.svc`;
const REPOSITORY = `http://${HOST}:8080/cgi-bin/git/company/k8s-configs.git`;
const API = `http://${HOST}:8081/api/v1`;
const MANIFEST = 'apps/payment/deployment.yaml';

/** A server of Git that asks for a password, and beside it what answers like Gitea's API. */
async function gitServer() {
  const text = (...lines) => `${lines.join('\n')}\n`;
  const data = {
    git: text('#!/bin/sh', 'export GIT_PROJECT_ROOT=/srv GIT_HTTP_EXPORT_ALL=1', 'exec /usr/lib/git-core/git-http-backend'),
    'httpd.conf': text(`/cgi-bin:kubernaut:${TOKEN}`),
    start: text(
      '#!/bin/sh', 'set -e', 'export HOME=/tmp', 'git config --global user.name test', 'git config --global user.email test@example.invalid',
      'git init --quiet --bare --initial-branch main /srv/company/k8s-configs.git',
      'git -C /srv/company/k8s-configs.git config http.receivepack true',
      'git clone --quiet /srv/company/k8s-configs.git /tmp/work', 'cd /tmp/work', 'mkdir -p apps/payment',
      `printf 'kind: Deployment\\nlimits:\\n  memory: 1Gi\\n' >${MANIFEST}`, 'ln -s /etc/passwd link',
      'git add .', 'git commit --quiet -m first', 'git push --quiet origin HEAD:main', 'exec busybox httpd -f -p 8080 -h /www -c /scripts/httpd.conf',
    ),
    'api.py': readFileSync(new URL('pulls.py', import.meta.url), 'utf8'),
  };
  const metadata = (name) => ({ name, namespace: runs });
  const mount = (name, mountPath) => ({ name, mountPath });
  await apply(
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('git-server'), data },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { ...metadata('git-credentials'), annotations: { 'tekton.dev/git-0': `http://${HOST}:8080` } },
      type: 'kubernetes.io/basic-auth',
      stringData: { username: 'kubernaut', password: TOKEN },
    },
    { apiVersion: 'v1', kind: 'Service', metadata: metadata('git'), spec: { selector: { app: 'git' }, ports: [{ name: 'git', port: 8080 }, { name: 'api', port: 8081 }] } },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata('git'), labels: { app: 'git' } },
      spec: {
        terminationGracePeriodSeconds: 1,
        securityContext: { runAsUser: 65532, runAsNonRoot: true, fsGroup: 65532 },
        containers: [
          {
            name: 'git',
            image: image('git'),
            command: ['/scripts/start'],
            volumeMounts: [mount('scripts', '/scripts'), mount('srv', '/srv'), { ...mount('scripts', '/www/cgi-bin/git'), subPath: 'git' }],
            readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
          },
          {
            name: 'api',
            image: image('playbook-oomkill-multi'),
            command: ['/usr/bin/python3', '-u', '/scripts/api.py'],
            env: [{ name: 'TOKEN', value: TOKEN }],
            volumeMounts: [mount('scripts', '/scripts')],
            readinessProbe: { tcpSocket: { port: 8081 }, periodSeconds: 1 },
          },
        ],
        volumes: [{ name: 'scripts', configMap: { name: 'git-server', defaultMode: 0o755 } }, { name: 'srv', emptyDir: {} }],
      },
    },
  );
  await kubectl(['--namespace', runs, 'wait', '--for=condition=Ready', 'pod/git', '--timeout=120s']);
}

const git = (...args) => kubectl(['--namespace', runs, 'exec', 'git', '--container=git', '--', 'git', '-C', '/srv/company/k8s-configs.git', ...args]);
const calls = async () =>
  (await kubectl(['--namespace', runs, 'logs', 'git', '--container=api'])).split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));

describe('git/create-pr', { concurrency: 4 }, () => {
  const createPr = { actionType: 'git/create-pr', image: image('actions/git-pr') };
  const change = [{ path: MANIFEST, old: 'memory: 1Gi', new: 'memory: 2Gi' }];
  const inputs = (branch, more = {}) => ({ repository: REPOSITORY, branch, title: 'Fix payment-service OOMKilled', replace: change, ...more });

  test('pushes a branch with the change and opens a pull request, once', async () => {
    const body = '## Why\n\n"8 OOMKilled" events: 1Gi → 2Gi $(id)';
    const given = inputs('kubernaut/payment', { body, apiUrl: API, files: [{ path: 'apps/payment/NOTE.md', content: 'raised\n' }] });
    const ended = await act(createPr, given);
    assert.ok(ended.succeeded, ended.log);
    const commit = (await git('rev-parse', 'kubernaut/payment')).trim();
    assert.deepEqual(ended.outputs, { branch: 'kubernaut/payment', changed: true, commit, pull_request: `http://${HOST}/company/k8s-configs/pulls/1` });
    assert.equal(await git('show', `kubernaut/payment:${MANIFEST}`), 'kind: Deployment\nlimits:\n  memory: 2Gi\n');
    assert.equal(await git('show', 'kubernaut/payment:apps/payment/NOTE.md'), 'raised\n');
    assert.equal(await git('log', '-1', '--format=%an|%s|%b', 'kubernaut/payment'), `Kubernaut|Fix payment-service OOMKilled|${body}\n\n`);
    assert.equal((await git('rev-parse', 'kubernaut/payment~1')).trim(), (await git('rev-parse', 'main')).trim());
    const opened = { method: 'POST', path: '/api/v1/repos/company/k8s-configs/pulls', body: { title: given.title, body, head: given.branch, base: 'main' } };
    assert.deepEqual((await calls()).filter((call) => call.body?.head === given.branch), [opened]);
    assert.ok(!ended.log.includes(TOKEN));

    const again = await act(createPr, given);
    assert.ok(again.succeeded, again.log);
    assert.deepEqual(again.outputs, ended.outputs);
    assert.match(again.log, /is there with the same content/);
    assert.match(again.log, /There is one already/);
    const other = { ...given, files: [] };
    await declined(6, /there is a branch kubernaut\/payment with other content; it is left alone/, createPr, other);
    assert.equal((await git('rev-parse', 'kubernaut/payment')).trim(), commit);
  });

  test('pushes only, where no API is known', async () => {
    const ended = await act(createPr, inputs('only-pushed'));
    assert.ok(ended.succeeded, ended.log);
    assert.equal(ended.outputs.pull_request, '');
    assert.equal((await git('rev-parse', 'only-pushed')).trim(), ended.outputs.commit);
  });

  test('has nothing to propose where all of it is there', async () => {
    const ended = await act(createPr, inputs('nothing-new', { replace: [{ path: MANIFEST, old: 'memory: 512Mi', new: 'memory: 1Gi' }] }));
    assert.ok(ended.succeeded, ended.log);
    assert.deepEqual(ended.outputs, { branch: 'nothing-new', changed: false, pull_request: '' });
  });

  test('what cannot be, leaves no branch', async () => {
    const replace = (path, old) => [{ path, old, new: 'x' }];
    await Promise.all([
      declined(3, /main has no file nowhere\.yaml/, createPr, inputs('r-1', { replace: replace('nowhere.yaml', 'a') })),
      declined(6, /deployment\.yaml: the text stands 0 times in it, not once/, createPr, inputs('r-2', { replace: replace(MANIFEST, 'memory: 3Gi') })),
      declined(2, /link is no file in the repository, but a link/, createPr, inputs('r-3', { files: [{ path: 'link', content: 'x' }] })),
      declined(2, /Git does not take this path: \.\.\/outside/, createPr, inputs('r-4', { files: [{ path: '../outside', content: 'x' }] })),
      declined(2, /Git does not take this path: \.git\/hooks\/x/, createPr, inputs('r-5', { files: [{ path: '.git/hooks/x', content: 'x' }] })),
      declined(2, /nothing is to be changed/, createPr, inputs('r-6', { replace: [] })),
      declined(2, /the API must be on the repository's host/, createPr, inputs('r-7', { apiUrl: 'https://elsewhere.example.com/api/v1' })),
      declined(2, /repository must match/, createPr, inputs('r-8', { repository: 'ext::sh -c id' })),
      declined(3, /reading the repository: it is not there/, createPr, inputs('r-9', { repository: REPOSITORY.replace('k8s-configs', 'nowhere') })),
      declined(3, /reading the repository: it is not there/, createPr, inputs('r-10', { base: 'nowhere' })),
      declined(4, /reading the repository: the server refuses\. README\.md says how to give a token/, createPr, inputs('r-11'), { account: NOBODY }),
      declined(2, /no user or password may stand in the repository's address/, createPr, inputs('r-12', { repository: REPOSITORY.replace('//', '//a:b@') })),
    ]);
    assert.equal(await git('for-each-ref', '--format=%(refname)', 'refs/heads/r-*'), '');
  });

  test('the three steps of the seed, over a shared volume', async () => {
    await workload('payment', { replicas: 2 });
    const former = await uids('payment');
    const ended = await (
      await runSteps(
        runs,
        [
          { name: 'restart-pods', actionType: 'kubernetes/restart_pod', image: image('actions/restart'), inputs: { namespace: target, labelSelector: 'app=payment' } },
          { name: 'scale-deployment', actionType: 'kubernetes/scale_deployment', image: image('actions/scale'), inputs: { deployment: 'payment', namespace: target, replicas: 4 } },
          { name: 'create-gitops-pr', ...createPr, usesWorkspace: true, inputs: inputs('kubernaut/three', { apiUrl: API }), runAfter: ['restart-pods', 'scale-deployment'] },
        ],
        ACCOUNT,
      )
    ).ended();
    assert.ok(ended.succeeded, JSON.stringify(ended.tasks, null, 2));
    assert.ok(ended.tasks['restart-pods'].outputs.restarted >= 2);
    assert.equal(ended.tasks['scale-deployment'].outputs.replicas, 4);
    assert.match(ended.tasks['create-gitops-pr'].outputs.pull_request, /\/pulls\/\d+$/);
    const now = await uids('payment');
    assert.equal(now.length, 4);
    assert.ok(former.every((uid) => !now.includes(uid)));
  });
});

// --- the documents beside them -----------------------------------------------------------------------------------------------------

test('each image runs as a user that is not root, and has the contract that its action promises', () => {
  for (const kind of ['playbooks', 'actions']) {
    for (const entry of readdirSync(join(root, 'deploy/examples', kind), { withFileTypes: true }).filter((entry) => entry.isDirectory())) {
      const read = (file) => readFileSync(join(root, 'deploy/examples', kind, entry.name, file), 'utf8');
      assert.match(read('Dockerfile'), /^USER 65532$/m, entry.name);
      if (kind === 'actions') {
        const contract = JSON.parse(read('action-contract.yaml'));
        assert.deepEqual(Object.keys(contract), ['actionType', 'version', 'description', 'inputs', 'outputs', 'repeatable']);
      }
    }
  }
});
