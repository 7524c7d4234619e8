// What a run left in the volume that its steps shared, on a real cluster: the console has its own account's token and nothing more, the
// component `listing` gives it the right to the pod that looks, and its policy lets it create that pod alone. The action that leaves something
// is made of the tests' image here, by crane.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { promisify } from 'node:util';
import { openPage, press, signedIn } from '../../lib/browser.mjs';
import { stage } from '../../lib/stage.mjs';
import { World, until } from '../../lib/world.mjs';
import { consoleImage, here } from './lib/console-image.mjs';
import { apply, get, kubectl } from './lib/kubectl.mjs';
import { namespace } from './lib/namespace.mjs';
import { file, image } from './lib/places.mjs';
import { steps } from './lib/playbooks.mjs';

const NAME = 'workspace-test';
const WORKSPACE = 'shared-workspace';
const on = stage();
const execute = promisify(execFile);
let [home, world, auditor, browser, console_, scratch, lister, run] = [];

before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'workspace-test-'));
  home = await namespace(NAME);
  lister = await consoleImage();
  for (const part of ['networkpolicy', 'policy']) await apply(component(part));
  await may(lister);
  // A debug build is large: it is on the node before anything has to be there in time.
  await kubectl(['--namespace', NAME, 'run', 'pulls', `--image=${lister}`, '--restart=Never', '--', '--version']);
  await kubectl(['--namespace', NAME, 'wait', 'pod/pulls', '--for=jsonpath={.status.phase}=Succeeded', '--timeout=120s']);
  const env = { KUBECONFIG: await ownAccount() };
  [console_, browser] = await Promise.all([on.console({ args: [...home.args, '--lister-image', lister], env }), on.browser()]);
  world = await World.of(console_);
  auditor = console_.api(await console_.token('auditor'));
  run = await ended(await writes());
});

after(async () => {
  await on.close();
  await kubectl(['delete', 'validatingadmissionpolicy,validatingadmissionpolicybinding', NAME, '--ignore-not-found']);
  await home?.remove();
  if (scratch) await rm(scratch, { recursive: true, force: true });
});

/** A file of the component; the policy's name is the whole cluster's. */
const component = (part) =>
  file(`deploy/components/listing/${part}.yaml`).replaceAll('kubernaut-system', NAME).replaceAll(/^( {2}name|  policyName): kubernaut-lister$/gm, `$1: ${NAME}`);
/** Lets the console list with this image alone. */
const may = (image) => apply(component('rbac').replace('kubernaut-console:0.1.0', image));

