// HolmesGPT itself, from its package (scripts/setup holmes), with a scripted model behind it: its own engine, prompts, tools and stream.
import { spawn } from 'node:child_process';
import { access, mkdtemp, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
const python = process.env.HOLMES_PYTHON ?? join(cache, 'kubernaut-console', 'tools', 'holmesgpt-0.45.0', 'bin', 'python');
const server = fileURLToPath(new URL('holmes_server.py', import.meta.url));

/** What it lets one in with. */
export const key = 'a key of HolmesGPT';

/** Starts it for a model at this address, without a cluster and without anything of this machine's settings. */
export async function startHolmes(modelUrl) {
  await access(python).catch(() => {
    throw new Error(`${python} is missing: run scripts/setup holmes`);
  });
  const home = await mkdtemp(join(tmpdir(), 'holmes-'));
  const child = spawn(python, [server], {
    cwd: home,
    env: {
      PATH: process.env.PATH, HOME: home, MODEL: 'openai/gpt-4o', OPENAI_API_BASE: modelUrl, OPENAI_API_KEY: 'none', HOLMES_API_KEY: key,
      LOAD_CONFIG_FROM_ENV: 'true', ENABLE_TELEMETRY: 'false', LLM_NUM_RETRIES: '0', KUBECONFIG: join(home, 'none'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const ended = new Promise((done) => child.once('close', done));
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async () => {
    kill();
    await ended;
    process.removeListener('exit', kill);
    await rm(home, { recursive: true, force: true });
  };
  const url = await Promise.race([
    new Promise((found) => {
      for (const stream of [child.stdout, child.stderr]) {
        stream.setEncoding('utf8').on('data', (text) => {
          output += text;
          const line = output.match(/^(http:\/\/\S+)$/m);
          if (line) found(line[1]);
        });
      }
    }),
    ended.then(() => null),
  ]);
  if (!url) {
    await stop();
    throw new Error(`HolmesGPT ended:\n${output}`);
  }
  return { url, stop };
}
