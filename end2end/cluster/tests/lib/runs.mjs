// Runs as the console makes them (domain/src/pipeline_run.rs), without a console: what the containers get in ConfigMaps, and a PipelineRun that is
// let go last.
import { eventually, get, json, kubectl } from './kubectl.mjs';
import { image } from './places.mjs';

const API = 'workflowexecution.kubernaut.ai/v1alpha1';
const OWNER = 'WorkflowExecution';
const LIMIT = '10m0s';
const SHARED = 'shared-workspace';

const params = (values) => Object.entries(values).map(([name, value]) => ({ name, value }));
const limits = (...tasks) => ({ timeouts: { pipeline: LIMIT }, taskRunSpecs: tasks.map((name) => ({ pipelineTaskName: name, timeout: LIMIT })) });

/** A playbook by the shipped Pipeline; its image is the one of that name. */
export function playbookRun(name, { playbook, parameters = {}, account = 'playbook-executor', retries = 0, kubeconfig, podTemplate }) {
  const configMap = `${name}-parameters`;
  const spec = {
    pipelineRef: { name: retries ? `playbook-executor-retry-${retries}` : 'playbook-executor' },
    params: params({
      'playbook-id': playbook,
      'playbook-image': image(playbook),
      'image-pull-policy': 'IfNotPresent',
      parameters: Object.entries(parameters).map(([key, value]) => `${key}=${value}\n`).join(''),
      'parameters-configmap': configMap,
    }),
    taskRunTemplate: { serviceAccountName: account, podTemplate },
    ...limits('execute'),
  };
  if (kubeconfig) {
    const items = [{ key: 'kubeconfig', path: 'kubeconfig' }];
    spec.workspaces = [{ name: 'kubeconfig', secret: { secretName: kubeconfig, items } }];
  }
  return { name, spec, configMaps: { [configMap]: parameters } };
}

/** Steps by the shipped Task: `{name, actionType, image, inputs, runAfter, usesWorkspace}`. */
export function stepsRun(name, steps, { account = 'playbook-executor', podTemplate } = {}) {
  const configMap = (step) => `${name}-${step.name}-0123456789`;
  const inputs = (step) => JSON.stringify(step.inputs);
  const tasks = steps.map((step) => ({
    name: step.name,
    taskRef: { name: 'kubernaut-action' },
    params: params({ actionType: step.actionType, actionImage: step.image, inputs: inputs(step), parametersConfigMap: configMap(step) }),
    ...(step.runAfter && { runAfter: step.runAfter }),
    ...(step.usesWorkspace && { workspaces: [{ name: 'workspace', workspace: SHARED }] }),
  }));
  const spec = { pipelineSpec: { tasks }, taskRunTemplate: { serviceAccountName: account, podTemplate }, ...limits(...steps.map((step) => step.name)) };
  if (steps.some((step) => step.usesWorkspace)) {
    spec.pipelineSpec.workspaces = [{ name: SHARED, description: 'Shared workspace for multi-step workflows' }];
    const claim = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
    spec.workspaces = [{ name: SHARED, volumeClaimTemplate: { spec: claim } }];
  }
  const data = (step) => ({ ACTION_TYPE: step.actionType, ACTION_INPUTS: inputs(step) });
  return { name, spec, configMaps: Object.fromEntries(steps.map((step) => [configMap(step), data(step)])) };
}

/** A WorkflowExecution as a person applies it. */
export const workflowExecution = (namespace, name) => ({
  apiVersion: API,
  kind: OWNER,
  metadata: { name, namespace },
  spec: { workflowType: 'tried', reason: 'because', playbook: { id: 'tried', version: '1.0.0' } },
});

const create = (object, as) => json(['create', '-f', '-', ...as], JSON.stringify(object));

/** Makes the objects of a run, as the account of these flags of kubectl, and lets it go. */
export async function begin(namespace, { name, spec, configMaps }, { as = [], ownerReferences } = {}) {
  const metadata = (own) => ({ name: own, namespace, labels: { 'kubernaut.io/workflow': name }, ownerReferences });
  for (const [own, data] of Object.entries(configMaps)) await create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata(own), immutable: true, data }, as);
  await create({ apiVersion: 'tekton.dev/v1', kind: 'PipelineRun', metadata: metadata(name), spec: { ...spec, status: 'PipelineRunPending' } }, as);
  await change(namespace, name, { status: null }, as);
}

/** The same, with the WorkflowExecution to which they belong. */
export async function beginOwned(namespace, run, as) {
  const { metadata } = await create(workflowExecution(namespace, run.name), as);
  const owner = { apiVersion: API, kind: OWNER, name: run.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true };
  await begin(namespace, run, { as, ownerReferences: [owner] });
}

/** Asks a run to stop. */
export const cancel = (namespace, name) => change(namespace, name, { status: 'CancelledRunFinally' });

const change = (namespace, name, spec, as = []) =>
  kubectl(['--namespace', namespace, 'patch', 'pipelinerun', name, '--type=merge', '-p', JSON.stringify({ spec }), ...as]);

/** The TaskRuns of a run. */
export const taskRuns = async (namespace, name) => (await get('--namespace', namespace, 'taskruns', '-l', `tekton.dev/pipelineRun=${name}`)).items;

/** How a run ended, its TaskRuns, and in a sentence for each what they say of it. */
export async function ended(namespace, name, seconds = 180) {
  const condition = (it) => it.status?.conditions?.find(({ type }) => type === 'Succeeded');
  const end = await eventually(`${name} to end`, async () => {
    const now = condition(await get('--namespace', namespace, 'pipelinerun', name));
    return now && now.status !== 'Unknown' && now;
  }, seconds);
  const tasks = await taskRuns(namespace, name);
  const words = tasks.map((it) => `${it.metadata.name}: ${condition(it)?.reason}, ${condition(it)?.message}`);
  return { succeeded: end.status === 'True', tasks, words: [`${name}: ${end.message}`, ...words].join('\n') };
}
