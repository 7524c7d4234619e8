// A whole life on a real cluster: a Deployment really breaks, a real Prometheus and Alertmanager tell of it, an agent recommends over MCP, its
// recommendation is approved on its page, the playbook of deploy/examples mends the Deployment, the alert clears, and the console finds out that
// it helped. And the unhappy one: a playbook that does not help is undone by the policy, and the next strategy helps.
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { programs } from '../../lib/alerting.mjs';
import { openPage, signedIn } from '../../lib/browser.mjs';
import { freePort } from '../../lib/dex.mjs';
import { approve, follow, incidentOf, succeeded, verdict } from '../../lib/life.mjs';
import { stage } from '../../lib/stage.mjs';
import { World, recommendation, until } from '../../lib/world.mjs';
import { playbook } from './lib/bench.mjs';
import { apply, get, kubectl } from './lib/kubectl.mjs';
import { namespace } from './lib/namespace.mjs';
import { file, image } from './lib/places.mjs';

const target = 'life-target';
const labels = { signal_type: 'ReplicasMismatch', severity: '*', component: '*', environment: '*' };
const example = 'deploy/examples/playbooks/oomkill-increase-memory';
/** How long a run may take here: pods are pulled, started and replaced. */
const RUN = 180_000;
const policy = `name: life
rules:
  - name: everything
    approvals: 1
    recovery: rollback-then-next-strategy
`;
const alert = {
  alert: 'KubeDeploymentReplicasMismatch',
  // By these labels alone: what Prometheus adds says where it was asked, not what is in trouble.
  expr: 'max by (namespace, deployment) (kube_deployment_status_replicas_unavailable) > 0',
  labels: { severity: 'critical' },
  annotations: { summary: 'Deployment {{ $labels.deployment }} has not matched the expected number of replicas.' },
};

const found = await programs();
const skip = !found && 'prometheus and prometheus-alertmanager are not installed';
const on = stage();
let [home, console_, world, browser, state, metric] = [];

before(async () => {
  if (skip) return;
  await kubectl(['delete', 'namespace', target, '--ignore-not-found', '--wait=true', '--timeout=120s']);
  await kubectl(['create', 'namespace', target]);
  home = await namespace('life-test');
  const rights = file(`${example}/rbac.yaml`);
  await apply(rights.replaceAll('namespace: kubernaut-system', `namespace: ${home.name}`).replaceAll('namespace: production', `namespace: ${target}`));
  metric = replicas();
  const [directory, port] = await Promise.all([on.directory(), freePort()]);
  const policyFile = join(directory, 'policy.yaml');
  await writeFile(policyFile, policy);
  const env = {
    // Longer than this alert takes to clear, and the console to ask Alertmanager again.
    KUBERNAUT_ASSESS_AFTER: '30s',
    KUBERNAUT_ALERTMANAGER_URL: `http://127.0.0.1:${port}`,
    KUBERNAUT_POLICY_FILE: policyFile,
  };
  [console_, browser] = await Promise.all([on.console({ args: home.args, env }), on.browser()]);
  world = await World.of(console_);
  state = await signedIn(browser, console_.url);
  await world.register(JSON.parse(file(`${example}/registration.json`)), { container_image: image('playbook-oomkill-increase-memory'), labels });
  await world.register(playbook({ labels }));
  const ingest = await console_.token('ingest', 'a-real-alertmanager');
  await on.alerting(found, console_.url, ingest, { metrics: metric.text, rules: [alert], port });
});

after(async () => {
  metric?.end();
  await on.close();
  await home?.remove();
  if (!skip) await kubectl(['delete', 'namespace', target, '--ignore-not-found', '--wait=false']);
});

/** What kube-state-metrics says of the Deployments, from the same place: their status in the API server. */
function replicas() {
  let [text, over] = ['', false];
  const line = ({ metadata: { namespace, name }, status }) =>
    `kube_deployment_status_replicas_unavailable{namespace="${namespace}",deployment="${name}"} ${status?.unavailableReplicas ?? 0}\n`;
  const look = async () => {
    while (!over) {
      // An API server that does not answer is asked again; until then it is as it was.
      const list = await get('--namespace', target, 'deployments').catch(() => null);
      if (list) text = list.items.map(line).join('');
      await pause(1000);
    }
  };
  look();
  return { text: () => text, end: () => (over = true) };
}

/** A Deployment that needs 64Mi of memory and may have half of it: its program says so and ends, again and again. */
async function broken(name) {
  const program = 'if [ "$LIMIT" -lt 67108864 ]; then echo "needs 64Mi, has $LIMIT bytes"; exit 1; fi; touch /tmp/ready; exec sleep 100000';
  const container = {
    name: 'main',
    image: image('busybox'),
    command: ['sh', '-c', program],
    env: [{ name: 'LIMIT', valueFrom: { resourceFieldRef: { containerName: 'main', resource: 'limits.memory' } } }],
    resources: { limits: { memory: '32Mi' } },
    readinessProbe: { exec: { command: ['test', '-f', '/tmp/ready'] }, periodSeconds: 1 },
  };
  const app = { app: name };
  await apply({
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace: target },
    spec: {
      replicas: 1,
      selector: { matchLabels: app },
      template: { metadata: { labels: app }, spec: { terminationGracePeriodSeconds: 1, automountServiceAccountToken: false, containers: [container] } },
    },
  });
}

/** The incident that the alert about this Deployment has become. */
const incidentAbout = (name) =>
  until(`an incident about ${name}`, async () => {
    const { body } = await world.first.get('/api/v1/incidents');
    return body.items.find((one) => one.state === 'firing' && one.resource?.name === name);
  }, 120);

