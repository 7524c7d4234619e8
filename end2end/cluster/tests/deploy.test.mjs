// What an administrator applies (deploy/), held against a real API server: each overlay, part, component and example renders and is
// accepted, keeps to Pod Security's `restricted`, and the admission policies deny and permit what they say.
//   KUBECONFIG=… CLUSTER_IMAGES=… node --test end2end/cluster/tests/deploy.test.mjs
// Most of it is a dry run; what is not happens in three namespaces of its own, which end with it, as do the definitions of kinds that the
// cluster lacks (CLUSTER_KINDS). With CLUSTER_OWN=1 it also turns Tekton's feature flag and turns it back: for a cluster that serves
// nobody else.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { lend, takeBack } from './lib/kinds.mjs';
import { apply, eventually, json, kubectl, tried } from './lib/kubectl.mjs';
import { cache, image, root } from './lib/places.mjs';
import {
  ADMIN, COLLECTOR, CONSOLE, CONTROLLER, OTHER_TEKTON, OURS, PLAYBOOK, POWERFUL_CONSOLE, RUNS, TEKTON, byHand, configMap, create, object, patch, pipelineRun, pod, podSpec, powerful, remove, taskRun, tokenSecret, workload,
} from './lib/requests.mjs';
import { beginOwned, ended, playbookRun, stepsRun } from './lib/runs.mjs';

const deploy = join(root, 'deploy');
const definitions = process.env.CLUSTER_KINDS ?? join(cache, 'kinds');

/** Where everything is tried instead of kubernaut-system, and where no policy reaches. */
const HERE = 'deploy-suite';
const ELSEWHERE = 'deploy-suite-shop';

/** Waits for something in the cluster. */
const until = (what, ask) => eventually(what, ask, 90);
const render = (directory) => kubectl(['kustomize', directory]);
const moved = (text, to = HERE) => text.replaceAll('kubernaut-system', to).replaceAll('namespace: shop', `namespace: ${ELSEWHERE}`);
/** What the API server would make of it. Warnings count as refusals: Pod Security warns of a Deployment whose pods it would refuse. */
async function accepted(manifests) {
  const args = ['apply', '--server-side', '--force-conflicts', '--dry-run=server', '--warnings-as-errors', '-f', '-'];
  const answer = await json(args, moved(manifests));
  return answer.kind === 'List' ? answer.items : [answer];
}

// --- what is tried ----------------------------------------------------------------------------------------------------------------

const PARTS = ['crds', 'tekton', 'rbac', 'policy', 'console'];
const OVERLAYS = ['upstream', 'openshift'];
const scratch = [];
/** An overlay as an administrator writes one: of the base, with components and an address. */
async function overlay({ components, url, image }) {
  const directory = await mkdtemp(join(tmpdir(), 'deploy-suite-'));
  scratch.push(directory);
  const from = (path) => relative(directory, join(deploy, path));
  const settings = url && [{ name: 'kubernaut-console-settings', namespace: 'kubernaut-system', behavior: 'merge', literals: [`KUBERNAUT_PUBLIC_URL=${url}`] }];
  const images = image && [{ name: 'kubernaut-console', newName: image.split(':')[0], newTag: image.split(':')[1] }];
  // As the overlays hold it ready.
  const replacements = image && [{
    source: { kind: 'Deployment', name: 'kubernaut-console', fieldPath: 'spec.template.spec.containers.[name=console].image' },
    targets: [{ select: { kind: 'Role', name: 'kubernaut-lister' }, fieldPaths: ['rules.2.resourceNames.0'] }],
  }];
  const kustomization = { images, replacements, resources: [from('base')], components: components.map((name) => from(`components/${name}`)), configMapGenerator: settings };
  await writeFile(join(directory, 'kustomization.yaml'), JSON.stringify(kustomization));
  return directory;
}
const OWN_IMAGE = 'registry.example.org/kubernaut/console:1.2.3';
const ADDRESS = 'https://console.example.org';
const targets = {
  base: () => render(join(deploy, 'base')),
  ...Object.fromEntries(PARTS.map((part) => [`base/${part}`, () => render(join(deploy, 'base', part))])),
  ...Object.fromEntries(OVERLAYS.map((name) => [`overlays/${name}`, () => render(join(deploy, 'overlays', name))])),
  'components/ingress': async () => render(await overlay({ components: ['ingress'], url: ADDRESS })),
  'components/route': async () => render(await overlay({ components: ['route'], url: ADDRESS })),
  'components/monitoring': async () => render(await overlay({ components: ['monitoring'] })),
  'components/assessor': async () => render(await overlay({ components: ['assessor'] })),
  'components/holmes': async () => render(await overlay({ components: ['holmes'] })),
  'components/auth-delegator': async () => render(await overlay({ components: ['auth-delegator'] })),
  'components/signatures': async () => render(await overlay({ components: ['signatures'] })),
  'components/listing': async () => render(await overlay({ components: ['listing'], image: OWN_IMAGE })),
  'examples/playbook-account.yaml': () => readFile(join(deploy, 'examples/playbook-account.yaml'), 'utf8'),
  'examples/postgres.yaml': () => readFile(join(deploy, 'examples/postgres.yaml'), 'utf8'),
};
const objects = {};
/** Of one target, what the API server made of it. */
const of = (target) => (objects[target] ??= targets[target]().then(accepted));
const find = (all, kind, name) => all.find((it) => it.kind === kind && (!name || it.metadata.name === name));

