// A playbook that writes a log as long as it is told (the sandbox plays its image): lines with levels, colours and groups.

export const chatty = {
  workflow_id: 'write-a-long-log',
  version: '0.1.0',
  title: 'Write a long log',
  description: 'Writes as many lines as it is told and changes nothing.',
  container_image: 'quay.io/kubernaut/playbook-chatty:v1',
  parameters: [{ name: 'LINES', description: 'How many lines to write', type: 'integer', required: true, minimum: 1 }],
};

/** Approves a run that writes so many lines; resolves to the execution's id. */
export async function talk(world, incident, lines) {
  const strategy = { workflow_id: chatty.workflow_id, action_type: 'write_a_log', confidence: 0.5, rationale: 'Somebody has to.', estimated_risk: 'low', parameters: { LINES: lines } };
  return world.approve(await world.recommend(incident, { strategies: [strategy] }));
}