/** What raises the memory of the Deployment to what it needs. */
const enough = (name) => ({
  action_type: 'increase_memory_limit',
  workflow_id: 'oomkill-increase-memory',
  confidence: 0.8,
  rationale: 'Its program says that it needs 64Mi.',
  estimated_risk: 'low',
  parameters: { TARGET_RESOURCE_KIND: 'Deployment', TARGET_RESOURCE_NAME: name, TARGET_NAMESPACE: target, MEMORY_LIMIT_NEW: '128Mi' },
  rollback_parameters: { MEMORY_LIMIT_NEW: '32Mi' },
});
/** What runs, and changes nothing. */
const nothing = {
  action_type: 'say',
  workflow_id: 'says',
  confidence: 0.6,
  rationale: 'It may go away.',
  estimated_risk: 'low',
  parameters: { RUN_SECONDS: 0 },
  rollback_parameters: { RUN_SECONDS: 1 },
};

/** A scripted agent with the official client: searches the catalog, tries each strategy, hands the answer in; resolves to its id. */
async function recommends(incident, strategies) {
  const secret = await console_.token('propose', `agent-of-${incident.resource.name}`);
  const client = new Client({ name: 'end2end', version: '1.0.0' });
  const requestInit = { headers: { Authorization: `Bearer ${secret}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', console_.url), { requestInit }));
  const call = async (name, args) => {
    const result = await client.callTool({ name, arguments: args });
    assert.ok(!result.isError, `${name}: ${result.content[0].text}`);
    return JSON.parse(result.content[0].text);
  };
  try {
    const { playbooks } = await call('search_playbooks', { signal_type: incident.signal_type });
    const ids = playbooks.map(({ workflow_id }) => workflow_id);
    for (const strategy of strategies) {
      assert.ok(ids.includes(strategy.workflow_id), `${strategy.workflow_id} among ${ids}`);
      assert.equal((await call('validate_strategy', strategy)).valid, true);
    }
    const { id, signal_type, severity, resource } = incident;
    const answer = await recommendation(id, {
      incident: { id, signal_type, severity, environment: 'test', resource },
      analysis_summary: `${resource.name} has no pod that is ready.`,
      root_cause_assessment: 'Its memory limit is half of what its program needs.',
      strategies,
    });
    return (await call('submit_recommendation', answer)).recommendation_id;
  } finally {
    await client.close();
  }
}

/** The limit that the Deployment has in the cluster, and how many of its pods are ready. */
async function mended(name) {
  const { spec, status } = await get('--namespace', target, 'deployment', name);
  return [spec.template.spec.containers[0].resources.limits.memory, status.readyReplicas ?? 0];
}

/** The incident is over, and its page has all of its runs, the last of which helped. */
async function over(page, incident, runs) {
  await incidentOf(page);
  assert.equal(new URL(page.url()).pathname, `/incidents/${incident.id}`);
  await page.locator('.head .state', { hasText: 'Resolved' }).waitFor({ timeout: 30_000 });
  const rows = page.locator('#runs .run-row');
  assert.equal(await rows.count(), runs);
  assert.match(await rows.first().innerText(), /Helped/i);
  const { body } = await world.first.get(`/api/v1/incidents/${incident.id}`);
  assert.equal(body.signals.length, 1, 'it fired once, and all the time');
}

describe('from a real alert to its end', { skip }, () => {
  test('what is recommended mends it, the alert clears, and it was effective', { timeout: 420_000 }, async () => {
    await broken('happy');
    const incident = await incidentAbout('happy');
    assert.deepEqual([incident.signal_type, incident.severity, incident.resource], ['ReplicasMismatch', 'critical', { kind: 'Deployment', namespace: target, name: 'happy' }]);
    const id = await recommends(incident, [enough('happy')]);
    const page = await openPage(browser, console_.url, { state });
    await page.goto(`/incidents/${incident.id}`);
    await page.locator(`#recommendations a[href="/recommendations/${id}"]`).click();
    await page.waitForURL((url) => url.pathname === `/recommendations/${id}`);
    assert.deepEqual(await mended('happy'), ['32Mi', 0], 'nothing runs before its decision');
    await approve(page);
    await succeeded(page, RUN);
    assert.deepEqual(await mended('happy'), ['128Mi', 1]);
    assert.match(await verdict(page, 'Helped', 90_000), /cleared[^]*1 of 1 pods of its newest template are ready/);
    await over(page, incident, 1);
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });

  test('what does not help is undone by the policy, and the next strategy helps', { timeout: 900_000 }, async () => {
    await broken('unhappy');
    const incident = await incidentAbout('unhappy');
    const id = await recommends(incident, [nothing, enough('unhappy')]);
    const page = await openPage(browser, console_.url, { state });
    await page.goto(`/recommendations/${id}`);
    const first = await approve(page);
    await succeeded(page, RUN);
    assert.match(await verdict(page, 'Did not help', 90_000), /It still fires/);

    await follow(page, 'Rollback');
    const undoing = await approve(page);
    await succeeded(page, RUN);
    const run = await world.execution(undoing);
    assert.equal(run.tasks[0].parameters.RUN_SECONDS, '1', 'as the agent said how to undo it');
    assert.deepEqual(await mended('unhappy'), ['32Mi', 0]);

    await page.goto(`/runs/${first}`);
    await follow(page, 'Next strategy');
    await approve(page);
    await succeeded(page, RUN);
    assert.deepEqual(await mended('unhappy'), ['128Mi', 1]);
    assert.match(await verdict(page, 'Helped', 90_000), /cleared/);
    await over(page, incident, 3);
    const { body } = await world.first.get(`/api/v1/incidents/${incident.id}`);
    assert.ok(body.resolved_at > body.started_at);
    assert.deepEqual(page.faults, []);
    await page.context().close();
  });
});
