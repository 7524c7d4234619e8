// A console behind a proxy, in a namespace of its own, that can be killed and started again with what it had; and what a run of it must look
// like afterwards, in the cluster as in the console.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { World, until } from '../../../lib/world.mjs';
import { kubectl } from './kubectl.mjs';
import { namespace } from './namespace.mjs';
import { image } from './places.mjs';
import { strategy } from './playbooks.mjs';
import { startProxy } from './proxy.mjs';

const LABEL = 'kubernaut.io/workflow';
const DIGEST = 'kubernaut.io/ticket-digest';

/** The playbook of these tests: says what it was given, and takes RUN_SECONDS. */
export const playbook = (changes) => ({
  workflow_id: 'says', version: '1.0.0', title: 'Says what it was given', description: 'd', container_image: image('playbook-shell'),
  parameters: { exposed: [{ name: 'RUN_SECONDS', description: 'how long', type: 'integer', required: true }], hidden: [] },
  ...changes,
});

/**
 * Sets one up on a stage. `args` are more flags of the console, `env` more of its environment; `name` is its namespace, or `home` one that is there.
 * `secret` is the one with the playbooks' kubeconfig, in place of none. It speaks to the API server as what is shipped, or without `as` as KUBECONFIG does; `socketPath` leads to another API server.
 * What `close` does not end, the stage does.
 */
export async function bench(on, name, { args = [], env = {}, home, secret = 'none', as = true, socketPath } = {}) {
  const own = home ?? (await namespace(name));
  const dataDir = await on.directory();
  const proxy = await startProxy({ as: as ? `${own.name}/kubernaut-console` : undefined, socketPath });
  const kubeconfig = await proxy.kubeconfig(join(dataDir, 'kubeconfig'));
  const start = (listen) => on.console({ args: [...own.args.with(own.args.indexOf('--kubeconfig-secret') + 1, secret), ...args], env: { KUBECONFIG: kubeconfig, ...env }, dataDir, listen });
  let console_ = await start();
  const { host } = new URL(console_.url);
  const world = await World.of(console_);
  const admin = console_.api(await console_.token('admin'));

  return {
    home: own,
    proxy,
    world,
    admin,
    console: () => console_,
    /** Kills it as the kernel would. */
    kill: async () => {
      process.kill(console_.pid, 'SIGKILL');
      await console_.stop();
    },
    /** Starts it again with what it had. */
    restart: async () => {
      console_ = await start(host);
    },
    /** Waits until this console acts: then it watches what there is to watch. */
    acts: () => until('the console to act', () => proxy.watched().length === 6),
    /** A run that awaits its decision: its name is known before, so that faults can wait for it. */
    proposed: (incident, options) => proposed(world, incident, options),
    page: (id) => page(world, id),
    close: async () => {
      await proxy.close();
      if (!home) await own.remove();
    },
  };
}

/** Proposes a run; resolves to its name and how it is approved, which resolves to the execution's id. */
export async function proposed(world, incident, { seconds = 0, workflow = 'says', steps } = {}) {
  const strategies = [strategy(workflow, { RUN_SECONDS: seconds })];
  const recommendation = steps ? await world.propose(steps) : await world.recommend(incident, { strategies });
  const ticket = await world.second.post(`/api/v1/recommendations/${recommendation.id}/tickets`, { strategy: 0 });
  assert.equal(ticket.status, 201, ticket.body.detail);
  return { name: ticket.body.name, digest: ticket.body.digest, recommendation: recommendation.id, approve: () => world.approve(recommendation) };
}