/** A kubeconfig with the token of the console's own account. */
async function ownAccount() {
  const { clusters } = JSON.parse(await kubectl(['config', 'view', '--raw', '--minify', '--output', 'json']));
  const token = (await kubectl(['--namespace', NAME, 'create', 'token', 'kubernaut-console'])).trim();
  const context = { name: 'own', context: { cluster: clusters[0].name, user: 'own' } };
  const path = join(scratch, 'kubeconfig');
  const config = { apiVersion: 'v1', kind: 'Config', 'current-context': 'own', clusters, contexts: [context], users: [{ name: 'own', user: { token } }] };
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

/** An action that leaves something in the volume, as an image by digest. */
async function writer() {
  const program = [
    '#!/bin/sh',
    'printf {} >"$OUTPUTS_PATH"',
    '[ -z "$WORKSPACE_PATH" ] && exit',
    'cd "$WORKSPACE_PATH" && mkdir -p out/deep closed && printf 12345 >out/report.txt && ln -s / out/deep/root',
    "printf x >\"$(printf 'two\\nlines\\033[31m')\"",
    'printf x >closed/x && chmod 0 closed',
  ];
  await mkdir(join(scratch, 'layer'));
  await writeFile(join(scratch, 'layer/playbook'), `${program.join('\n')}\n`);
  await chmod(join(scratch, 'layer/playbook'), 0o755);
  await execute('tar', ['-C', join(scratch, 'layer'), '-czf', join(scratch, 'layer.tar.gz'), 'playbook']);
  const there = image('playbook-shell').split('/')[0];
  const base = image('playbook-shell').replace(there, here);
  const { stdout } = await execute('crane', ['append', '-b', base, '-f', join(scratch, 'layer.tar.gz'), '-t', `${here}/kubernaut/writer:test`]);
  return stdout.trim().replace(here, there).replace(':test@', '@');
}

/** Starts a run of three steps of which the last has the volume; resolves to its id. */
async function writes() {
  const spec = await steps();
  const action = await writer();
  return world.approve(await world.propose({ ...spec, steps: spec.steps.map((step) => ({ ...step, image: action })) }));
}

async function ended(id) {
  const execution = await until('the run to end', async () => {
    const execution = await world.execution(id);
    return !['pending', 'running'].includes(execution.state) && execution;
  }, 180);
  assert.equal(execution.state, 'succeeded', JSON.stringify(execution));
  return execution;
}

const listing = (who, id, workspace = WORKSPACE) => who.post(`/api/v1/executions/${id}/workspaces/${workspace}/listing`, {});
const listers = async () => (await home.get('pods', '-l', 'app.kubernetes.io/name=kubernaut-lister')).items;

test('what a run left is listed, and the pod that looked is gone', async () => {
  const { status, body } = await listing(world.first, run.id);
  assert.equal(status, 200, JSON.stringify(body));
  const found = body.entries.map(({ path, kind, size }) => [path, kind, size]);
  assert.deepEqual(found, [
    ['closed', 'directory', null],
    ['out', 'directory', null],
    ['out/deep', 'directory', null],
    ['out/deep/root', 'link', null],
    ['out/report.txt', 'file', 5],
    ['two\u{fffd}lines\u{fffd}[31m', 'file', 1],
  ]);
  assert.deepEqual([body.cut, body.unread, body.links.page], [[], 1, `/runs/${run.id}`]);
  for (const { modified_at } of body.entries) assert.ok(new Date(modified_at) >= new Date(run.started_at) - 2000, modified_at);
  assert.deepEqual(await listers(), []);
  assert.equal((await world.execution(run.id)).tasks.length, 3, 'it is no step of the run');
  const rows = (await auditor.get(`/api/v1/audit?object=${run.id}`)).body.items.filter(({ action }) => action === 'execution.list_workspace');
  assert.deepEqual(rows.map(({ actor, after }) => [actor.name, after]), [['token a.lindqvist', { workspace: WORKSPACE }]]);
});

test('the page shows it to whoever asks there, without scripts too', async () => {
  const state = await signedIn(browser, console_.url);
  const page = await openPage(browser, console_.url, { state, javascript: false });
  await page.goto(`/runs/${run.id}`);
  await press(page, 'List contents');
  const table = page.locator('table.volume');
  assert.match(await table.innerText(), /out\/report\.txt\s+file\s+5 B/);
  assert.match(await page.locator('#workspace').innerText(), /One entry could not be read/);
  assert.deepEqual(page.faults, []);
  assert.deepEqual(await listers(), []);
});

test('nobody else gets it, and no other run', async () => {
  assert.equal((await listing(world.author, run.id)).status, 403);
  const other = await listing(world.first, run.id, 'another');
  assert.deepEqual([other.status, other.body.detail], [404, 'there is no such workspace of this execution with a volume of its own']);
  const id = await world.approve(await world.propose(await steps()));
  const early = await listing(world.first, id);
  assert.deepEqual([early.status, early.body.type.split(/[/:#]/).at(-1)], [409, 'not-ended']);
  await ended(id);
  const nothing = await listing(world.first, id);
  assert.deepEqual([nothing.status, nothing.body.entries], [200, []], JSON.stringify(nothing.body));
});

test('a pod that the policy does not know is refused; one that does not start is told with its reason, and goes', async () => {
  const nowhere = `${lister.split('@')[0]}@sha256:${'0'.repeat(64)}`;
  const other = await on.console({ args: [...home.args, '--lister-image', nowhere], env: { KUBECONFIG: await ownAccount() }, dataDir: console_.dataDir });
  const operator = other.api(await other.token('operator', 'other'));
  const refused = await listing(operator, run.id);
  assert.equal(refused.status, 503, JSON.stringify(refused.body));
  assert.match(refused.body.detail, /lists \/volume with the image of the Role kubernaut-lister/);
  await may(nowhere);
  const { status, body } = await until('the policy knows it', async () => {
    const answer = await listing(operator, run.id);
    return !/denied request/.test(answer.body.detail) && answer;
  });
  assert.equal(status, 503, JSON.stringify(body));
  assert.match(body.detail, /the pod did not start within 30 s: (ErrImagePull|ImagePullBackOff): /);
  await until('the pod is gone', async () => (await listers()).length === 0);
  await may(lister);
  await other.stop();
});

test('of pods the console creates and deletes this one kind', async () => {
  const account = `--as=system:serviceaccount:${NAME}:kubernaut-console`;
  const { metadata } = await get('--namespace', NAME, 'pipelinerun', run.name);
  const wanted = () => pod({ name: run.name, uid: metadata.uid });
  const tried = (object) => kubectl(['create', '--dry-run=server', account, '-f', '-'], JSON.stringify(object)).then(() => 'permitted', (error) => error.message);
  await until('the policy knows the image again', async () => (await tried(wanted())) === 'permitted');
  const changes = {
    'another name': (it) => (it.metadata.name = 'another'),
    'no owner': (it) => delete it.metadata.ownerReferences,
    'the label of a step': (it) => (it.metadata.labels['kubernaut.io/workflow'] = 'x'),
    'another image': (it) => (it.spec.containers[0].image = image('playbook-shell')),
    'a command': (it) => (it.spec.containers[0].command = ['/bin/sh']),
    'other arguments': (it) => (it.spec.containers[0].args = ['serve']),
    'an environment': (it) => (it.spec.containers[0].env = [{ name: 'A', value: 'b' }]),
    'a Secret': (it) => (it.spec.containers[0].envFrom = [{ secretRef: { name: 'x' } }]),
    'a second container': (it) => it.spec.containers.push({ ...it.spec.containers[0], name: 'second' }),
    'an init container': (it) => (it.spec.initContainers = [{ ...it.spec.containers[0], name: 'init' }]),
    'a volume that can be written': (it) => (it.spec.volumes[0].persistentVolumeClaim.readOnly = false),
    'a mount that can be written': (it) => (it.spec.containers[0].volumeMounts[0].readOnly = false),
    'a Secret for a volume': (it) => (it.spec.volumes = [{ name: 'volume', secret: { secretName: 'x' } }]),
    'a directory of the node': (it) => it.spec.volumes.push({ name: 'node', hostPath: { path: '/' } }),
    'a token': (it) => (it.spec.automountServiceAccountToken = true),
    'the account of playbooks': (it) => (it.spec.serviceAccountName = 'playbook-executor'),
    'the network of the node': (it) => (it.spec.hostNetwork = true),
    'the processes of the node': (it) => (it.spec.hostPID = true),
    'no deadline': (it) => delete it.spec.activeDeadlineSeconds,
    'a restart': (it) => (it.spec.restartPolicy = 'Always'),
    'any user': (it) => delete it.spec.securityContext,
    'the user root in its container': (it) => (it.spec.containers[0].securityContext.runAsUser = 0),
    'any user in its container': (it) => (it.spec.containers[0].securityContext.runAsNonRoot = false),
    'any call of the kernel in its container': (it) => (it.spec.containers[0].securityContext.seccompProfile = { type: 'Unconfined' }),
    'a node of its choice': (it) => (it.spec.nodeName = 'x'),
    'a group of its choice': (it) => (it.spec.securityContext.supplementalGroups = [0]),
    'precedence over the node\'s own': (it) => (it.spec.priorityClassName = 'system-node-critical'),
    'the label of a Service': (it) => (it.metadata.labels.app = 'x'),
    'a way to more privileges': (it) => (it.spec.containers[0].securityContext.allowPrivilegeEscalation = true),
    'capabilities': (it) => (it.spec.containers[0].securityContext.capabilities = { drop: ['ALL'], add: ['SYS_ADMIN'] }),
  };
  for (const [what, change] of Object.entries(changes)) {
    const it = wanted();
    change(it);
    assert.match(await tried(it), /ValidatingAdmissionPolicy 'workspace-test' .*denied request/, what);
  }
  const [step] = (await home.get('pods', '-l', 'kubernaut.io/workflow')).items;
  const removal = kubectl(['--namespace', NAME, 'delete', 'pod', step.metadata.name, '--dry-run=server', account]);
  await assert.rejects(removal, /denied request/, 'a step of a run');
});

/** The pod that the console makes: server/controller/src/listing/pod.rs is compared with this file. */
function pod(owner) {
  const it = JSON.parse(file('server/controller/src/listing/pod.json'));
  it.metadata.namespace = NAME;
  Object.assign(it.metadata.ownerReferences[0], owner);
  it.spec.containers[0].image = lister;
  return it;
}
