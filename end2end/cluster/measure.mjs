// The controller on a real cluster: `make measure-cluster`, on that of `make cluster`. Tekton's controller is away except where runs have to
// run, so that only the console is measured; what Tekton would write of a run is written here, as it writes it.
//   node end2end/cluster/measure.mjs [PART …]      parts: requests start completion burst memory; all of them when none is named
// COUNT_PART changes how many: COUNT_MEMORY=1000 makes a thousand of each kind instead of ten thousand.
import { readFile } from 'node:fs/promises';
import https from 'node:https';
import { cpus } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { openPage, signIn } from '../lib/browser.mjs';
import { binary } from '../lib/console.mjs';
import { stage } from '../lib/stage.mjs';
import { until, World } from '../lib/world.mjs';
import { bench, ended, playbook } from './tests/lib/bench.mjs';
import { kubectl } from './tests/lib/kubectl.mjs';
import { namespace } from './tests/lib/namespace.mjs';
import { strategy } from './tests/lib/playbooks.mjs';

const parts = { requests, start, completion, burst, memory };
const wanted = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(parts);
const count = (part, otherwise) => Number(process.env[`COUNT_${part.toUpperCase()}`] ?? otherwise);
const on = stage();
const homes = [];
let cluster;
try {
  cluster = await api();
  console.log(`${binary}\n${cpus().length} × ${cpus()[0].model.trim()}`);
  for (const part of wanted) {
    if (!parts[part]) throw new Error(`there is no part '${part}'; there are: ${Object.keys(parts).join(', ')}`);
    await tekton(part === 'requests');
    console.log(`\n${part}`);
    await parts[part]();
  }
} finally {
  await tekton(true);
  await on.close();
  // What is still being removed would be measured with the next part.
  for (const { name } of homes) await kubectl(['delete', 'namespace', name, '--ignore-not-found', '--wait=true', '--timeout=900s']);
}

// --- what is measured ---------------------------------------------------------------------------------------------------------------

/** Requests to the API server of a run of one task, from its approval until everything of it is written. Tekton runs it. */
async function requests() {
  const runs = count('requests', 10);
  const home = await place();
  const one = await bench(on, home.name, { home });
  await one.world.register(playbook());
  await one.acts();
  const before = one.proxy.calls.length;
  for (let n = 0; n < runs; n += 1) {
    const { approve } = await one.proposed(`inc-${n}`, { seconds: 12 });
    const id = await approve();
    await ended(one, id);
    await one.world.logged(id);
  }
  await wait(3000);
  const ours = one.proxy.calls.slice(before).filter(({ verb, kind }) => verb !== 'watch' && !['leases', '/version'].includes(kind));
  const counts = {};
  for (const { verb, kind } of ours) counts[`${verb} ${kind}`] = (counts[`${verb} ${kind}`] ?? 0) + 1;
  // What a decision is shown of its target is read for the page, and logs are as long as they are.
  const other = /pods\/log|deployments|horizontalpodautoscalers|poddisruptionbudgets/;
  for (const [what, n] of Object.entries(counts).sort()) console.log(`  ${what}: ${(n / runs).toFixed(2)} a run`);
  const counted = ours.filter(({ kind }) => !other.test(kind)).length;
  console.log(`  all but logs and the target: ${(counted / runs).toFixed(2)} a run of 12 s, n = ${runs}`);
  await one.close();
}

/** One approval after the other, at random moments: to its PipelineRun, and how much of that the API server takes. */
async function start() {
  const runs = count('start', 200);
  const { console_, world } = await ready(await place());
  for (let n = 0; n < runs; n += 1) {
    await world.approve(await recommend(world, n));
    await wait(Math.random() * 100);
  }
  await starts(console_, runs);
  const metrics = await metricsOf(console_);
  const whole = (q) => metrics(`kubernaut_dispatch_seconds{quantile="${q}"}`) * 1000;
  const asked = (resource) => metrics(`kubernaut_api_request_seconds{method="POST",resource="${resource}",quantile="0.5"}`) * 1000;
  const theirs = asked('workflowexecutions') + asked('configmaps') + asked('pipelineruns');
  console.log(`  approval to PipelineRun: p50 ${whole(0.5).toFixed(1)} ms, p99 ${whole(0.99).toFixed(1)} ms, n = ${runs}`);
  await told(console_);
  console.log(`  without the API server's three answers, our own share: p50 ${(whole(0.5) - theirs).toFixed(1)} ms`);
  await console_.stop();
}

