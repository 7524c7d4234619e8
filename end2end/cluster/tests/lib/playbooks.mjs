// What a console is asked to run in these tests: playbooks and steps from the tests' images, and how one is started.
import { seed } from '../../../lib/world.mjs';
import { image } from './places.mjs';

/** The seed's steps; their images are those of the tests. */
export async function steps(changes = {}) {
  const spec = { ...(await seed('workflow-execution-spec')), ...changes };
  return { ...spec, steps: spec.steps.map((step) => ({ ...step, image: image('playbook-shell') })) };
}

/** A playbook from one of the tests' images that takes these parameters: texts, and none is required. */
export const playbook = (workflow_id, name, parameters, execution) => ({
  workflow_id,
  version: '1.0.0',
  title: `Runs ${name}`,
  description: 'An image of the tests.',
  container_image: image(name),
  parameters: parameters.map((parameter) => ({ name: parameter, description: 'Read by the image', type: 'string', required: false })),
  ...(execution && { execution }),
});

/** What a model recommends: a playbook with these parameters. */
export const strategy = (workflow_id, parameters = {}) => ({ action_type: 'say', workflow_id, confidence: 0.8, rationale: 'r', estimated_risk: 'low', parameters });

/** Recommends a playbook with these parameters and approves it; resolves to the execution's id. */
export async function start(world, workflow_id, parameters) {
  return world.approve(await world.recommend(`inc-${workflow_id}-${(started += 1)}`, { strategies: [strategy(workflow_id, parameters)] }));
}
let started = 0;
