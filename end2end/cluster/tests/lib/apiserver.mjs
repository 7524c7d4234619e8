// A second API server on the store of the cluster of end2end/cluster/up, that may be ended and started again without anybody else noticing.
import { spawn } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

const PORT = 6444;

/** The command line of the cluster's own API server, and the process; none where it is not on this machine. */
function running() {
  const state = dirname(process.env.CLUSTER_IMAGES ?? '');
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const [program, ...args] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1);
      if (program.endsWith('kube-apiserver') && args.some((arg) => arg.startsWith(`${state}/`))) return { pid, program, args };
    } catch {
      // It ended meanwhile, or is somebody else's.
    }
  }
  return null;
}

/** Starts one, beside the cluster's own; null where there is no way to. */
export async function startApiServer() {
  const own = running();
  if (!own || !existsSync(`/proc/${own.pid}/ns/net`)) return null;
  const directory = await mkdtemp(join(tmpdir(), 'kubernaut-api-'));
  const socketPath = join(directory, 'api.sock');
  const value = (flag) => own.args[own.args.indexOf(flag) + 1];
  const inside = (...command) => spawn('nsenter', ['--target', own.pid, '--net', '--', ...command], { stdio: 'ignore' });
  const ended = (child) => new Promise((done) => (child.exitCode === null && child.signalCode === null ? child.once('exit', done) : done()));
  // Only the first is the cluster's: this one must not write itself into the Endpoints of the cluster's Service.
  const args = own.args.map((arg, n) => (own.args[n - 1] === '--secure-port' ? String(PORT) : arg));
  const door = inside('socat', `UNIX-LISTEN:${socketPath},fork,unlink-early`, `TCP:${value('--bind-address')}:${PORT}`);
  let server;

  const ready = () => new Promise((done) => {
    const request = https.get({ socketPath, path: '/readyz', rejectUnauthorized: false }, (answer) => (answer.resume(), done(answer.statusCode === 200 || answer.statusCode === 401)));
    request.on('error', () => done(false));
  });
  const start = async () => {
    server = inside(own.program, ...args, '--endpoint-reconciler-type', 'none');
    const end = Date.now() + 60_000;
    while (!(await ready())) {
      if (server.exitCode !== null || Date.now() > end) throw new Error('the second API server did not start');
      await wait(200);
    }
    // Who answers must be this one: an earlier test that was killed may have left its own behind.
    await wait(500);
    if (server.exitCode !== null) throw new Error(`something else listens on the node's port ${PORT}: end it first`);
  };
  const kill = () => [server, door].forEach((child) => child?.kill('SIGKILL'));
  process.once('exit', kill);
  await start();
  return {
    socketPath,
    start,
    /** Ends it as the kernel would. */
    stop: async () => {
      server.kill('SIGKILL');
      await ended(server);
    },
    close: async () => {
      kill();
      await Promise.all([ended(server), ended(door)]);
      process.removeListener('exit', kill);
      await rm(directory, { recursive: true, force: true });
    },
  };
}