// --- what there is while this takes --------------------------------------------------------------------------------------------------

const policies = async () => moved(await render(join(deploy, 'base/policy')), RUNS).replaceAll(/(name|policyName): kubernaut-(runs|accounts)/gi, `$1: ${RUNS}-$2`);
const namespaces = [HERE, RUNS, ELSEWHERE];
async function clear() {
  const kinds = 'validatingadmissionpolicybinding,validatingadmissionpolicy';
  await tried(['delete', kinds, `${RUNS}-runs`, `${RUNS}-accounts`, '--ignore-not-found']);
  await tried(['delete', 'namespace', ...namespaces, '--ignore-not-found', '--timeout=120s']);
}

before(async () => {
  await clear();
  await Promise.all([
    lend(join(deploy, 'base/crds/workflowexecutions.yaml')),
    lend(join(definitions, 'routes.yaml')),
    lend(join(definitions, 'servicemonitors.yaml')),
    lend(join(definitions, 'clusterimagepolicies.yaml')),
  ]);
  await apply(moved(await readFile(join(deploy, 'base/namespace.yaml'), 'utf8')));
  for (const namespace of [RUNS, ELSEWHERE]) await kubectl(['create', 'namespace', namespace]);
});
after(async () => {
  await clear();
  await takeBack();
  for (const directory of scratch) await rm(directory, { recursive: true });
});

// --- what is rendered -------------------------------------------------------------------------------------------------------------

for (const target of Object.keys(targets)) {
  test(`${target} is accepted by the API server, without a warning`, async () => {
    const all = await of(target);
    assert.ok(all.length > 0);
    for (const { kind, metadata } of all) {
      const what = `${kind} ${metadata.name}`;
      assert.equal(metadata.labels?.['app.kubernetes.io/part-of'], 'kubernaut', what);
      assert.ok(metadata.labels['app.kubernetes.io/name'], what);
      assert.ok([undefined, HERE, ELSEWHERE].includes(metadata.namespace), what);
    }
  });
}

/** Every pod template, as Kubernetes and Tekton make pods of them. */
function templates(all) {
  const found = [];
  for (const { kind, metadata, spec } of all) {
    const what = `${kind} ${metadata.name}`;
    if (spec?.template?.spec?.containers) found.push([what, spec.template.spec]);
    const tasks = kind === 'Task' ? [spec] : kind === 'Pipeline' ? spec.tasks.map((task) => task.taskSpec) : [];
    for (const { steps } of tasks) {
      const containers = steps.map(({ name, image, securityContext }) => ({ name, image: image.replace(/^\$\(.*\)$/, 'example.com/playbook:1.0.0'), securityContext }));
      found.push([what, { containers }]);
    }
  }
  return found;
}

