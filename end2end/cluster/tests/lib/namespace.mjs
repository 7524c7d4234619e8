// A namespace for a test alone, with what an administrator applies to it, and a console's way there.
import { apply, get, kubectl } from './kubectl.mjs';
import { file } from './places.mjs';

/** What an administrator applies, in its order. */
const shipped = [
  'deploy/base/crds/workflowexecutions.yaml',
  'deploy/base/crds/remediationworkflows.yaml',
  'deploy/base/tekton/serviceaccount-playbook-executor.yaml',
  'deploy/base/tekton/task-kubernaut-action.yaml',
  'deploy/base/tekton/pipeline-playbook-executor.yaml',
  'deploy/base/rbac/console.yaml',
];

/**
 * A fresh namespace with all that is shipped in it. What an earlier test left under its name is removed first.
 * @returns {Promise<{name: string, args: string[], get: (...args: string[]) => Promise<any>, remove: () => Promise<void>}>}
 *   `args` are what a console that works there is started with.
 */
export async function namespace(name) {
  await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=true', '--timeout=120s']);
  const own = `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${name}`;
  await apply([own, ...shipped.map((path) => file(path).replaceAll('kubernaut-system', name))].join('\n---\n'));
  return {
    name,
    args: ['--cluster', 'kubeconfig', '--namespace', name, '--kubeconfig-secret', 'none'],
    get: (...args) => get('--namespace', name, ...args),
    remove: async () => void (await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=false'])),
  };
}
