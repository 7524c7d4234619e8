// The main job on a real cluster, over REST: registered, recommended, approved, run, read, counted.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { stage } from '../../lib/stage.mjs';
import { World } from '../../lib/world.mjs';
import { image, namespace } from './lib.mjs';

const on = stage();
let [home, world] = [];

before(async () => {
  home = await namespace('job-test');
  world = await World.of(await on.console({ args: home.args }));
});

after(async () => {
  await on.close();
  await home?.remove();
});

test('a playbook with hidden parameters runs as it was approved', async () => {
  await world.register({
    workflow_id: 'cluster-job', version: '1.0.0', title: 'Says what it was given', description: 'd',
    container_image: image('playbook-shell'),
    parameters: {
      exposed: [{ name: 'RUN_SECONDS', description: 'how long', type: 'integer', required: true }],
      hidden: [{ name: 'REMEDIATION_TYPE', value: 'scale_down', description: 'which way' }],
    },
  });
  const strategy = { action_type: 'say', workflow_id: 'cluster-job', confidence: 0.8, rationale: 'r', estimated_risk: 'low', parameters: { RUN_SECONDS: 1 } };
  const id = await world.approve(await world.recommend('inc-cluster-job', { strategies: [strategy] }));
  const ended = await world.until(id, 'succeeded', 'failed', 'lost');
  assert.equal(ended.state, 'succeeded', JSON.stringify(ended));
  await world.logged(id);
  const log = await world.first.get(`/api/v1/executions/${id}/tasks/execute/logs`);
  assert.match(log.body, /^REMEDIATION_TYPE=scale_down$/m);
  const run = await home.get('pipelinerun', ended.name);
  assert.equal(run.metadata.annotations['kubernaut.io/ticket-digest'], ended.ticket_digest);
});