for (const name of OVERLAYS) {
  test(`${name}: pods keep to restricted, name no user, and have images of one version`, async () => {
    const all = templates(await of(`overlays/${name}`));
    assert.equal(all.length, 8, 'the console, the Task, six Pipelines');
    const pod = (spec) => JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'tried', namespace: HERE }, spec: { ...spec, serviceAccountName: 'default' } });
    const made = (spec) => tried(['create', '--dry-run=server', '--warnings-as-errors', '-f', '-'], pod(spec));
    for (const [what, spec] of all) {
      const { code, err } = await made(spec);
      assert.equal(code, 0, `${what}: ${err}`);
      const weaker = structuredClone(spec);
      weaker.containers[0].securityContext.allowPrivilegeEscalation = true;
      assert.match((await made(weaker)).err, /violates PodSecurity "restricted/, 'the namespace enforces it');
      assert.doesNotMatch(JSON.stringify(spec), /"(runAsUser|runAsGroup|fsGroup|supplementalGroups)"/, what);
      for (const { image } of spec.containers) assert.match(image, /(:(?!latest$)[\w.-]+|@sha256:[0-9a-f]{64})$/, what);
    }
  });
}

test('listings are off by default; their component brings right, policy and the image of the console', async () => {
  const lister = (all) => all.filter(({ kind, metadata }) => kind !== 'Deployment' && metadata.name === 'kubernaut-lister').map(({ kind }) => kind);
  for (const name of OVERLAYS) assert.deepEqual(lister(await of(`overlays/${name}`)), [], name);
  const all = await of('components/listing');
  const kinds = ['NetworkPolicy', 'Role', 'RoleBinding', 'ValidatingAdmissionPolicy', 'ValidatingAdmissionPolicyBinding'];
  assert.deepEqual(lister(all).toSorted(), kinds);
  const [container] = find(all, 'Deployment', 'kubernaut-console').spec.template.spec.containers;
  const setting = container.env.find(({ name }) => name === 'KUBERNAUT_LISTER_IMAGE');
  const [named] = find(all, 'Role', 'kubernaut-lister').rules.flatMap(({ resourceNames = [] }) => resourceNames);
  assert.deepEqual([container.image, setting.value, named], [OWN_IMAGE, OWN_IMAGE, OWN_IMAGE]);
});

test('ways out are added for what an overlay takes in, to pods of the cluster alone', async () => {
  const own = (name) => (all) => find(all, 'NetworkPolicy', name);
  for (const [component, first] of [['assessor', 9090], ['holmes', 5050]]) {
    const name = `kubernaut-console-${component}`;
    for (const overlay of OVERLAYS) assert.equal(own(name)(await of(`overlays/${overlay}`)), undefined, overlay);
    const all = await of(`components/${component}`);
    const { spec } = own(name)(all);
    assert.deepEqual(spec.podSelector, own('kubernaut-console')(all).spec.podSelector, 'of the console');
    assert.deepEqual([spec.policyTypes, spec.egress.length], [['Egress'], 1]);
    assert.deepEqual([spec.egress[0].to, spec.egress[0].ports[0].port], [[{ namespaceSelector: {} }], first]);
  }
  const { containers: [container], volumes } = find(await of('components/holmes'), 'Deployment', 'kubernaut-console').spec.template.spec;
  const { valueFrom } = container.env.find(({ name }) => name === 'KUBERNAUT_HOLMES_API_KEY');
  assert.deepEqual([valueFrom.secretKeyRef.key, valueFrom.secretKeyRef.optional], ['holmes-api-key', true]);
  const { mountPath } = container.volumeMounts.find(({ name }) => name === 'holmes-ca');
  assert.equal(mountPath, '/etc/kubernaut-holmes');
  assert.equal(volumes.find(({ name }) => name === 'holmes-ca').configMap.optional, true);
});

