// The console as an administrator installs it: the overlay for upstream Tekton, its image made from nothing, its own service account and
// no more rights than that has. Reached by a port-forward, it does the main job in a browser.
import assert from 'node:assert/strict';
import { mkdtemp, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { after, before, test } from 'node:test';
import { openPage, press, signIn } from '../../lib/browser.mjs';
import { admin, api } from '../../lib/console.mjs';
import { stage } from '../../lib/stage.mjs';
import { recommendation, until } from '../../lib/world.mjs';
import { consoleImage } from './lib/console-image.mjs';
import { apply, get, kubectl, running } from './lib/kubectl.mjs';
import { image, root } from './lib/places.mjs';
import { strategy } from './lib/playbooks.mjs';

const NAMESPACE = 'kubernaut-system';
/** Everything that the overlay brings which is of no namespace; all else ends with the namespace. */
let overlay, forward, url;
const on = stage();

before(async () => {
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  overlay = await realpath(await mkdtemp(join(tmpdir(), 'kubernaut-overlay-')));
  await writeFile(join(overlay, 'kustomization.yaml'), JSON.stringify(kustomization(await consoleImage())));
  await kubectl(['delete', 'namespace', NAMESPACE, '--ignore-not-found', '--wait=true', '--timeout=120s']);
  await apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  const secret = { 'database-url': '', 'admin-password': admin.password, 'audit-keys': JSON.stringify({ id: 'k1', secret: 'a1'.repeat(32) }) };
  const literals = Object.entries(secret).map(([name, value]) => `--from-literal=${name}=${value}`);
  await kubectl(['-n', NAMESPACE, 'create', 'secret', 'generic', 'kubernaut-console', ...literals]);
  await apply(await kubectl(['kustomize', overlay]));
  await kubectl(['-n', NAMESPACE, 'rollout', 'status', 'deployment/kubernaut-console', '--timeout=120s']).catch(async (error) => {
    const told = [['describe', 'pods'], ['logs', 'deployment/kubernaut-console', '--tail=20']].map((args) => kubectl(['-n', NAMESPACE, ...args]).catch(String));
    throw new Error((await Promise.all(told)).join('\n'), { cause: error });
  });
  forward = running(['-n', NAMESPACE, 'port-forward', 'service/kubernaut-console', `${port}:80`], 'ignore');
  await until('the port-forward', async () => (await fetch(`${url}/healthz`).catch(() => null))?.ok);
});

after(async () => {
  await on.close();
  forward?.kill();
  if (!overlay) return;
  // The definitions are everybody's.
  const [cluster] = [['clusterrole,clusterrolebinding,validatingadmissionpolicy,validatingadmissionpolicybinding']];
  await kubectl(['delete', ...cluster, '-l', 'app.kubernetes.io/part-of=kubernaut', '--ignore-not-found']);
  await kubectl(['delete', 'namespace', NAMESPACE, '--wait=false']);
  await rm(overlay, { recursive: true, force: true });
});

test('it is ready, with the rights of its own account', async () => {
  let ready;
  await until('it is ready', async () => (ready = await (await fetch(`${url}/readyz`)).json()).ready).catch((error) => {
    throw new Error(`${error.message}: ${JSON.stringify(ready)}`);
  });
  assert.deepEqual([ready.cluster, ready.sandbox], ['in-cluster', false]);
  const found = await inside('doctor', '--cluster', 'in-cluster');
  assert.doesNotMatch(found, /missing/i, found);
  assert.match(await inside('audit', 'verify'), /^unbroken: /, 'with the key of its Secret');
  const pod = (await get('pods', '-n', NAMESPACE, '-l', 'app.kubernetes.io/name=kubernaut-console')).items[0];
  assert.equal(pod.spec.serviceAccountName, 'kubernaut-console');
  assert.equal(pod.spec.containers[0].securityContext.readOnlyRootFilesystem, true);
});

test('a playbook is registered, recommended, approved and runs; its log is read', async () => {
  const page = await openPage(await on.browser(), url);
  await signIn(page);
  await page.goto('/catalog/new?as=document');
  await page.fill('[name=document]', JSON.stringify(playbook()));
  await press(page, 'Register');
  assert.equal(new URL(page.url()).pathname, '/catalog/in-the-cluster');

  const model = api(url, (await inside('token', 'create', '--name', 'holmesgpt', '--role', 'propose')).trim().split(/\s+/).at(-1));
  const strategies = [strategy('in-the-cluster', { RUN_SECONDS: 2 })];
  const taken = await model.post('/api/v1/recommendations', await recommendation('inc-pod', { strategies }));
  assert.equal(taken.status, 201, JSON.stringify(taken.body));

  await page.goto(`/recommendations/${taken.body.id}`);
  await page.fill('[name=reason]', 'it fits');
  await press(page, 'Approve');
  await page.goto('/runs');
  await page.locator('main a[href^="/runs/"]').first().click();
  await page.locator('main').getByText('Succeeded').first().waitFor({ timeout: 60_000 }).catch(async (error) => {
    throw new Error(await page.locator('main').innerText(), { cause: error });
  });
  await page.goto(`${page.url().split('?')[0]}?task=execute&tab=log`);
  await page.getByText('REMEDIATION_TYPE=scale_down').first().waitFor();
  assert.deepEqual(page.faults, []);
});

/** Runs another subcommand of the console beside it. */
const inside = (...args) => kubectl(['-n', NAMESPACE, 'exec', 'deployment/kubernaut-console', '--', 'kubernaut-console', ...args]);

const playbook = () => ({
  workflow_id: 'in-the-cluster', version: '1.0.0', title: 'Says what it was given', description: 'd', container_image: image('playbook-shell'),
  parameters: {
    exposed: [{ name: 'RUN_SECONDS', description: 'how long', type: 'integer', required: true }],
    hidden: [{ name: 'REMEDIATION_TYPE', value: 'scale_down', description: 'which way' }],
  },
});

/** The overlay as an administrator would change it; its database is a file here, for there is no PostgreSQL in the cluster. */
function kustomization(console_) {
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'kubernaut-console', namespace: NAMESPACE },
    spec: {
      replicas: 1,
      template: { spec: {
        volumes: [{ name: 'data', emptyDir: {} }],
        containers: [{
          name: 'console',
          // SQLite wants a place for what is passing, and nothing else here can be written.
          env: [{ name: 'KUBERNAUT_DATABASE_URL', $patch: 'delete' }, ...['KUBERNAUT_DATA_DIR', 'SQLITE_TMPDIR'].map((name) => ({ name, value: '/data' }))],
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        }],
      } },
    },
  };
  // Tekton's own containers are as `restricted` wants them only with its flag, which is the whole cluster's; deploy.test.mjs sets it.
  const lenient = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE, labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } } };
  return {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: [relative(overlay, join(root, 'deploy/overlays/upstream'))],
    images: [{ name: 'kubernaut-console', newName: console_.split('@')[0], digest: console_.split('@')[1] }],
    configMapGenerator: [{ name: 'kubernaut-console-settings', namespace: NAMESPACE, behavior: 'merge', literals: [`KUBERNAUT_PUBLIC_URL=${url}`] }],
    patches: [deployment, lenient].map((patch) => ({ patch: JSON.stringify(patch) })),
  };
}

function freePort() {
  return new Promise((done) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}
