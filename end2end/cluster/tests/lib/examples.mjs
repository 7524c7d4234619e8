// What the images of deploy/examples are tried on: two namespaces with the rights that their files give and no others, and workloads to act on.
import { after, before } from 'node:test';
import { apply, get, kubectl } from './kubectl.mjs';
import { file, image } from './places.mjs';

/** Tells what this process makes from what others do. */
export const salt = `${process.pid}`;
/** The namespace of the runs, and that of what they act on. */
export const runs = `ex-runs-${salt}`;
export const target = `ex-target-${salt}`;

/** Sets both namespaces up for a test file, with what these files of deploy/examples give, and ends them with it. */
export function stageOf(...files) {
  before(async () => {
    for (const name of [runs, target]) await kubectl(['create', 'namespace', name]);
    for (const name of ['serviceaccount-playbook-executor', 'task-kubernaut-action', 'pipeline-playbook-executor']) await applyShipped(`base/tekton/${name}`);
    for (const name of files) await applyShipped(`examples/${name}`);
  });
  after(() => kubectl(['delete', 'namespace', runs, target, '--wait=false']));
}

const applyShipped = (name) =>
  apply(file(`deploy/${name}.yaml`).replaceAll('namespace: kubernaut-system', `namespace: ${runs}`).replaceAll('namespace: production', `namespace: ${target}`));

export const container = (name, memory) => ({
  name,
  image: image('busybox'),
  command: ['sleep', '100000'],
  resources: { limits: { memory } },
});

/** A workload of idle pods, all ready. */
export async function workload(name, { kind = 'Deployment', replicas = 1, containers = [container('main', '32Mi')], ready = true } = {}) {
  const labels = { app: name };
  await apply({
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace: target },
    spec: {
      ...(kind === 'DaemonSet' ? {} : { replicas }),
      ...(kind === 'StatefulSet' ? { serviceName: name, podManagementPolicy: 'Parallel' } : {}),
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { terminationGracePeriodSeconds: 1, automountServiceAccountToken: false, containers },
      },
    },
  });
  if (ready) await kubectl(['--namespace', target, 'rollout', 'status', `${kind}/${name}`, '--timeout=120s']);
}

export const pods = async (app) =>
  (await get('--namespace', target, 'pods', `--selector=app=${app}`)).items.filter(({ metadata }) => !metadata.deletionTimestamp);
export const uids = async (app) => (await pods(app)).map(({ metadata }) => metadata.uid).sort();
/** The replicas that a workload is to have. */
export const wanted = async (name, kind = 'deployment') => (await get('--namespace', target, kind, name)).spec.replicas;