/** A PipelineRun succeeds, at a random moment: until the open page of the run has painted it. */
async function completion() {
  const runs = count('completion', 200);
  const home = await place();
  const [{ console_, world }, browser] = [await ready(home), await on.browser()];
  const page = await openPage(browser, console_.url);
  await signIn(page);
  await page.addInitScript(notePaint);
  const [sent, answered] = [[], []];
  for (let n = 0; n < runs; n += 1) {
    const id = await world.approve(await recommend(world, n));
    const { name } = await started(world, id);
    await cluster.patch(home, name, { startTime: now(), conditions: [condition('Unknown', 'Running')] });
    await page.goto(`/runs/${id}`);
    await page.locator('html[data-alive]').waitFor();
    await wait(500 + Math.random() * 1000);
    const before = Date.now();
    await cluster.patch(home, name, { startTime: now(), completionTime: now(), conditions: [condition('True', 'Succeeded')] });
    const after = Date.now();
    const painted = await page.waitForFunction(() => window.painted).then((handle) => handle.jsonValue());
    sent.push(painted - before);
    answered.push(painted - after);
  }
  report('from the API server\'s answer to whoever wrote the end, to the page', answered);
  report('from before that was sent, to the page', sent);
  await page.context().close();
  await console_.stop();
}

/** Many decisions at once, all that they need prepared before: from the first of them to the last start. */
async function burst() {
  const runs = count('burst', 1000);
  const home = await place();
  const { console_, world } = await ready(home);
  const decide = await each(numbers(runs), 8, async (n) => world.decision(await recommend(world, n)));
  const from = Date.now();
  const decided = each(decide, 16, (approve) => approve()).then(() => Date.now());
  const to = await starts(console_, runs);
  console.log(`  ${runs} decided in ${(((await decided) - from) / 1000).toFixed(1)} s, all started after ${((to - from) / 1000).toFixed(1)} s: ${((runs * 1000) / (to - from)).toFixed(0)} starts a second`);
  await told(console_);
  const list = await home.get('pipelineruns');
  console.log(`  PipelineRuns there: ${list.items.length}, of them pending: ${list.items.filter(({ spec }) => spec.status).length}`);
  await console_.stop();
}

/** Memory with nothing, and with many WorkflowExecutions and PipelineRuns; and how long the console takes to know them after its start. */
async function memory() {
  const runs = count('memory', 10_000);
  const home = await place();
  const idle = await ready(home, { peopled: false });
  await wait(20_000);
  console.log(`  idle: ${await resident(idle.console_)}`);
  await idle.console_.stop();

  const { console_: kept, world } = await ready(home, { dataDir: await on.directory() });
  await each(numbers(runs), 8, async (n) => world.approve(await recommend(world, n)));
  await starts(kept, runs);
  await wait(10_000);
  console.log(`  ${runs} running, the console that started them: ${await resident(kept)}`);
  const again = await restarted(home, kept);
  console.log(`  ${runs} running, started anew: ready ${again.ready} ms after its start, ${await resident(again.console_)}`);

  const names = (await home.get('pipelineruns')).items.map(({ metadata }) => metadata.name);
  const end = { startTime: now(), completionTime: now(), conditions: [condition('True', 'Succeeded')] };
  await each(names, 16, (name) => cluster.patch(home, name, end));
  await wait(30_000);
  console.log(`  ${runs} ended, the console that saw them end: ${await resident(again.console_)}`);
  const last = await restarted(home, again.console_);
  console.log(`  ${runs} ended, started anew: ready ${last.ready} ms after its start, ${await resident(last.console_)}`);
  await last.console_.stop();
}

// --- by what ------------------------------------------------------------------------------------------------------------------------

async function place() {
  const home = await namespace(`measure-${homes.length}`);
  homes.push(home);
  return home;
}

/** A console that acts in that namespace, and the people around it. */
async function ready(home, { dataDir, peopled = true } = {}) {
  const began = Date.now();
  const console_ = await on.console({ args: home.args, dataDir });
  await isReady(console_);
  const took = Date.now() - began;
  const world = peopled && (await World.of(console_));
  if (peopled) await world.register(playbook());
  return { console_, world, took };
}

function isReady(console_) {
  return until('the console to act', async () => (await fetch(`${console_.url}/readyz`)).ok, 300);
}

async function restarted(home, before) {
  await before.stop();
  const { console_, took } = await ready(home, { dataDir: before.dataDir, peopled: false });
  await wait(10_000);
  return { console_, ready: took };
}

