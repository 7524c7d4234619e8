// Dex, a real provider, on a loopback port: one person comes by a connector that gives the group "authors", another by a password and has
// no group. Built by end2end/dex/build.
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { until } from './world.mjs';

const client = { id: 'kubernaut-console', secret: 'a secret of two' };

/** Who comes by the connector: as Dex's own mock has them. */
export const kilgore = 'kilgore@kilgore.trout';
/** Who comes by a password. */
export const nobody = { email: 'nobody@example.com', password: 'password' };
/** "password", as bcrypt has it. */
const hash = '$2a$10$2b2cU8CPhOTaGrs1HRQuAueS7JTT5ZHsHSzYiFPm1leZck7Mc8T4W';

/** Where Dex is, built if need be; none where there is no Go to build it with, which only matters where everything has to be proved. */
export async function builtDex() {
  try {
    const { stdout } = await promisify(execFile)(fileURLToPath(new URL('../dex/build', import.meta.url)), { timeout: 1_200_000 });
    return stdout.trim();
  } catch (error) {
    if (error.code === 3 && !process.env.CI) return undefined;
    throw error;
  }
}

/** A port that nobody listens on. */
export function freePort() {
  return new Promise((found, failed) => {
    const server = createServer().once('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => found(port));
    });
  });
}

/** Starts it for a console at this address; resolves to its issuer and to the settings with which a console signs people in at it. */
export async function startDex(program, consoleUrl) {
  const [port, directory] = await Promise.all([freePort(), mkdtemp(join(tmpdir(), 'dex-'))]);
  const issuer = `http://127.0.0.1:${port}/dex`;
  const config = {
    issuer,
    storage: { type: 'memory' },
    web: { http: `127.0.0.1:${port}` },
    oauth2: { skipApprovalScreen: true },
    staticClients: [{ ...client, name: 'Kubernaut Console', redirectURIs: [`${consoleUrl}/login/oidc/callback`] }],
    connectors: [{ type: 'mockCallback', id: 'mock', name: 'Example' }],
    enablePasswordDB: true,
    staticPasswords: [{ email: nobody.email, hash, username: 'nobody', userID: '08a8684b-db88-4b73-90a9-3cd1661f5466' }],
  };
  const file = join(directory, 'dex.yaml');
  await writeFile(file, JSON.stringify(config));
  const child = spawn(program, ['serve', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const ended = new Promise((done) => child.once('error', done).once('exit', done));
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async () => {
    kill();
    await ended;
    process.removeListener('exit', kill);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await until('Dex to answer', () => {
      if (child.exitCode !== null) throw new Error(`Dex ended: ${output}`);
      return fetch(`${issuer}/.well-known/openid-configuration`).then(({ ok }) => ok, () => false);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  const env = {
    KUBERNAUT_OIDC_ISSUER: issuer,
    KUBERNAUT_OIDC_CLIENT_ID: client.id,
    KUBERNAUT_OIDC_CLIENT_SECRET: client.secret,
    KUBERNAUT_OIDC_NAME: 'Dex',
    KUBERNAUT_OIDC_SCOPES: 'openid profile email groups',
    KUBERNAUT_OIDC_USERNAME_CLAIM: 'email',
    KUBERNAUT_OIDC_ROLE: 'authors=operator',
    KUBERNAUT_OIDC_ALLOW_PRIVATE: 'on',
  };
  return { issuer, env, stop };
}
