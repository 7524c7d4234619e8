// What the tests on a real cluster share: kubectl, namespaces of their own, and runs made as the console makes them
// (domain/src/pipeline_run.rs). No npm packages.
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '../../..');
export const salt = `${process.pid}`;

/** Where the cluster finds an image of the tests, by digest. */
export function image(name) {
  const list = readFileSync(process.env.CLUSTER_IMAGES, 'utf8').split('\n');
  const line = list.find((line) => line.startsWith(`${name} `));
  if (!line) throw new Error(`${process.env.CLUSTER_IMAGES} has no line for ${name}`);
  return line.slice(name.length + 1);
}

// The bench's own kubectl, or that of the machine.
const built = join(dirname(process.env.KUBECONFIG ?? ''), '../../programs/kubectl');
const program = existsSync(built) ? built : 'kubectl';

/** Runs kubectl; gives its standard output. */
export function kubectl(args, input) {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { maxBuffer: 1 << 26 }, (error, stdout, stderr) => {
      if (error) reject(Object.assign(new Error(`kubectl ${args.join(' ')}: ${stderr || error.message}`), { stderr }));
      else resolve(stdout);
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** Applies objects, or a manifest as text. */
export const apply = (...objects) =>
  kubectl(
    ['apply', '-f', '-'],
    objects.map((object) => (typeof object === 'string' ? object : JSON.stringify(object))).join('\n---\n'),
  );

/** An object as the cluster has it, or several by further arguments of kubectl. */
export const get = async (namespace, ...args) =>
  JSON.parse(await kubectl(['--namespace', namespace, 'get', ...args, '--output', 'json']));

/** Waits until `probe` gives something. */
export async function eventually(what, probe, seconds = 120) {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const found = await probe();
    if (found) return found;
    if (Date.now() > deadline) throw new Error(`never happened: ${what}`);
    await pause(500);
  }
}

/** A file of deploy/ for the namespaces of a test: its runs happen in `runs`, what they act on is in `target`. */
export const shipped = (file, { runs, target }) =>
  readFileSync(join(root, 'deploy', file), 'utf8')
    .replaceAll('namespace: kubernaut-system', `namespace: ${runs}`)
    .replaceAll('namespace: production', `namespace: ${target}`);

/** The console's Task and Pipelines in the namespace of the runs. */
export async function installTekton(places) {
  const directory = ['base/tekton', 'tekton'].find((name) => existsSync(join(root, 'deploy', name, 'task-kubernaut-action.yaml')));
  const files = ['serviceaccount-playbook-executor', 'task-kubernaut-action', 'pipeline-playbook-executor'];
  await apply(...files.map((file) => shipped(`${directory}/${file}.yaml`, places)));
}

const param = (name, value) => ({ name, value });
let runs = 0;

// Only so many runs at once: with more, containers fail to start in time on a small machine.
let free = 6;
const waiting = [];
const turn = () => (free-- > 0 ? null : new Promise((go) => waiting.push(go)));
const over = () => {
  free++;
  waiting.shift()?.();
};

/** A playbook's run; resolves when it has ended. */
export function runPlaybook(namespace, { playbook, parameters, account = 'playbook-executor', retries = 0, kubeconfig }) {
  const name = `remediation-${salt}-${++runs}`;
  const spec = {
    pipelineRef: { name: retries ? `playbook-executor-retry-${retries}` : 'playbook-executor' },
    params: [
      param('playbook-id', playbook),
      param('playbook-image', image(playbook)),
      param('image-pull-policy', 'IfNotPresent'),
      param('parameters', Object.entries(parameters).map(([key, value]) => `${key}=${value}\n`).join('')),
      param('parameters-configmap', `${name}-parameters`),
    ],
    taskRunTemplate: { serviceAccountName: account },
    timeouts: { pipeline: '10m0s' },
    taskRunSpecs: [{ pipelineTaskName: 'execute', timeout: '10m0s' }],
  };
  if (kubeconfig) {
    const items = [{ key: 'kubeconfig', path: 'kubeconfig' }];
    spec.workspaces = [{ name: 'kubeconfig', secret: { secretName: kubeconfig, items } }];
  }
  return start(namespace, name, spec, [[`${name}-parameters`, parameters]]);
}

/** A run of steps; resolves when it has ended. */
export function runSteps(namespace, steps, account) {
  const name = `remediate-${salt}-${++runs}`;
  const configMap = (step) => `${name}-${step.name}-0123456789`;
  const spec = {
    pipelineSpec: {
      tasks: steps.map((step) => ({
        name: step.name,
        taskRef: { name: 'kubernaut-action' },
        params: [
          param('actionType', step.actionType),
          param('actionImage', step.image),
          param('inputs', JSON.stringify(step.inputs)),
          param('parametersConfigMap', configMap(step)),
        ],
        ...(step.runAfter && { runAfter: step.runAfter }),
        ...(step.usesWorkspace && { workspaces: [{ name: 'workspace', workspace: 'shared-workspace' }] }),
      })),
    },
    taskRunSpecs: steps.map((step) => ({ pipelineTaskName: step.name, timeout: '10m0s' })),
    taskRunTemplate: { serviceAccountName: account },
    timeouts: { pipeline: '10m0s' },
  };
  if (steps.some((step) => step.usesWorkspace)) {
    spec.pipelineSpec.workspaces = [{ name: 'shared-workspace', description: 'Shared workspace for multi-step workflows' }];
    const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
    spec.workspaces = [{ name: 'shared-workspace', volumeClaimTemplate: { spec: claim } }];
  }
  const data = (step) => ({ ACTION_TYPE: step.actionType, ACTION_INPUTS: JSON.stringify(step.inputs) });
  return start(namespace, name, spec, steps.map((step) => [configMap(step), data(step)]));
}

/** Creates the ConfigMaps and the pending PipelineRun, lets it go, and gives what came of it. */
async function start(namespace, name, spec, configMaps) {
  await turn();
  const metadata = (name) => ({ name, namespace, labels: { 'kubernaut.io/workflow': name } });
  for (const [name, data] of configMaps) {
    await apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata(name), immutable: true, data });
  }
  const pending = { ...spec, status: 'PipelineRunPending' };
  await apply({ apiVersion: 'tekton.dev/v1', kind: 'PipelineRun', metadata: metadata(name), spec: pending });
  await patchRun(namespace, name, [{ op: 'remove', path: '/spec/status' }]);
  return new Run(namespace, name);
}

