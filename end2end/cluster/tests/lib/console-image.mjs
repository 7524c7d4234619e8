// The image of the console that is under test, for the tests that start it, or a subcommand of it, as a pod.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { binary } from '../../../lib/console.mjs';
import { image, root } from './places.mjs';

/** Where the registry of the cluster of end2end/cluster/up is reached from this machine. */
export const here = `127.0.0.1:${process.env.CLUSTER_REGISTRY_PORT ?? 15000}`;

/** Where the cluster finds it: CONSOLE_IMAGE, or made of the binary and pushed to the registry of this cluster. */
export async function consoleImage() {
  if (process.env.CONSOLE_IMAGE) return process.env.CONSOLE_IMAGE;
  const there = image('playbook-shell').split('/')[0];
  const made = await promisify(execFile)(join(root, 'deploy/image/from-scratch'), [binary, `${here}/kubernaut/console:test`], {
    env: { ...process.env, ...(/\/debug\//.test(binary) && { SITE: join(root, 'target/site') }) },
  });
  return made.stdout.trim().replace(here, there);
}
