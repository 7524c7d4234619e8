// Playbooks that write a log (the sandbox plays their images): lines with levels, colours and groups.

/** Writes as many lines as it is told. */
export const chatty = {
  workflow_id: 'write-a-long-log',
  version: '0.1.0',
  title: 'Write a long log',
  description: 'Writes as many lines as it is told and changes nothing.',
  container_image: 'quay.io/kubernaut/playbook-chatty:v1',
  parameters: [{ name: 'LINES', description: 'How many lines to write', type: 'integer', required: true, minimum: 1 }],
};

/** Writes on and on, a few lines at a time, until it is cancelled. */
export const endless = {
  ...chatty,
  workflow_id: 'write-without-end',
  title: 'Write without end',
  description: 'Writes lines until it is cancelled and changes nothing.',
  container_image: 'quay.io/kubernaut/playbook-endless:v1',
  parameters: [],
};

/** Writes one group of as many lines as it is told. */
export const grouping = {
  ...chatty,
  workflow_id: 'write-a-group',
  title: 'Write a group',
  description: 'Writes a group of as many lines as it is told and changes nothing.',
  container_image: 'quay.io/kubernaut/playbook-grouping:v1',
};

/** Approves a run that writes so many lines; resolves to the execution's id. */
export const talk = (world, incident, lines) => write(world, incident, chatty, { LINES: lines });

/** Approves a run that writes until it is cancelled; resolves to the execution's id. */
export const talkOn = (world, incident) => write(world, incident, endless, {});

/** Approves a run that writes a group of so many lines; resolves to the execution's id. */
export const talkInAGroup = (world, incident, lines) => write(world, incident, grouping, { LINES: lines });

async function write(world, incident, { workflow_id }, parameters) {
  const strategy = { workflow_id, action_type: 'write_a_log', confidence: 0.5, rationale: 'Somebody has to.', estimated_risk: 'low', parameters };
  return world.approve(await world.recommend(incident, { strategies: [strategy] }));
}
