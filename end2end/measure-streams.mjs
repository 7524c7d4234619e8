// Many event streams at once: `make measure-streams`. So many readers hold one each; recommendations come in, and each reader notes
// when it heard of them. From the database's time of the event to the reader; and what a stream costs in resident memory.
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { cpus } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { binary } from './lib/console.mjs';
import { stage } from './lib/stage.mjs';
import { seed, World } from './lib/world.mjs';

if (isMainThread) await main(Number(process.argv[2] ?? 10_000), Number(process.argv[3] ?? 60));
else await hold(workerData);

async function main(streams, events) {
  const on = stage();
  let readers;
  try {
    // All of them come from this machine: one address.
    const console_ = await on.console({ env: { KUBERNAUT_CONNECTIONS_PER_ADDRESS: String(streams + 100) } });
    const world = await World.of(console_);
    await world.register(await seed('hidden-oomkill-scale-down'));
    const resident = async () => Number((await readFile(`/proc/${console_.pid}/status`, 'utf8')).match(/VmRSS:\s+(\d+)/)[1]);
    await world.recommend('inc-first');
    const before = await resident();
    readers = new Worker(new URL(import.meta.url), { workerData: { url: console_.url, token: await console_.token('viewer'), streams } });
    const told = () => new Promise((done, failed) => readers.once('message', done).once('error', failed));
    await told();
    await wait(2000);
    const open = await resident();
    console.log(`${binary}\n${cpus().length} × ${cpus()[0].model.trim()}, the readers on the same machine`);
    console.log(`${streams} streams open: ${((open - before) / streams).toFixed(2)} KiB each (${(before / 1024).toFixed(1)} → ${(open / 1024).toFixed(1)} MiB)`);
    for (let n = 0; n < events; n += 1) {
      await world.recommend(`inc-${n}`);
      await wait(700);
    }
    readers.postMessage('how long?');
    const { heard, times } = await told();
    const at = (share) => times[Math.min(times.length - 1, Math.ceil(share * times.length) - 1)];
    console.log(`delivery, ${heard} of ${streams * events}: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms, max ${at(1)} ms`);
    console.log(`after ${events} events: ${(((await resident()) - before) / streams).toFixed(2)} KiB each`);
  } finally {
    await readers?.terminate();
    await on.close();
  }
}

/**
 * The readers, on a thread of their own: plain sockets that do as little as they can, so that what is measured is the console and not
 * they. One of them reads when an event was; the others only note when it reached them.
 */
async function hold({ url, token, streams }) {
  const { hostname, port } = new URL(url);
  const [begun, reached] = [[], []];
  let counting = false;
  const open = (reads) =>
    new Promise((done, failed) => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true });
      socket.once('error', failed);
      socket.write(`GET /api/v1/events HTTP/1.1\r\nhost: ${hostname}:${port}\r\nauthorization: Bearer ${token}\r\n\r\n`);
      socket.on('data', (chunk) => {
        if (!counting) return chunk.includes('snapshot') && done();
        if (!chunk.includes('event: recommendation')) return;
        reached.push(Date.now());
        if (reads) begun.push(Date.parse(chunk.toString('latin1').match(/"at":"([^"]+)"/)[1]));
      });
    });
  for (let n = 0; n < streams; n += 100) {
    await Promise.all(Array.from({ length: Math.min(100, streams - n) }, (_, k) => open(n + k === 0)));
    await wait(220); // one caller may ask 500 times a second
  }
  counting = true;
  parentPort.once('message', () => {
    // Events are further apart than any takes to arrive: what arrives belongs to the last that was before it.
    const times = reached.map((at) => at - begun.findLast((each) => each <= at));
    parentPort.postMessage({ heard: times.length, times: times.sort((a, b) => a - b) });
  });
  parentPort.postMessage('open');
}