test('upstream and OpenShift differ where they have to', async () => {
  const [upstream, openshift] = await Promise.all(OVERLAYS.map((name) => of(`overlays/${name}`)));
  for (const [all, own, other] of [[upstream, 'tekton-pipelines', 'openshift-pipelines'], [openshift, 'openshift-pipelines', 'tekton-pipelines']]) {
    const rules = all.filter((it) => it.kind === 'ValidatingAdmissionPolicy');
    assert.equal(rules.length, 2);
    for (const rule of rules) {
      assert.ok(JSON.stringify(rule.spec).includes(`'system:serviceaccounts:${own}'`), `${rule.metadata.name} knows Tekton`);
      assert.ok(!JSON.stringify(rule.spec).includes(other), `${rule.metadata.name} knows no other`);
    }
  }
  const labels = (all) => find(all, 'Namespace').metadata.labels;
  for (const all of [upstream, openshift]) {
    for (const mode of ['enforce', 'audit', 'warn']) assert.equal(labels(all)[`pod-security.kubernetes.io/${mode}`], 'restricted');
    assert.equal(labels(all)['openshift.io/cluster-monitoring'], undefined);
  }
  assert.equal(labels(openshift)['openshift.io/user-monitoring'], 'true');
  const ports = (all) => find(all, 'NetworkPolicy').spec.egress.flatMap((rule) => rule.ports.map((it) => `${it.port}/${it.protocol}`));
  assert.ok(!ports(upstream).includes('5353/UDP') && ports(openshift).includes('5353/UDP') && ports(openshift).includes('5353/TCP'));
  assert.ok(find(openshift, 'Route') && find(openshift, 'ServiceMonitor') && !find(upstream, 'Route'));
});

test('the rights are those of the file, to the letter', async () => {
  // Kustomize takes what a rule names for a reference to whatever bears that name, and renames it with that.
  const written = await kubectl(['create', '--dry-run=client', '-o', 'json', '-f', join(deploy, 'base/rbac/console.yaml')]);
  const [role] = written.split(/\n(?=\{)/).map((text) => JSON.parse(text)).filter((it) => it.kind === 'Role');
  for (const name of OVERLAYS) assert.deepEqual(find(await of(`overlays/${name}`), 'Role').rules, role.rules);
});

test('an address is said once', async () => {
  const settings = (all) => all.find((it) => it.kind === 'ConfigMap').data.KUBERNAUT_PUBLIC_URL;
  const ingress = await of('components/ingress');
  assert.equal(settings(ingress), ADDRESS);
  const { rules, tls } = find(ingress, 'Ingress').spec;
  assert.deepEqual([rules[0].host, tls[0].hosts], ['console.example.org', ['console.example.org']]);
  assert.equal(find(await of('components/route'), 'Route').spec.host, 'console.example.org');
  const openshift = await of('overlays/openshift');
  assert.equal(settings(openshift), `https://${find(openshift, 'Route').spec.host}`);
  for (const all of [ingress, openshift]) {
    const [{ envFrom }] = find(all, 'Deployment').spec.template.spec.containers;
    assert.equal(envFrom[0].configMapRef.name, all.find((it) => it.kind === 'ConfigMap').metadata.name, 'under the name with the hash');
  }
});

test('a drain is never held up, and what is selected is there', async () => {
  const all = await of('overlays/upstream');
  const { replicas, template } = find(all, 'Deployment').spec;
  const budget = find(all, 'PodDisruptionBudget').spec;
  assert.ok(replicas - budget.maxUnavailable < replicas, 'one may go');
  const monitor = find(await of('components/monitoring'), 'ServiceMonitor').spec;
  const service = find(all, 'Service');
  const { labels } = template.metadata;
  for (const selector of [budget.selector.matchLabels, find(all, 'NetworkPolicy').spec.podSelector.matchLabels, service.spec.selector]) {
    for (const [key, value] of Object.entries(selector)) assert.equal(labels[key], value);
  }
  for (const [key, value] of Object.entries(monitor.selector.matchLabels)) assert.equal(service.metadata.labels[key], value);
  assert.ok(service.spec.ports.some((port) => port.name === monitor.endpoints[0].port));
});

test('every rule of a Role says why it is there', async () => {
  let rules = 0;
  for (const file of ['base/rbac/console.yaml', 'base/rbac/targets.yaml', 'base/rbac/preflight.yaml', 'examples/playbook-account.yaml']) {
    const lines = (await readFile(join(deploy, file), 'utf8')).split('\n');
    for (const [i, line] of lines.entries()) {
      if (!line.startsWith('  - apiGroups:')) continue;
      rules += 1;
      assert.match(lines[i - 1], /^ {2}# \S/, `${file}:${i + 1}`);
    }
  }
  assert.ok(rules > 10);
});

test('what messages and documents name is there, and kubectl takes it so', async () => {
  const search = ['grep', '-nIoE', '(-[fk] )?deploy/[a-z0-9_./-]*[a-z0-9_/-]', '--', '.', ':!end2end/cluster/tests/deploy.test.mjs'];
  const { stdout } = await promisify(execFile)('git', search, { cwd: root, maxBuffer: 1 << 26 });
  const named = stdout.trim().split('\n').map((line) => line.match(/^(?<where>[^:]+:\d+):(?:-(?<flag>[fk]) )?(?<path>.+)$/).groups);
  assert.ok(named.length > 20);
  for (const { where, flag, path } of named) {
    // A copy that the reader makes; the image's description and its room; what an include goes through.
    if (/^deploy\/(overlays\/mine|image)\b/.test(path)) continue;
    const full = join(root, path);
    assert.ok(existsSync(full), `${where} names ${path}`);
    const directory = (await stat(full)).isDirectory();
    if (flag === 'f') assert.ok(!directory, `${where}: -f of a directory with a kustomization in it`);
    if (flag === 'k') assert.ok(existsSync(join(full, 'kustomization.yaml')), `${where}: -k needs a kustomization`);
  }
  for (const part of PARTS) {
    const listed = (await readFile(join(deploy, 'base', part, 'kustomization.yaml'), 'utf8')).match(/\S+\.yaml/g);
    const files = (await readdir(join(deploy, 'base', part))).filter((name) => name.endsWith('.yaml') && name !== 'kustomization.yaml');
    assert.deepEqual(files.filter((name) => !listed.includes(name)), [], `base/${part} has files that nobody applies`);
  }
});

test('an account of a playbook may do what its example says and no more', async () => {
  await apply(moved(await targets['examples/playbook-account.yaml']()));
  const as = [`--as=system:serviceaccount:${HERE}:playbook-restart-deployment`, '-n', ELSEWHERE];
  const may = async (...what) => (await tried(['auth', 'can-i', ...what, ...as])).out.trim();
  for (const verb of ['get', 'list', 'watch', 'patch']) assert.equal(await may(verb, 'deployments/checkout'), 'yes', verb);
  for (const what of [['patch', 'deployments/other'], ['delete', 'deployments/checkout'], ['get', 'secrets'], ['create', 'pods']]) {
    assert.equal(await may(...what), 'no', what.join(' '));
  }
  // What `kubectl rollout restart` and `status` really ask for.
  const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'checkout', namespace: ELSEWHERE }, spec: { replicas: 0, selector: { matchLabels: { app: 'checkout' } }, template: { metadata: { labels: { app: 'checkout' } }, spec: { containers: [{ name: 'c', image: 'example.com/c:1' }] } } } };
  await kubectl(['create', '-f', '-'], JSON.stringify(deployment));
  await kubectl(['rollout', 'restart', 'deployment/checkout', ...as]);
  await kubectl(['rollout', 'status', 'deployment/checkout', '--timeout=30s', ...as]);
});

