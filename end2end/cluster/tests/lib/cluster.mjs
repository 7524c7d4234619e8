// How the tests ask the cluster that KUBECONFIG names: by kubectl, as an administrator does.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const root = resolve(fileURLToPath(import.meta.url), '../../../../..');
/** Where end2end/cluster/build puts what it builds. */
export const cache = process.env.CLUSTER_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'kubernaut-console/cluster');
const env = { ...process.env, PATH: `${process.env.PATH}:${join(cache, 'programs')}` };

/** Runs a program to its end, whatever that is. */
export const run = (program, args, input) =>
  new Promise((done) => {
    const options = { env, cwd: root, maxBuffer: 1 << 26 };
    const child = execFile(program, args, options, (error, out, err) => done({ code: error ? (error.code ?? 1) : 0, out, err }));
    child.stdin.on('error', () => {}); // it may end without having read
    child.stdin.end(input ?? '');
  });
export const kubectl = (args, input) => run('kubectl', args, input);
/** What kubectl says; it has to succeed. */
export async function good(args, input) {
  const { code, out, err } = await kubectl(args, input);
  assert.equal(code, 0, `kubectl ${args.join(' ')}\n${err}`);
  return out;
}
export const json = async (args, input) => JSON.parse(await good([...args, '-o', 'json'], input));
export const render = (directory) => good(['kustomize', directory]);
export async function until(what, ask, seconds = 90) {
  for (const end = Date.now() + seconds * 1000; ; ) {
    const answer = await ask();
    if (answer) return answer;
    assert.ok(Date.now() < end, `gave up waiting until ${what}`);
    await sleep(300);
  }
}

// Definitions of kinds that the cluster lacks, for as long as the tests take.
const MANAGER = 'deploy-suite';
const lent = [];
export async function lend(file) {
  const text = await readFile(file, 'utf8').catch(() => assert.fail(`${file} is not there: end2end/cluster/build fetches it`));
  const name = text.match(/^ {2}name: (\S+)$/m)[1];
  if ((await kubectl(['get', 'crd', name])).code === 0) return;
  await good(['apply', '--server-side', `--field-manager=${MANAGER}`, '-f', '-'], text);
  lent.push(name);
  await good(['wait', '--for=condition=Established', `crd/${name}`, '--timeout=30s']);
}
/** Takes back what was lent, unless somebody has applied it since, or uses it. */
export async function takeBack() {
  for (const name of lent) {
    const { code, out } = await kubectl(['get', 'crd', name, '-o', 'json', '--show-managed-fields']);
    if (code !== 0) continue;
    const others = JSON.parse(out).metadata.managedFields.filter((it) => ![MANAGER, 'kube-apiserver'].includes(it.manager));
    const used = (await kubectl(['get', name, '--all-namespaces', '-o', 'name'])).out.trim();
    if (others.length === 0 && used === '') await kubectl(['delete', 'crd', name, '--timeout=30s']);
  }
}
