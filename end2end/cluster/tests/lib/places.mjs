// Where things lie that the tests need: the checkout, what end2end/cluster/build has made, the images that the cluster finds.
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const root = resolve(fileURLToPath(import.meta.url), '../../../../..');

/** Where end2end/cluster/build puts what it builds. */
export const cache = process.env.CLUSTER_CACHE ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'kubernaut-console/cluster');

/** A file of the checkout. */
export const file = (path) => readFileSync(join(root, path), 'utf8');

/** Where the cluster finds an image of the tests, by digest. CLUSTER_IMAGES is described in ../../README.md. */
export function image(name) {
  const list = process.env.CLUSTER_IMAGES ?? join(cache, 'node/images');
  const line = readFileSync(list, 'utf8').split('\n').find((line) => line.startsWith(`${name} `));
  if (!line) throw new Error(`${list} names no ${name}`);
  return line.split(' ')[1];
}