// --- runs ---------------------------------------------------------------------------------------------------------------------------

/** A playbook, and two steps that share a volume. */
const plays = (name, podTemplate) => playbookRun(name, { playbook: 'playbook-shell', parameters: { RUN_SECONDS: '1' }, podTemplate });
function shares(name, podTemplate) {
  const step = { actionType: 'x', image: image('playbook-shell'), inputs: {}, usesWorkspace: true };
  return stepsRun(name, [{ ...step, name: 'one' }, { ...step, name: 'two', runAfter: ['one'] }], { podTemplate });
}

// --- the admission policies ---------------------------------------------------------------------------------------------------------

const ask = (as, [args, input]) => tried([...args, ...as], input);
async function denied(policy, words, cases) {
  for (const [what, as, request] of cases) {
    const { code, err } = await ask(as, request);
    assert.notEqual(code, 0, `permitted: ${what}`);
    assert.match(err, new RegExp(`ValidatingAdmissionPolicy '${RUNS}-${policy}' with binding '${RUNS}-${policy}' denied request: .*${words}`), what);
    assert.match(err, /Forbidden|forbidden/, what);
  }
}
async function permitted(cases) {
  for (const [what, as, request] of cases) {
    const { code, err } = await ask(as, request);
    assert.equal(code, 0, `${what}: ${err}`);
  }
}

