// A real registry on a loopback port, with images that are signed by cosign: with keys, and with a certificate of an authority of their own.
// Built by end2end/cosign/build.
import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { until } from './world.mjs';

const run = promisify(execFile);

/** Whom the certificate names, and who vouched for that. */
export const workflow = {
  subject: 'https://git.example/team/playbooks/.github/workflows/release.yaml@refs/tags/v1',
  issuer: 'https://token.example',
};

/** Where cosign and crane are, built if need be; nowhere where there is no Go to build them with, which only matters where everything has to be proved. */
export async function builtCosign() {
  try {
    const { stdout } = await run(fileURLToPath(new URL('../cosign/build', import.meta.url)), { timeout: 1_200_000 });
    return stdout.trim();
  } catch (error) {
    if (error.code === 3 && !process.env.CI) return undefined;
    throw error;
  }
}

/**
 * Starts a registry. `image(name)` makes one that lies in it and resolves to its name by digest; `sign(image, key, ...args)` signs it with a
 * key of that name; `trust(changes)` writes a file that says whose signatures count and resolves to its path; `certified` are the
 * arguments that sign by the certificate instead.
 */
export async function startRegistry(programs) {
  const directory = await mkdtemp(join(tmpdir(), 'registry-'));
  const env = { ...process.env, HOME: directory, COSIGN_PASSWORD: '' };
  const at = { cwd: directory, env, timeout: 120_000 };
  const cosign = (...args) => run(join(programs, 'cosign'), args, at);
  const crane = async (...args) => (await run(join(programs, 'crane'), args, at)).stdout.trim();

  const child = spawn(join(programs, 'crane'), ['registry', 'serve', '--address', '127.0.0.1:0'], { ...at, timeout: undefined, stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr.setEncoding('utf8').on('data', (text) => (output += text));
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
    const host = await until('the registry to serve', () => {
      if (child.exitCode !== null) throw new Error(`the registry ended: ${output}`);
      const serving = output.match(/serving on port (\d+)/);
      return serving && `127.0.0.1:${serving[1]}`;
    });
    for (const name of ['release', 'other']) await cosign('generate-key-pair', '--output-key-prefix', name);
    await certificate(directory, at);
    await cosign('import-key-pair', '--key', 'leaf.pem', '--output-key-prefix', 'leaf');
    const image = async (name) => {
      // Something else in each: images of one content are one image, signatures and all.
      await writeFile(join(directory, 'name'), name);
      await run('tar', ['-cf', `${name}.tar`, 'name'], at);
      await crane('append', '--oci-empty-base', '-f', `${name}.tar`, '-t', `${host}/${name}:v1`);
      return `${host}/${name}@${await crane('digest', `${host}/${name}:v1`)}`;
    };
    const sign = (image, key, ...args) => cosign('sign', '--yes', '--tlog-upload=false', '--key', `${key}.key`, ...args, image);
    const trust = async (changes = {}) => {
      const said = {
        registries: [host],
        keys: [{ name: 'release', file: 'release.pub' }],
        identities: [{ ...workflow, subject: workflow.subject.replace('v1', '*') }],
        authorities: 'ca.crt',
        access: { allow_private: true },
        ...changes,
      };
      const path = join(directory, `trust-${Object.keys(changes).join('-')}.yaml`);
      await writeFile(path, JSON.stringify(said));
      return path;
    };
    const certified = ['--certificate', 'leaf.crt', '--certificate-chain', 'ca.crt'];
    return { host, image, sign, trust, certified, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** An authority, and a certificate of it as keyless signing has them. */
async function certificate(directory, at) {
  const openssl = (...args) => run('openssl', args, at);
  const key = (name) => openssl('ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', name);
  await Promise.all([key('ca.pem'), key('leaf.pem')]);
  await writeFile(join(directory, 'ca.cnf'), '[req]\ndistinguished_name=dn\nprompt=no\nx509_extensions=ext\n[dn]\nCN=team\n[ext]\nbasicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign\nsubjectKeyIdentifier=hash\n');
  await openssl('req', '-x509', '-new', '-key', 'ca.pem', '-days', '2', '-config', 'ca.cnf', '-out', 'ca.crt');
  const extensions = [
    'basicConstraints=critical,CA:FALSE',
    'keyUsage=critical,digitalSignature',
    'extendedKeyUsage=codeSigning',
    `subjectAltName=critical,URI:${workflow.subject}`,
    `1.3.6.1.4.1.57264.1.8=ASN1:UTF8String:${workflow.issuer}`,
  ];
  await writeFile(join(directory, 'leaf.ext'), extensions.join('\n'));
  await openssl('req', '-new', '-key', 'leaf.pem', '-subj', '/CN=release', '-config', 'ca.cnf', '-out', 'leaf.csr');
  await openssl('x509', '-req', '-in', 'leaf.csr', '-CA', 'ca.crt', '-CAkey', 'ca.pem', '-set_serial', '7', '-days', '1', '-extfile', 'leaf.ext', '-out', 'leaf.crt');
}
