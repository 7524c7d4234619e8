// Approval to PipelineRun: `make measure-approvals`. Decides many recommendations one after the other on the sandbox and reads the
// controller's own histogram (from the decision's time to the API server's answer). Also the memory with all these runs watched.
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { binary, startConsole } from './lib/console.mjs';

const runs = Number(process.argv[2] ?? 500);
const seeds = join(dirname(fileURLToPath(import.meta.url)), '../domain/tests/seeds');
const seed = async (name) => JSON.parse(await readFile(join(seeds, name), 'utf8'));
const resident = async (pid) => Number((await readFile(`/proc/${pid}/status`, 'utf8')).match(/VmRSS:\s+(\d+)/)[1]) / 1024;

const running = await startConsole();
try {
  const [model, admin] = await Promise.all([running.token('propose'), running.token('admin')]);
  const post = async (token, path, body) => {
    const answer = await fetch(running.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  };
  await post(admin, '/api/v1/playbooks', await seed('hidden-oomkill-scale-down.json'));
  const recommendation = await seed('recommendation.json');
  const before = await resident(running.pid);
  for (let run = 0; run < runs; run += 1) {
    recommendation.incident = { id: `inc-${run}`, signal_type: 'OOMKilled', severity: 'high' };
    const { id } = await post(model, '/api/v1/recommendations', recommendation);
    const { digest } = await post(admin, `/api/v1/recommendations/${id}/tickets`, { strategy: 0 });
    await post(admin, `/api/v1/recommendations/${id}/decisions`, { decision: 'approve', strategy: 0, ticket_digest: digest });
  }
  const metrics = await (await fetch(`${running.url}/metrics`)).text();
  const quantile = (q) => metrics.match(new RegExp(`kubernaut_dispatch_seconds\\{quantile="${q}"\\} (\\S+)`))?.[1];
  const ms = (text) => (text ? `${(Number(text) * 1000).toFixed(1)} ms` : 'not seen');
  console.log(`${binary}\n${cpus().length} × ${cpus()[0].model.trim()}`);
  console.log(`approval to PipelineRun created: p50 ${ms(quantile('0.5'))}, p99 ${ms(quantile('0.99'))}, max ${ms(quantile('1'))}, n = ${runs}`);
  console.log(`resident memory: ${before.toFixed(1)} MiB before, ${(await resident(running.pid)).toFixed(1)} MiB with ${runs} runs watched`);
} finally {
  await running.stop();
}
