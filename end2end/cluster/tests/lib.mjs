// What the tests on a real cluster share: a namespace of their own with what an administrator applies, kubectl, the tests' images, and
// a console that works there. The cluster is the one of KUBECONFIG; CLUSTER_IMAGES is described in ../README.md.
import { execFile, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { binary } from '../../lib/console.mjs';
import { seed } from '../../lib/world.mjs';
import { cache } from './lib/cluster.mjs';

// kubectl is built with the cluster; whoever brings another cluster brings their own.
process.env.PATH += `:${join(cache, 'programs')}`;

/** The checkout. */
export const workspace = resolve(dirname(fileURLToPath(import.meta.url)), '../../..');

/** What an administrator applies, in its order. */
const shipped = [
  'deploy/base/crds/workflowexecutions.yaml',
  'deploy/base/crds/remediationworkflows.yaml',
  'deploy/base/tekton/serviceaccount-playbook-executor.yaml',
  'deploy/base/tekton/task-kubernaut-action.yaml',
  'deploy/base/tekton/pipeline-playbook-executor.yaml',
  'deploy/base/rbac/console.yaml',
];

/** A file of the checkout. */
export const file = (path) => readFileSync(join(workspace, path), 'utf8');

/** Where the cluster finds an image of the tests, by digest. */
export function image(name) {
  const line = readFileSync(process.env.CLUSTER_IMAGES, 'utf8').split('\n').find((line) => line.startsWith(`${name} `));
  if (!line) throw new Error(`CLUSTER_IMAGES names no ${name}`);
  return line.split(' ')[1];
}

/** Where the registry of the cluster of end2end/cluster/up is reached from this machine. */
export const here = `127.0.0.1:${process.env.CLUSTER_REGISTRY_PORT ?? 15000}`;

/** The image of the binary under test where the cluster finds it: CONSOLE_IMAGE, or made and pushed to the registry of this cluster. */
export async function consoleImage() {
  if (process.env.CONSOLE_IMAGE) return process.env.CONSOLE_IMAGE;
  const there = image('playbook-shell').split('/')[0];
  const made = await promisify(execFile)(join(workspace, 'deploy/image/from-scratch'), [binary, `${here}/kubernaut/console:test`], {
    env: { ...process.env, ...(/\/debug\//.test(binary) && { SITE: join(workspace, 'target/site') }) },
  });
  return made.stdout.trim().replace(here, there);
}

/** What kubectl prints, byte for byte; rejects with what it said when it fails. `input` goes to its standard input. */
export function bytes(args, input) {
  return new Promise((done, failed) => {
    const child = spawn('kubectl', args, { stdio: ['pipe', 'pipe', 'pipe'] });
    const [out, err] = [[], []];
    child.stdout.on('data', (chunk) => out.push(chunk));
    child.stderr.on('data', (chunk) => err.push(chunk));
    child.once('error', failed);
    child.once('close', (code) => {
      if (code === 0) done(Buffer.concat(out));
      else failed(new Error(`kubectl ${args.join(' ')}: ${Buffer.concat(err).toString().trim()}`));
    });
    child.stdin.end(input ?? '');
  });
}

/** The same as text. */
export const kubectl = async (args, input) => (await bytes(args, input)).toString();

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
  const own = `apiVersion: v1\nkind: Namespace\nmetadata:\n  name: ${name}`;
  await apply([own, ...shipped.map((path) => file(path).replaceAll('kubernaut-system', name))].join('\n---\n'));
  return {
    name,
    args: ['--cluster', 'kubeconfig', '--namespace', name, '--kubeconfig-secret', 'none'],
    get: (...args) => get('--namespace', name, ...args),
    remove: async () => void (await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=false'])),
  };
}

/** The seed's steps; their images are those of the tests. */
export async function steps(changes = {}) {
  const spec = { ...(await seed('workflow-execution-spec')), ...changes };
  return { ...spec, steps: spec.steps.map((step) => ({ ...step, image: image('playbook-shell') })) };
}

/** A playbook from one of the tests' images that takes these parameters: texts, and none is required. */
export const playbook = (workflow_id, name, parameters, execution) => ({
  workflow_id,
  version: '1.0.0',
  title: `Runs ${name}`,
  description: 'An image of the tests.',
  container_image: image(name),
  parameters: parameters.map((parameter) => ({ name: parameter, description: 'Read by the image', type: 'string', required: false })),
  ...(execution && { execution }),
});

/** Recommends a playbook with these parameters and approves it; resolves to the execution's id. */
export async function start(world, workflow_id, parameters = {}) {
  const strategy = { action_type: 'say', workflow_id, confidence: 0.8, rationale: 'r', estimated_risk: 'low', parameters };
  return world.approve(await world.recommend(`inc-${workflow_id}-${(started += 1)}`, { strategies: [strategy] }));
}
let started = 0;

/**
 * Keeps what the API server says of some kinds of objects in a namespace: of each the last state, also of what was deleted; of a TaskRun
 * that has ended the first, for Tekton now and then writes its end once more, a second later.
 * @returns {{of: (kind: string) => any[], end: () => void}}
 */
export function watch(namespace, ...kinds) {
  const known = Object.fromEntries(kinds.map((kind) => [kind, new Map()]));
  const ended = ({ kind, status }) => kind === 'TaskRun' && status?.conditions?.some(({ type, status }) => type === 'Succeeded' && status !== 'Unknown');
  const children = kinds.map((kind) => {
    const args = ['--namespace', namespace, 'get', kind, '--watch', '--output-watch-events', '--output', 'json'];
    const child = spawn('kubectl', args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      const events = (rest + text).split('\n');
      rest = events.pop();
      for (const event of events) {
        const { object } = JSON.parse(event);
        // One that was deleted and came again under its name is another one.
        const before = known[kind].get(object.metadata.uid);
        if (!before || !ended(before)) known[kind].set(object.metadata.uid, object);
      }
    });
    return child;
  });
  return { of: (kind) => [...known[kind].values()], end: () => children.forEach((child) => child.kill()) };
}
