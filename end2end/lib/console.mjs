// Starts the built console as a user would and stops it again. Knows the command line and the wire (docs/api), nothing of the inside.
import { spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const workspace = resolve(dirname(fileURLToPath(import.meta.url)), '../..');

/** The binary under test: CONSOLE_BIN, or what cargo's dev profile built. */
export const binary =
  process.env.CONSOLE_BIN || join(process.env.CARGO_TARGET_DIR ?? join(workspace, 'target'), 'debug', 'kubernaut-console');

/** The first administrator's name and the password that the harness chooses. */
export const admin = { username: 'admin', password: 'end-to-end-password' };

/**
 * Starts `kubernaut-console serve` on a free loopback port with a data directory of its own.
 * `args` and `env` are added to the command; `dataDir` names a directory to keep instead, `listen` an address.
 * Resolves when the console says that it listens; rejects with what it printed if it ends first.
 * @returns {Promise<{url: string, pid: number, dataDir: string, startedMs: number, output: () => string, stop: () => Promise<number|null>,
 *   run: (...args: string[]) => Promise<string>, user: (username: string, ...roles: string[]) => Promise<{username: string, password: string}>,
 *   token: (role: string, name?: string) => Promise<string>, api: (token?: string) => Api}>}
 */
export async function startConsole({ args = [], env = {}, dataDir, listen = '127.0.0.1:0' } = {}) {
  const directory = dataDir ?? (await mkdtemp(join(tmpdir(), 'kubernaut-console-')));
  const environment = {
    ...withoutSettings(process.env),
    KUBERNAUT_DATA_DIR: directory,
    KUBERNAUT_ADMIN_PASSWORD: admin.password,
    KUBERNAUT_USER_PASSWORD: admin.password,
    // What happens by itself would disturb tests that are about something else.
    KUBERNAUT_ASSESS_AFTER: '6h',
    ...besideItsDatabase(env.KUBERNAUT_DATABASE_URL),
    ...env,
  };
  const began = performance.now();
  const child = spawn(binary, ['serve', '--listen', listen, ...args], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ended = new Promise((done) => {
    child.once('error', (error) => done((output += error.message)));
    child.once('exit', done);
  });
  // A test run that is broken off must not leave a server behind.
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);

  const stop = async () => {
    child.kill('SIGTERM');
    const late = setTimeout(kill, 15_000);
    await ended;
    clearTimeout(late);
    process.removeListener('exit', kill);
    if (!dataDir) await rm(directory, { recursive: true, force: true });
    return child.exitCode;
  };

  const listening = new Promise((found) => {
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => {
        output += text;
        const line = output.match(/listening on (http:\/\/\S+)\s/);
        if (line) found(line[1]);
      });
    }
  });
  const url = await Promise.race([listening, ended.then(() => null), wait(30_000).then(() => null)]);
  if (!url) {
    await stop();
    throw new Error(`${binary} did not start:\n${output}`);
  }
  const startedMs = performance.now() - began;

  const run = (...args) => runConsole(args, environment);
  let tokens = 0;
  return {
    url,
    pid: child.pid,
    dataDir: directory,
    startedMs,
    output: () => output,
    stop,
    run,
    user: async (username, ...roles) => {
      await run('user', 'create', '--name', username, ...roles.flatMap((role) => ['--role', role]));
      return { username, password: environment.KUBERNAUT_USER_PASSWORD };
    },
    token: async (role, name = `${role}-${(tokens += 1)}`) => lastWord(await run('token', 'create', '--name', name, '--role', role)),
    api: (token) => api(url, token),
  };
}

/** A database that outlives the console has the keys of its audit trail beside it, for whichever console opens it next. */
function besideItsDatabase(url = '') {
  const file = url.startsWith('sqlite://') && url.slice('sqlite://'.length);
  return file ? { KUBERNAUT_AUDIT_KEY_FILE: `${file}.keys` } : {};
}

/** One call of another subcommand; resolves to what it printed, rejects when it fails. */
function runConsole(args, env) {
  return new Promise((done, failed) => {
    const child = spawn(binary, args, { env, stdio: ['ignore', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (err += text));
    child.once('error', failed);
    child.once('close', (code) => (code === 0 ? done(out) : failed(new Error(`${args.join(' ')} ended with ${code}:\n${out}${err}`))));
  });
}

/**
 * The REST API with a bearer token (or none): `call(method, path, body?, headers?)`, `get(path)`, `post(path, body)`.
 * Each answers `{status, body, headers}`, the body parsed when it is JSON.
 */
export function api(url, token) {
  const call = async (method, path, body, headers = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(token && { authorization: `Bearer ${token}` }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      body: body === undefined || typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    const json = /json/.test(response.headers.get('content-type') ?? '');
    return { status: response.status, body: json && text ? JSON.parse(text) : text, headers: response.headers };
  };
  return { call, get: (path) => call('GET', path), post: (path, body) => call('POST', path, body) };
}

/** The caller's environment without settings of a console: a test must not depend on who runs it. */
function withoutSettings(env) {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('KUBERNAUT_')));
}

const lastWord = (text) => text.trim().split(/\s+/).at(-1);
const wait = (ms) => new Promise((done) => setTimeout(done, ms).unref());
