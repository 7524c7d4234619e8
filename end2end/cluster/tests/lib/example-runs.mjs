// Runs of the images of deploy/examples through Tekton, as the console makes them, and what came of them.
import assert from 'node:assert/strict';
import { runs, salt } from './examples.mjs';
import { apply, get, kubectl } from './kubectl.mjs';
import { begin, cancel, ended, playbookRun, stepsRun, taskRuns } from './runs.mjs';

/** An account without rights; the account of actions. */
export const NOBODY = 'playbook-executor';
export const ACTIONS = 'kubernaut-actions';

// Only so many runs at once: with more, containers fail to start in time on a small machine.
let free = 6;
const waiting = [];
const turn = () => (free-- > 0 ? null : new Promise((go) => waiting.push(go)));
const over = () => {
  free++;
  waiting.shift()?.();
};

/** A run that was started. */
class Run {
  constructor(name) {
    this.name = name;
  }

  cancel() {
    over();
    return cancel(runs, this.name);
  }

  taskRuns() {
    return taskRuns(runs, this.name);
  }

  /** Whether it succeeded, and what came of each task: its exit code, its outputs and its log. Of a playbook's only task they stand beside it. */
  async ended() {
    const end = await ended(runs, this.name, 300);
    over();
    const tasks = {};
    for (const taskRun of end.tasks) tasks[taskRun.metadata.labels['tekton.dev/pipelineTask']] = await came(taskRun);
    return { succeeded: end.succeeded, tasks, ...tasks.execute };
  }
}

async function came({ status }) {
  const outputs = status.results?.find(({ name }) => name === 'outputs')?.value;
  const terminated = status.steps?.[0]?.terminated;
  const log = await kubectl(['--namespace', runs, 'logs', status.podName, '--container=step-execute']).catch((error) => `${error}`);
  return {
    exitCode: terminated?.exitCode,
    outputs: outputs && JSON.parse(outputs),
    // A container that did not start has none, and its reason says why.
    log: log || `${terminated?.reason}: ${terminated?.message}`,
    attempts: 1 + (status.retriesStatus?.length ?? 0),
  };
}

let started = 0;
async function start(run) {
  await turn();
  await begin(runs, run);
  return new Run(run.name);
}
/** Starts a playbook: `{playbook, parameters, account, retries, kubeconfig}`. */
export const startPlaybook = (options) => start(playbookRun(`remediation-${salt}-${++started}`, options));
/** Starts steps, with the account of actions. */
export const startSteps = (steps, account = ACTIONS) => start(stepsRun(`remediate-${salt}-${++started}`, steps, { account }));

/** Runs a playbook to its end. */
export const run = async (options) => (await startPlaybook(options)).ended();

/** Runs a playbook that must fail with this exit code and say this. */
export async function refused(code, words, options) {
  const ended = await run(options);
  assert.equal(ended.succeeded, false, ended.log);
  assert.equal(ended.exitCode, code, ended.log);
  assert.match(ended.log, words);
  assert.equal(ended.outputs, undefined);
}

/** Runs an action, `{actionType, image}`, to its end. */
export async function act(action, inputs, { account } = {}) {
  const ended = await (await startSteps([{ name: 'step', ...action, inputs }], account)).ended();
  return { ...ended, ...ended.tasks.step };
}

/** Runs an action that must fail with this exit code and say this. */
export async function declined(code, words, action, inputs, options) {
  const ended = await act(action, inputs, options);
  assert.equal(ended.exitCode, code, ended.log);
  assert.match(ended.log, words);
}

/** A Secret with a kubeconfig of that account: what it may do, and only by this, shows which cluster a run acts on. */
export async function kubeconfigOf(account) {
  const token = (await kubectl(['--namespace', runs, 'create', 'token', account])).trim();
  const authority = (await get('--namespace', runs, 'configmap', 'kube-root-ca.crt')).data['ca.crt'];
  const kubeconfig = JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'it',
    clusters: [{ name: 'it', cluster: { server: 'https://kubernetes.default.svc', 'certificate-authority-data': Buffer.from(authority).toString('base64') } }],
    users: [{ name: 'it', user: { token } }],
    contexts: [{ name: 'it', context: { cluster: 'it', user: 'it' } }],
  });
  const name = `kubeconfig-${account}`;
  await apply({ apiVersion: 'v1', kind: 'Secret', metadata: { name, namespace: runs }, stringData: { kubeconfig } });
  return name;
}