test('admission policies', async (t) => {
  const [console_, tekton] = await Promise.all([readFile(join(deploy, 'base/rbac/console.yaml'), 'utf8'), render(join(deploy, 'base/tekton'))]);
  await apply(moved(console_, RUNS));
  await apply(moved(tekton, RUNS));
  for (const account of ['playbook-restart-deployment', 'postgres']) await kubectl(['-n', RUNS, 'create', 'serviceaccount', account]);
  // Made before the policies are there: what somebody might then lay hands on.
  await kubectl(['create', '-f', '-'], configMap(undefined, 'plain'));
  await kubectl(['create', '-f', '-'], pipelineRun({}, 'nobody').replace('"tried"', '"old"').replace('"spec":{', '"spec":{"status":"PipelineRunPending",'));

  await t.test('the API server understands them', async () => {
    await apply(await policies());
    for (const name of ['runs', 'accounts']) {
      const { status } = await until(`${name} to be checked`, async () => {
        const policy = await json(['get', 'validatingadmissionpolicy', `${RUNS}-${name}`]);
        return policy.status?.observedGeneration === policy.metadata.generation && policy;
      });
      assert.deepEqual(status.typeChecking?.expressionWarnings ?? [], []);
    }
    await until('them to be in force', async () => (await ask(ADMIN, create(pipelineRun()))).code !== 0 && (await ask(ADMIN, create(pod('playbook-executor')))).err.includes('denied request'));
  });

  await t.test('the console makes runs and Tekton plays them, a shared volume too', async () => {
    await beginOwned(RUNS, plays('plays'), CONSOLE);
    await beginOwned(RUNS, shares('shares'), CONSOLE);
    for (const name of ['plays', 'shares']) {
      const { succeeded, words } = await ended(RUNS, name);
      assert.ok(succeeded, words);
    }
  });

  await t.test('the console may go on as it does', () =>
    permitted([
      ['a cancel', CONSOLE, patch('pipelinerun/old', { spec: { status: 'CancelledRunFinally' } })],
      ['the state of a WorkflowExecution', POWERFUL_CONSOLE, patch('workflowexecution/plays', { status: { phase: 'Executing' } }, '--subresource=status')],
    ]));

  await t.test('nobody else makes or changes a PipelineRun, whatever it carries', () =>
    denied('runs', 'is not the console, which alone makes and changes PipelineRuns here', [
      ['an administrator', ADMIN, create(pipelineRun())],
      ['with our label', ADMIN, create(pipelineRun(OURS))],
      ['with the account of playbooks', ADMIN, create(pipelineRun(undefined, 'playbook-executor'))],
      ['a playbook', PLAYBOOK, create(pipelineRun())],
      ['a controller of Kubernetes', CONTROLLER('job-controller'), create(pipelineRun())],
      ['a Tekton that is not this one', OTHER_TEKTON, create(pipelineRun())],
      ['its state', ADMIN, patch('pipelinerun/old', { spec: { status: null } })],
      ['its metadata', ADMIN, patch('pipelinerun/old', { metadata: { annotations: { 'kubernaut.io/ticket-digest': 'sha256:0' } } })],
      ['its status', ADMIN, patch('pipelinerun/plays', { status: { conditions: [] } }, '--subresource=status')],
    ]));

  await t.test('nobody else makes, changes or deletes a TaskRun', () =>
    denied('runs', 'is not Tekton, which alone makes, changes and deletes TaskRuns here', [
      ['an administrator', ADMIN, create(taskRun())],
      ['the console', POWERFUL_CONSOLE, create(taskRun())],
      ['a playbook', PLAYBOOK, create(taskRun(OURS))],
      ['its metadata', ADMIN, patch('taskrun/plays-execute', { metadata: { labels: { a: 'b' } } })],
      ['its status', ADMIN, patch('taskrun/plays-execute', { status: { results: [] } }, '--subresource=status')],
      ['deleted', ADMIN, remove('taskrun', 'plays-execute')],
      ['deleted with all others', ADMIN, [['-n', RUNS, 'delete', 'taskruns', '--all', '--dry-run=server']]],
    ]));

  await t.test('nobody else lays hands on the parameters of a run', async () => {
    const words = 'is not the console, which alone makes the parameters of a run';
    await denied('runs', words, [
      ['made', ADMIN, create(configMap(OURS))],
      ['made by Tekton', TEKTON, create(configMap(OURS))],
      ['made of another', ADMIN, patch('configmap/plain', { metadata: { labels: OURS } })],
      ['taken out of the rule', ADMIN, patch('configmap/plays-parameters', { metadata: { labels: { 'kubernaut.io/workflow': null } } })],
      ['annotated', ADMIN, patch('configmap/plays-parameters', { metadata: { annotations: { a: 'b' } } })],
      ['deleted', ADMIN, remove('configmap', 'plays-parameters')],
    ]);
    await permitted([
      ['one without our label', ADMIN, create(configMap())],
      ['changed', ADMIN, patch('configmap/plain', { data: { A: 'c' } })],
      ['deleted', ADMIN, remove('configmap', 'plain')],
    ]);
  });

  await t.test('a WorkflowExecution is applied by whoever may; how it stands says the console', async () => {
    const role = { rules: [{ apiGroups: ['workflowexecution.kubernaut.ai'], resources: ['workflowexecutions'], verbs: ['create'] }] };
    await kubectl(['create', '-f', '-'], object('rbac.authorization.k8s.io/v1', 'Role', 'applies', role));
    await kubectl(['-n', RUNS, 'create', 'rolebinding', 'applies', '--role=applies', '--user=robin']);
    await permitted([
      ['an administrator', ADMIN, create(byHand('by-dana'))],
      ['somebody with that right alone', ['--as=robin'], create(byHand('by-robin'))],
    ]);
    const refused = await ask(['--as=robin'], create(pipelineRun()));
    assert.match(refused.err, /cannot create resource "pipelineruns"/, 'by the rights already');
    await denied('runs', 'is not the console, which alone says how a WorkflowExecution or a RemediationWorkflow stands', [
      ['an administrator', ADMIN, patch('workflowexecution/plays', { status: { phase: 'Completed' } }, '--subresource=status')],
    ]);
  });

  await t.test('Tekton and what clears away may do their work', () =>
    permitted([
      ['a TaskRun of Tekton', TEKTON, create(taskRun(OURS))],
      ['its PipelineRun', TEKTON, patch('pipelinerun/plays', { metadata: { labels: { a: 'b' } } })],
      ['a TaskRun cleared away', COLLECTOR, remove('taskrun', 'plays-execute')],
      ['the parameters cleared away', COLLECTOR, remove('configmap', 'plays-parameters')],
      ['the end of the namespace', CONTROLLER('namespace-controller'), remove('taskrun', 'plays-execute')],
      ['controllers of one account', powerful('system:kube-controller-manager'), remove('taskrun', 'plays-execute')],
      ['a PipelineRun deleted by an administrator', ADMIN, remove('pipelinerun', 'plays')],
    ]));

  await t.test('accounts of playbooks are for the pods of Tekton', async () => {
    await denied('accounts', 'is for the pods that Tekton makes', [
      ['a pod', ADMIN, create(pod('playbook-executor'))],
      ['a pod of another playbook', ADMIN, create(pod('playbook-restart-deployment'))],
      ['by the console', POWERFUL_CONSOLE, create(pod('playbook-executor'))],
      ['by the controller of Jobs', CONTROLLER('job-controller'), create(pod('playbook-executor'))],
      ['a StatefulSet', ADMIN, create(workload('StatefulSet', podSpec('playbook-executor')))],
      ['a StatefulSet by the old field', ADMIN, create(workload('StatefulSet', { ...podSpec(), serviceAccount: 'playbook-executor' }))],
    ]);
    await permitted([
      ['another account', ADMIN, create(pod('default'))],
      ['no account', ADMIN, create(pod())],
      ['the pod of a database', ADMIN, create(pod('postgres'))],
      ['its StatefulSet', ADMIN, create(workload('StatefulSet', podSpec('postgres')))],
      ['Tekton', TEKTON, create(pod('playbook-executor'))],
      ['the StatefulSet of Tekton', TEKTON, create(workload('StatefulSet', podSpec('playbook-executor')))],
      ['the pods of that', CONTROLLER('statefulset-controller'), create(pod('playbook-executor'))],
    ]);
    // A Deployment may be written; its pods are not made.
    await kubectl(['create', '-f', '-', ...ADMIN], workload('Deployment', podSpec('playbook-executor'), 'sly'));
    const why = await until('the ReplicaSet to give up', async () => {
      const { items } = await json(['-n', RUNS, 'get', 'replicasets', '-l', 'app=sly']);
      return items[0]?.status.conditions?.find((it) => it.type === 'ReplicaFailure')?.message;
    });
    assert.match(why, /the account playbook-executor is for the pods that Tekton makes/);
  });

  await t.test('nobody gets their tokens, nor the console’s', async () => {
    for (const account of ['playbook-executor', 'kubernaut-console']) {
      await denied('accounts', `the token of ${account} is for its pods alone`, [
        ['a token', ADMIN, [['-n', RUNS, 'create', 'token', account]]],
        ['a Secret', ADMIN, create(tokenSecret(account))],
      ]);
    }
    await permitted([
      ['the token of another', ADMIN, [['-n', RUNS, 'create', 'token', 'default']]],
      ['the Secret of another', ADMIN, create(tokenSecret('default'))],
      ['any other Secret', ADMIN, create(object('v1', 'Secret', 'tried', { stringData: { a: 'b' } }))],
    ]);
  });

  await t.test('other namespaces hear nothing of it', () =>
    permitted(
      [pipelineRun(OURS), taskRun(OURS), configMap(OURS)].map((text) => [text, ADMIN, create(text.replaceAll(RUNS, ELSEWHERE))]),
    ));

  await t.test('what belongs to a deleted WorkflowExecution goes with it', async () => {
    await kubectl(['-n', RUNS, 'delete', 'workflowexecution', 'plays', 'shares', ...ADMIN]);
    await until('all to be gone', async () => {
      const { items } = await json(['-n', RUNS, 'get', 'pipelineruns,taskruns,configmaps', '-l', 'kubernaut.io/workflow']);
      return items.length === 0;
    });
    await kubectl(['-n', RUNS, 'delete', 'pipelinerun', 'old', '--cascade=foreground', '--timeout=30s', ...ADMIN]);
  });
});

