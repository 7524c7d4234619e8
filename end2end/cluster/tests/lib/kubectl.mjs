// How the tests ask the cluster that KUBECONFIG names: by kubectl, as an administrator does.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { until } from '../../../lib/world.mjs';
import { cache } from './places.mjs';

// kubectl is built with the cluster; whoever brings another cluster brings their own.
process.env.PATH += `:${join(cache, 'programs')}`;

/** A kubectl that goes on until it ends or is killed. */
export const running = (args, stdio) => spawn('kubectl', args, { stdio });

/** Runs kubectl to its end, whatever that is; `input` goes to its standard input. */
function ran(args, input) {
  return new Promise((done, failed) => {
    const child = running(args, ['pipe', 'pipe', 'pipe']);
    const [out, err] = [[], []];
    child.stdout.on('data', (chunk) => out.push(chunk));
    child.stderr.on('data', (chunk) => err.push(chunk));
    child.once('error', failed);
    child.once('close', (code) => done({ code, out: Buffer.concat(out), err: Buffer.concat(err).toString() }));
    child.stdin.on('error', () => {}); // it may end without having read
    child.stdin.end(input ?? '');
  });
}

/** What kubectl says, for who wants to see it fail. */
export async function tried(args, input) {
  const { code, out, err } = await ran(args, input);
  return { code, out: out.toString(), err };
}

/** What kubectl prints, byte for byte; rejects with what it said when it fails. */
export async function bytes(args, input) {
  const { code, out, err } = await ran(args, input);
  if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${err.trim()}`);
  return out;
}

/** The same as text. */
export const kubectl = async (args, input) => (await bytes(args, input)).toString();

/** The same, of what prints an object. */
export const json = async (args, input) => JSON.parse(await kubectl([...args, '-o', 'json'], input));

/** One object, or a list of them, as the API server has it. */
export const get = (...args) => json(['get', ...args]);

/**
 * Applies an object, several as an array, or YAML. Objects and YAML have to be applied one after the other: what begins with JSON is all JSON to
 * kubectl.
 */
export const apply = (what) => kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], text(what));

function text(what) {
  if (typeof what === 'string') return what;
  return JSON.stringify(Array.isArray(what) ? { apiVersion: 'v1', kind: 'List', items: what } : what);
}

/** Asks the cluster until the answer is truthy, and resolves to it. Each time takes a process, so it is asked less often than a console. */
export const eventually = (what, ask, seconds = 120) => until(what, ask, seconds, 500);
