// What the tests on a real cluster share: a namespace of their own with what an administrator applies, kubectl, the tests' images, and
// a console that works there. The cluster is the one of KUBECONFIG; CLUSTER_IMAGES is described in ../README.md.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const workspace = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

/** What an administrator applies, in its order. */
const shipped = [
  'deploy/crds/workflowexecutions.yaml',
  'deploy/tekton/serviceaccount-playbook-executor.yaml',
  'deploy/tekton/task-kubernaut-action.yaml',
  'deploy/tekton/pipeline-playbook-executor.yaml',
  'deploy/rbac/console.yaml',
];

/** A file of the checkout. */
export const file = (path) => readFileSync(join(workspace, path), 'utf8');

/** Where the cluster finds an image of the tests, by digest. */
export function image(name) {
  const line = readFileSync(process.env.CLUSTER_IMAGES, 'utf8').split('\n').find((line) => line.startsWith(`${name} `));
  if (!line) throw new Error(`CLUSTER_IMAGES names no ${name}`);
  return line.split(' ')[1];
}

/** Runs kubectl; resolves to what it printed, rejects with what it said when it fails. `input` goes to its standard input. */
export function kubectl(args, input) {
  return new Promise((done, failed) => {
    const child = spawn('kubectl', args, { stdio: ['pipe', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (err += text));
    child.once('error', failed);
    child.once('close', (code) => (code === 0 ? done(out) : failed(new Error(`kubectl ${args.join(' ')}: ${err.trim()}`))));
    child.stdin.end(input ?? '');
  });
}

/** One object, or a list of them, as the API server has it. */
export const get = async (...args) => JSON.parse(await kubectl(['get', ...args, '-o', 'json']));

/** Applies objects or YAML. */
export const apply = (what, ...args) =>
  kubectl(['apply', '--server-side', '--force-conflicts', ...args, '-f', '-'], typeof what === 'string' ? what : JSON.stringify(what));

/**
 * A fresh namespace with all that is shipped in it. What an earlier test left under its name is removed first.
 * @returns {Promise<{name: string, args: string[], get: (...args: string[]) => Promise<any>, remove: () => Promise<void>}>}
 *   `args` are what a console that works there is started with.
 */
export async function namespace(name) {
  await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=true', '--timeout=120s']);
  const own = JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  await apply([own, ...shipped.map((path) => file(path).replaceAll('kubernaut-system', name))].join('\n---\n'));
  return {
    name,
    args: ['--cluster', 'kubeconfig', '--namespace', name, '--kubeconfig-secret', 'none'],
    get: (...args) => get('--namespace', name, ...args),
    remove: async () => void (await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=false'])),
  };
}
