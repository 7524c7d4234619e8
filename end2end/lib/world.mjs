// What happens to a console besides its pages: playbooks, recommendations, colleagues. All of it by the wire (docs/api), as a
// language-model agent or a colleague with a token would do it.
import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

/** An example of the specification. */
export async function seed(name) {
  return JSON.parse(await readFile(new URL(`../../domain/tests/seeds/${name}.json`, import.meta.url), 'utf8'));
}

/** A model's answer for an incident: the specification's, with `changes` laid over it and `strategy` over its only strategy. */
export async function recommendation(incident, { strategy = {}, ...changes } = {}) {
  const answer = await seed('recommendation');
  const [proposed] = answer.strategies;
  return {
    incident: {
      id: incident,
      signal_type: 'OOMKilled',
      severity: 'high',
      environment: 'production',
      priority: 'P1',
      resource: { kind: 'Deployment', namespace: 'production', name: 'my-app' },
    },
    model: { provider: 'holmesgpt', name: 'a-model' },
    ...answer,
    strategies: [{ ...proposed, rollback_parameters: { SCALE_TARGET_REPLICAS: 4 }, ...strategy, parameters: { ...proposed.parameters, ...strategy.parameters } }],
    ...changes,
  };
}

/** The people and programs around a console. */
export class World {
  static async of(console_) {
    const as = async (role, name) => console_.api(await console_.token(role, name));
    return new World({
      author: await as('author', 'h.weiss'),
      model: await as('propose', 'holmesgpt'),
      first: await as('operator', 'a.lindqvist'),
      second: await as('operator', 'm.okafor'),
      alertmanager: await as('ingest', 'alertmanager'),
    });
  }

  /** `author` registers, `model` only proposes, `first` and `second` are two operators, `alertmanager` hands in signals. */
  constructor({ author, model, first, second, alertmanager }) {
    Object.assign(this, { author, model, first, second, alertmanager });
  }

  /** Registers a playbook; `changes` are laid over the registration. */
  register(registration, changes = {}) {
    return expect(201, this.author.post('/api/v1/playbooks', { ...registration, ...changes }));
  }

  /** A model's recommendation comes in; resolves to it. */
  async recommend(incident, changes) {
    return expect(201, this.model.post('/api/v1/recommendations', await recommendation(incident, changes)));
  }

  /** An operator proposes steps by hand; resolves to the recommendation that awaits a decision. */
  propose(steps) {
    return expect(201, this.first.post('/api/v1/executions', steps));
  }

  /** The second operator approves; resolves to the execution's id. */
  async approve(recommendation, how) {
    return (await this.decision(recommendation, how))();
  }

  /** The second operator makes a ticket; resolves to what approves it, which resolves to the execution's id. */
  async decision({ id }, { strategy = 0, parameters, reason = 'it fits' } = {}) {
    const path = `/api/v1/recommendations/${id}`;
    const ticket = await expect(201, this.second.post(`${path}/tickets`, { strategy, ...(parameters && { parameters }) }));
    const decision = { decision: 'approve', strategy, ticket_digest: ticket.digest, reason };
    return async () => (await expect(200, this.second.post(`${path}/decisions`, decision))).execution_id;
  }

  /** Alertmanager tells of alerts that it has put together as `group`; resolves to the id of their incident. */
  async alert(group, ...alerts) {
    const sent = { version: '4', groupKey: group, status: 'firing', receiver: 'console', alerts };
    return (await expect(200, this.alertmanager.post('/api/v1/signals/alertmanager', sent))).incidents[0];
  }

  reject({ id }, reason) {
    return expect(200, this.second.post(`/api/v1/recommendations/${id}/decisions`, { decision: 'reject', strategy: 0, reason }));
  }

  cancel(execution) {
    return expect(202, this.second.post(`/api/v1/executions/${execution}/cancel`, { reason: 'no longer needed' }));
  }

  execution(id) {
    return expect(200, this.first.get(`/api/v1/executions/${id}`));
  }

  /** Waits until all of a task's log is archived: then its stream ends, and there is no gap in it. */
  async logged(id, task = 'execute') {
    const end = await expect(200, this.first.get(`/api/v1/executions/${id}/tasks/${task}/logs?follow=true&since_line=1000000000`));
    if (!/^event: end$/m.test(end) || /"gap"/.test(end)) throw new Error(`the log of ${id} did not end well: ${end}`);
  }

  /** Waits until an execution is in one of these states. */
  until(id, ...states) {
    return until(`execution ${id} to be ${states.join(' or ')}`, async () => {
      const execution = await this.execution(id);
      return states.includes(execution.state) && execution;
    });
  }
}

/** An alert as Alertmanager tells of it; `changes` are laid over it and `labels` over its labels. */
export function alert(fingerprint, { labels = {}, ...changes } = {}) {
  return {
    status: 'firing',
    labels: { alertname: 'KubePodCrashLooping', severity: 'warning', namespace: 'production', pod: `web-${fingerprint}`, ...labels },
    annotations: { summary: 'Pod is crash looping.' },
    startsAt: new Date(Date.now() - 60_000).toISOString(),
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: 'http://prometheus.example.com/graph',
    fingerprint,
    ...changes,
  };
}

/** Asks until the answer is truthy, and resolves to it; `pause` is the time between two questions in ms. */
export async function until(what, ask, seconds = 40, pause = 100) {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`waited ${seconds} s for ${what}`);
    await wait(pause);
  }
}

async function expect(status, call) {
  const answer = await call;
  if (answer.status !== status) throw new Error(`${answer.status} instead of ${status}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}