/** What a run's page says: its state, and the sentences that say why, but for what it quotes from a log. */
export async function page(world, id) {
  const { status, body } = await world.first.get(`/runs/${id}`);
  assert.equal(status, 200);
  const text = (html) => html.replace(/<[^>]*>/g, '').replace(/&lt;/g, '<').replace(/&gt;/g, '>').replace(/&quot;/g, '"').replace(/&#x27;|&#39;/g, "'").replace(/&amp;/g, '&').trim();
  const notes = [...body.matchAll(/<div class="note [^"]*"><svg.*?<\/svg><div>(.*?)<\/div><\/div>/gs)].map(([, html]) => html).join('');
  return {
    state: text(body.match(/<div class="head"><div class="line">(<span class="state [^"]*">.*?<\/span>)/s)[1]),
    why: [...notes.matchAll(/<p class="why">(.*?)<\/p>/gs)].map(([, html]) => text(html)),
  };
}

/** What the cluster has of a run, by kind. */
export async function objects(home, name) {
  const kinds = ['workflowexecutions', 'configmaps', 'pipelineruns', 'taskruns', 'pods'];
  const { items } = await home.get(kinds.join(','), '-l', `${LABEL}=${name}`);
  const of = (kind) => items.filter((item) => `${item.kind.toLowerCase()}s` === kind);
  return Object.fromEntries(kinds.map((kind) => [kind, of(kind)]));
}

/** Waits for something in the cluster, as `kubectl wait` does. */
export const happens = (home, what, condition, seconds = 60) => kubectl(['--namespace', home.name, 'wait', what, `--for=${condition}`, `--timeout=${seconds}s`]);

/** Waits until a run has ended, however. */
export async function ended({ world }, id, seconds = 90) {
  let run;
  const isOver = async () => {
    run = await world.execution(id);
    return !['pending', 'running'].includes(run.state) && run;
  };
  return until(`execution ${id} to end`, isOver, seconds).catch((error) => {
    throw new Error(`${error.message}; it is ${run.state} (${run.stage}), ${run.reason}: ${run.message}`, { cause: JSON.stringify(run.tasks) });
  });
}

/**
 * Proves that a run succeeded and that all of it happened exactly once: in the cluster, in the container's log, in the audit trail.
 */
export async function ranOnce({ home, world, proxy, admin }, id) {
  const run = await ended({ world }, id);
  assert.equal(run.state, 'succeeded', `${run.reason}: ${run.message}`);
  await happens(home, `workflowexecution/${run.name}`, 'jsonpath={.status.phase}=Completed');
  const there = await objects(home, run.name);
  for (const [kind, items] of Object.entries(there)) assert.equal(items.length, 1, `${kind}: ${items.map((item) => item.metadata.name)}`);
  const [pipelineRun] = there.pipelineruns;
  assert.equal(pipelineRun.metadata.uid, run.run_uid);
  assert.equal(pipelineRun.metadata.annotations[DIGEST], run.ticket_digest);
  assert.equal(there.workflowexecutions[0].metadata.uid, run.uid);
  assert.deepEqual(there.taskruns[0].status.retriesStatus ?? [], []);
  assert.equal(run.tasks[0].attempts.length, 1);
  const [pod] = there.pods;
  assert.deepEqual(pod.status.containerStatuses.map((container) => container.restartCount), [0]);
  const made = proxy.calls.filter((call) => call.verb === 'create' && call.kind === 'pipelineruns' && call.name === run.name);
  assert.equal(made.flatMap((call) => call.did).filter((status) => status === 201).length, 1, 'one create of its PipelineRun went through');
  const once = (log) => {
    assert.equal(log.match(/^started as /gm)?.length, 1, log);
    assert.equal(log.match(/^done$/gm)?.length, 1, log);
  };
  once(await kubectl(['--namespace', home.name, 'logs', pod.metadata.name, '--container=step-execute']));
  const archived = await world.first.get(`/api/v1/executions/${id}/tasks/execute/logs?follow=true`);
  const end = archived.body.slice(archived.body.lastIndexOf('event: end'));
  assert.doesNotMatch(end, /"gap"/);
  once((await world.first.get(`/api/v1/executions/${id}/tasks/execute/logs`)).body);
  const { body: audit } = await admin.get(`/api/v1/audit?object=${run.recommendation_id}`);
  const approvals = audit.items.filter((row) => row.action === 'decision.approve');
  assert.deepEqual(approvals.map((row) => row.after.ticket_digest), [run.ticket_digest]);
  const { body: runs } = await world.first.get(`/api/v1/executions?recommendation=${run.recommendation_id}`);
  assert.deepEqual(runs.items.map((item) => item.id), [id]);
  return run;
}
