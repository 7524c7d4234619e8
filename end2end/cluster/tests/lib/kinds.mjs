// Definitions of kinds that the cluster lacks, lent to it for as long as a test takes.
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { kubectl, tried } from './kubectl.mjs';

const MANAGER = 'deploy-suite';
const lent = [];

/** Lends the definition of this file, unless there is one. */
export async function lend(file) {
  const text = await readFile(file, 'utf8').catch(() => assert.fail(`${file} is not there: end2end/cluster/build fetches it`));
  const name = text.match(/^ {2}name: (\S+)$/m)[1];
  if ((await tried(['get', 'crd', name])).code === 0) return;
  await kubectl(['apply', '--server-side', `--field-manager=${MANAGER}`, '-f', '-'], text);
  lent.push(name);
  await kubectl(['wait', '--for=condition=Established', `crd/${name}`, '--timeout=30s']);
}

/** Takes back what was lent, unless somebody has applied it since, or uses it. */
export async function takeBack() {
  for (const name of lent) {
    const { code, out } = await tried(['get', 'crd', name, '-o', 'json', '--show-managed-fields']);
    if (code !== 0) continue;
    const others = JSON.parse(out).metadata.managedFields.filter((it) => ![MANAGER, 'kube-apiserver'].includes(it.manager));
    const used = (await tried(['get', name, '--all-namespaces', '-o', 'name'])).out.trim();
    if (others.length === 0 && used === '') await tried(['delete', 'crd', name, '--timeout=30s']);
  }
}