const patchRun = (namespace, name, patch) =>
  kubectl(['--namespace', namespace, 'patch', 'pipelinerun', name, '--type=json', `--patch=${JSON.stringify(patch)}`]);

/** A run that was started. */
export class Run {
  constructor(namespace, name) {
    Object.assign(this, { namespace, name });
  }

  cancel() {
    over();
    return patchRun(this.namespace, this.name, [{ op: 'add', path: '/spec/status', value: 'CancelledRunFinally' }]);
  }

  taskRuns() {
    return get(this.namespace, 'taskruns', `--selector=tekton.dev/pipelineRun=${this.name}`).then((list) => list.items);
  }

  /** What came of each task: whether it succeeded, its exit code, its outputs and its log. */
  async ended() {
    const condition = await eventually(
      `the end of ${this.name}`,
      async () => {
        const { status } = await get(this.namespace, 'pipelinerun', this.name);
        return status?.conditions?.find(({ type, status }) => type === 'Succeeded' && status !== 'Unknown');
      },
      300,
    );
    over();
    const tasks = {};
    for (const taskRun of await this.taskRuns()) {
      const outputs = taskRun.status.results?.find(({ name }) => name === 'outputs')?.value;
      const pod = taskRun.status.podName;
      const terminated = taskRun.status.steps?.[0]?.terminated;
      const log = await kubectl(['--namespace', this.namespace, 'logs', pod, '--container=step-execute']).catch((error) => `${error}`);
      tasks[taskRun.metadata.labels['tekton.dev/pipelineTask']] = {
        exitCode: terminated?.exitCode,
        outputs: outputs && JSON.parse(outputs),
        // A container that did not start has none, and its reason says why.
        log: log || `${terminated?.reason}: ${terminated?.message}`,
        attempts: 1 + (taskRun.status.retriesStatus?.length ?? 0),
      };
    }
    return { succeeded: condition.status === 'True', message: condition.message, tasks, ...tasks.execute };
  }
}
