// Runs as the console makes them: a WorkflowExecution, and of it the parameters and a PipelineRun that is let go last.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cache, good, json, until } from './cluster.mjs';

const API = 'workflowexecution.kubernaut.ai/v1alpha1';
const OWNER = 'WorkflowExecution';
const ACCOUNT = 'playbook-executor';

async function image() {
  const list = await readFile(process.env.CLUSTER_IMAGES ?? join(cache, 'node/images'), 'utf8');
  return list.match(/^playbook-shell (\S+)$/m)[1];
}
const params = (values) => Object.entries(values).map(([name, value]) => ({ name, value }));
const configMap = (name) => `${name}-parameters`;

/** A WorkflowExecution as a person applies it. */
export const workflowExecution = (namespace, name) => ({
  apiVersion: API,
  kind: OWNER,
  metadata: { name, namespace },
  spec: { workflowType: 'tried', reason: 'because', playbook: { id: 'tried', version: '1.0.0' } },
});

/** A playbook by the shipped Pipeline. */
export const playbook = async (name, podTemplate) => ({
  pipelineRef: { name: 'playbook-executor' },
  params: params({ 'playbook-id': 'tried', 'playbook-image': await image(), parameters: '', 'parameters-configmap': configMap(name) }),
  taskRunTemplate: { serviceAccountName: ACCOUNT, podTemplate },
});

/** Two steps by the shipped Task, which share a volume. */
export async function steps(name, podTemplate) {
  const given = params({ actionType: 'x', actionImage: await image(), inputs: '{}', parametersConfigMap: configMap(name) });
  const task = { taskRef: { name: 'kubernaut-action' }, params: given, workspaces: [{ name: 'workspace', workspace: 'shared' }] };
  const claim = { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Mi' } } } };
  return {
    pipelineSpec: { workspaces: [{ name: 'shared' }], tasks: [{ ...task, name: 'one' }, { ...task, name: 'two', runAfter: ['one'] }] },
    workspaces: [{ name: 'shared', volumeClaimTemplate: claim }],
    taskRunTemplate: { serviceAccountName: ACCOUNT, podTemplate },
  };
}

/** Makes the objects of a run as somebody, and lets it go. */
export async function begin(namespace, name, as, spec) {
  const create = (it) => json(['create', '-f', '-', ...as], JSON.stringify(it));
  const { metadata } = await create(workflowExecution(namespace, name));
  const owner = { apiVersion: API, kind: OWNER, name, uid: metadata.uid, controller: true, blockOwnerDeletion: true };
  const meta = (own) => ({ name: own, namespace, labels: { 'kubernaut.io/workflow': name }, ownerReferences: [owner] });
  const data = { RUN_SECONDS: '1', ACTION_TYPE: 'x', ACTION_INPUTS: '{}' };
  await create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: meta(configMap(name)), immutable: true, data });
  await create({ apiVersion: 'tekton.dev/v1', kind: 'PipelineRun', metadata: meta(name), spec: { ...spec, status: 'PipelineRunPending' } });
  await good(['-n', namespace, 'patch', 'pipelinerun', name, '--type=merge', '-p', '{"spec":{"status":null}}', ...as]);
}

/** How it ended, and in a sentence what its tasks say of it. */
export async function ended(namespace, name) {
  const condition = (it) => it.status?.conditions?.find(({ type }) => type === 'Succeeded');
  const end = await until(`${name} has ended`, async () => {
    const now = condition(await json(['-n', namespace, 'get', 'pipelinerun', name]));
    return now && now.status !== 'Unknown' && now;
  }, 180);
  const { items } = await json(['-n', namespace, 'get', 'taskruns', '-l', `tekton.dev/pipelineRun=${name}`]);
  const tasks = items.map((it) => `${it.metadata.name}: ${condition(it)?.reason}, ${condition(it)?.message}`);
  return { succeeded: end.status === 'True', words: [`${name}: ${end.message}`, ...tasks].join('\n') };
}