function recommend(world, n) {
  return world.recommend(`inc-${n}`, { strategies: [strategy('says', { RUN_SECONDS: 0 })] });
}

/** When that many PipelineRuns were created. */
async function starts(console_, runs) {
  while (!((await metricsOf(console_))('kubernaut_dispatch_seconds_count') >= runs)) await wait(100);
  return Date.now();
}

/** What the API server took, of each kind of request. */
async function told(console_) {
  const metrics = await metricsOf(console_);
  for (const of of ['POST workflowexecutions', 'POST configmaps', 'POST pipelineruns', 'PATCH pipelineruns', 'PATCH workflowexecutions']) {
    const [method, resource] = of.split(' ');
    const at = (q) => metrics(`kubernaut_api_request_seconds{method="${method}",resource="${resource}",quantile="${q}"}`) * 1000;
    console.log(`  the API server, ${of}: p50 ${at(0.5).toFixed(1)} ms, p99 ${at(0.99).toFixed(1)} ms`);
  }
}

async function started(world, id) {
  return until(`execution ${id} to start`, async () => {
    const run = await world.execution(id);
    return run.stage === 'started' && run;
  });
}

async function metricsOf(console_) {
  const lines = (await (await fetch(`${console_.url}/metrics`)).text()).split('\n');
  return (name) => Number(lines.find((line) => line.startsWith(`${name} `))?.slice(name.length + 1) ?? NaN);
}

async function resident({ pid }) {
  const kib = Number((await readFile(`/proc/${pid}/status`, 'utf8')).match(/VmRSS:\s+(\d+)/)[1]);
  return `${(kib / 1024).toFixed(1)} MiB resident`;
}

/** Tekton's controller is there, or away. */
async function tekton(there) {
  await kubectl(['--namespace', 'tekton-pipelines', 'scale', 'deployment/tekton-pipelines-controller', `--replicas=${there ? 1 : 0}`]);
  if (there) await kubectl(['--namespace', 'tekton-pipelines', 'rollout', 'status', 'deployment/tekton-pipelines-controller', '--timeout=120s']);
  else await kubectl(['--namespace', 'tekton-pipelines', 'wait', 'pod', '--selector=app=tekton-pipelines-controller', '--for=delete', '--timeout=120s']);
}

/** The API server as an administrator reaches it, without a program in between. */
async function api() {
  const config = JSON.parse(await kubectl(['config', 'view', '--raw', '--minify', '--flatten', '-o', 'json']));
  const decoded = (text) => text && Buffer.from(text, 'base64');
  const { server, 'certificate-authority-data': ca } = config.clusters[0].cluster;
  const { 'client-certificate-data': cert, 'client-key-data': key } = config.users[0].user;
  const agent = new https.Agent({ keepAlive: true, ca: decoded(ca), cert: decoded(cert), key: decoded(key) });
  return {
    patch: (home, name, status) =>
      new Promise((done, failed) => {
        const url = `${server}/apis/tekton.dev/v1/namespaces/${home.name}/pipelineruns/${name}/status`;
        const request = https.request(url, { method: 'PATCH', agent, headers: { 'content-type': 'application/merge-patch+json' } }, (answer) => {
          answer.resume().once('end', () => (answer.statusCode === 200 ? done() : failed(new Error(`${url}: ${answer.statusCode}`))));
        });
        request.once('error', failed);
        request.end(JSON.stringify({ status }));
      }),
  };
}

function now() {
  return new Date().toISOString().replace(/\.\d+/, '');
}

function condition(status, reason) {
  return { type: 'Succeeded', status, reason, message: 'as measured', lastTransitionTime: now() };
}

function numbers(count) {
  return Array.from({ length: count }, (_, n) => n);
}

/** Does it with each, some at a time; resolves to what came of them, as they came. */
async function each(all, atATime, act) {
  const [left, done] = [[...all], []];
  await Promise.all(numbers(atATime).map(async () => {
    while (left.length > 0) done.push(await act(left.shift()));
  }));
  return done;
}

/** Runs in the page: when it first showed that the run has succeeded. */
function notePaint() {
  new MutationObserver(() => {
    if (window.noted || !document.querySelector('#run[data-ended] .head .state')) return;
    window.noted = true;
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => (window.painted = Date.now());
      port2.postMessage(0);
    });
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-ended'] });
}

function report(what, all) {
  const sorted = all.sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
  console.log(`  ${what}: p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms, max ${sorted.at(-1)} ms, n = ${sorted.length}`);
}