// --- Pod Security and Tekton's flag ---------------------------------------------------------------------------------------------------

const FLAG = ['-n', 'tekton-pipelines', 'patch', 'configmap', 'feature-flags', '--type', 'merge', '-p'];
test('the command that turns Tekton’s flag is the one of the document, and Tekton takes it', async () => {
  const document = await readFile(join(deploy, 'base/tekton/README.md'), 'utf8');
  const change = document.match(/kubectl -n tekton-pipelines patch configmap feature-flags --type merge -p '(.+)'/)[1];
  const { data } = await json([...FLAG, change, '--dry-run=server']);
  assert.equal(data['set-security-context'], 'true');
  assert.ok(Object.keys(data).length > 10, 'the others stay');
  const wrong = await tried([...FLAG, '{"data":{"set-security-context":"perhaps"}}', '--dry-run=server']);
  assert.notEqual(wrong.code, 0, 'Tekton checks what it is told');
});

test('in a restricted namespace runs need Tekton’s flag', { skip: process.env.CLUSTER_OWN ? false : 'it turns a flag of the whole cluster: CLUSTER_OWN=1' }, async () => {
  await apply(moved(await render(join(deploy, 'base/tekton'))));
  const flags = () => json(['-n', 'tekton-pipelines', 'get', 'configmap', 'feature-flags']);
  const set = (value) => kubectl([...FLAG, JSON.stringify({ data: { 'set-security-context': value } })]);
  const was = (await flags()).data['set-security-context'] ?? 'false';
  // Tekton's images as they are built for the tests name no user; those of its release do.
  const user = { securityContext: { runAsUser: 65532, fsGroup: 65532 } };
  try {
    await set('false');
    await sleep(2000); // Tekton hears of it by a watch
    await beginOwned(HERE, plays('without', user), ADMIN);
    const without = await ended(HERE, 'without');
    assert.ok(!without.succeeded);
    assert.match(without.words, /PodAdmissionFailed/);
    await set('true');
    await sleep(2000);
    await beginOwned(HERE, plays('with', user), ADMIN);
    await beginOwned(HERE, shares('with-volume', user), ADMIN);
    for (const name of ['with', 'with-volume']) {
      const { succeeded, words } = await ended(HERE, name);
      assert.ok(succeeded, words);
    }
  } finally {
    await set(was);
  }
});
