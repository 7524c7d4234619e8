// Start to ready, and resident memory at rest: `make measure-start`. Prints one line per figure; machine and date belong beside them.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { binary, startConsole } from './lib/console.mjs';

const rounds = 10;

const resident = async (pid) => Number((await readFile(`/proc/${pid}/status`, 'utf8')).match(/VmRSS:\s+(\d+)/)[1]) / 1024;
const median = (numbers) => numbers.sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

/** Starts `rounds` times on a fresh directory each; with `again`, looks at the second start on it. */
async function starts(args, again) {
  const took = [];
  for (let round = 0; round < rounds; round += 1) {
    const dataDir = await mkdtemp(join(tmpdir(), 'kubernaut-measure-'));
    for (let start = again ? 2 : 1; start > 0; start -= 1) {
      const running = await startConsole({ args, dataDir });
      await running.stop();
      if (start === 1) took.push(running.startedMs);
    }
    await rm(dataDir, { recursive: true });
  }
  return `median ${median(took).toFixed(0)} ms, slowest ${Math.max(...took).toFixed(0)} ms, n = ${rounds}`;
}

async function memory(args) {
  const running = await startConsole({ args });
  await sleep(10_000);
  const idle = await resident(running.pid);
  await running.stop();
  return `${idle.toFixed(1)} MiB after 10 s`;
}

console.log(`${binary}\n${cpus().length} × ${cpus()[0].model.trim()}`);
console.log(`start to ready, empty directory: ${await starts([], false)}`);
console.log(`start to ready, second start:    ${await starts([], true)}`);
console.log(`start to ready, demo scene:      ${await starts(['--scene', 'demo'], false)}`);
console.log(`resident memory, empty:          ${await memory([])}`);
console.log(`resident memory, demo scene:     ${await memory(['--scene', 'demo'])}`);
