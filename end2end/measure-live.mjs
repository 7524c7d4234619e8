// Status change to the open page: `make measure-live`. From the moment that the database gave an event to the moment after the
// browser painted a page that includes it, one figure for each event; and how many bytes such a showing anew takes.
import { brotliCompressSync } from 'node:zlib';
import { cpus } from 'node:os';
import { openPage, signIn } from './lib/browser.mjs';
import { binary } from './lib/console.mjs';
import { stage } from './lib/stage.mjs';
import { watchStreams } from './lib/streams.mjs';
import { seed, until, World } from './lib/world.mjs';

const changes = Number(process.argv[2] ?? 120);
const large = Number(process.argv[3] ?? 200);
const on = stage();
try {
  const [console_, browser] = await Promise.all([on.console(), on.browser()]);
  const world = await World.of(console_);
  await world.register(await seed('hidden-oomkill-scale-down'));
  const events = await listen(console_);
  const page = await openPage(browser, console_.url);
  await signIn(page);
  await page.addInitScript(notePaints);
  const streams = watchStreams(page.context());
  console.log(`${binary}\n${cpus().length} × ${cpus()[0].model.trim()}`);

  await page.goto('/approvals');
  await until('the page to follow', () => streams.open().length > 0);
  for (let n = 0; n < changes / 2; n += 1) {
    const came = await world.recommend(`inc-${n}`);
    await page.locator(`main a[href^="/recommendations/${came.id}"]`).first().waitFor();
    await page.waitForTimeout(300);
    await world.reject(came, 'measured');
    await page.locator(`main a[href^="/recommendations/${came.id}"]`).first().waitFor({ state: 'detached' });
    await page.waitForTimeout(300);
  }
  report('a recommendation comes or is decided → inbox', await latencies(page, events, (event) => event.topic === 'recommendation'));

  for (const [tasks, wide] of [[24, 3], [large, 20]]) {
    const run = await world.approve(await world.propose(steps(tasks, wide)));
    await page.goto(`/runs/${run}`);
    await until('the run to end', async () => !['pending', 'running'].includes((await world.execution(run)).state), 300);
    await page.waitForTimeout(2000);
    const ours = (event) => event.subject === run && (event.topic === 'execution' || (event.topic === 'task' && event.data.state));
    report(`a task or its run changes → page of a run with ${tasks} tasks`, await latencies(page, events, ours));
    const [whole, part] = await page.evaluate(() => Promise.all([undefined, 'page'].map(async (part) =>
      (await fetch(location.href, { headers: part ? { 'kubernaut-part': part } : {} })).text())));
    for (const [name, text] of Object.entries({ whole, part })) {
      console.log(`  ${name}: ${(text.length / 1000).toFixed(0)} kB, brotli ${(brotliCompressSync(text).length / 1000).toFixed(1)} kB`);
    }
  }
} finally {
  await on.close();
}

/** Steps in rows that wait for each other. */
function steps(tasks, wide) {
  const inputs = { repository: 'https://github.com/company/k8s-configs', branch: 'b', title: 't', body: 'b' };
  const name = (n) => `step-${String(n).padStart(3, '0')}`;
  return {
    workflowType: 'measured',
    reason: 'to be measured',
    steps: Array.from({ length: tasks }, (_, n) => ({
      name: name(n),
      actionType: 'git/create-pr',
      image: 'ghcr.io/kubernaut/actions/git-pr@sha256:ghi789',
      inputs: { ...inputs, branch: name(n) },
      runAfter: n < wide ? [] : [name(n - wide)],
    })),
  };
}

/** Runs in the page: when which event was painted. */
function notePaints() {
  window.painted = [];
  new MutationObserver(() => {
    const event = Number(document.querySelector('#main')?.dataset.event ?? 0);
    if (event <= (window.painted.at(-1)?.event ?? 0)) return;
    // After the next frame is on the screen.
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => window.painted.push({ event, at: Date.now() });
      port2.postMessage(0);
    });
  }).observe(document, { subtree: true, childList: true, attributes: true, attributeFilter: ['data-event'] });
}

/** Every event from now on, as a program hears it. */
async function listen(console_) {
  const heard = [];
  const answer = await fetch(`${console_.url}/api/v1/events`, { headers: { authorization: `Bearer ${await console_.token('viewer')}` } });
  (async () => {
    let text = '';
    for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const blocks = text.split('\n\n');
      text = blocks.pop();
      for (const block of blocks) {
        const field = (name) => block.split('\n').find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
        if (!field('id') || field('event') === 'snapshot') continue;
        const { at, subject, data } = JSON.parse(field('data'));
        heard.push({ id: Number(field('id')), topic: field('event'), at: Date.parse(at), subject, data });
      }
    }
  })().catch(() => {});
  return heard;
}

/** Milliseconds from each of these events to the first painting that includes it; of those since the page was opened. */
async function latencies(page, events, ours) {
  const painted = await page.evaluate(() => window.painted.splice(0));
  const first = painted[0]?.event ?? 0;
  return events
    .filter((event) => ours(event) && event.id > first)
    .map((event) => (painted.find((each) => each.event >= event.id)?.at ?? Infinity) - event.at);
}

function report(what, all) {
  const sorted = all.sort((a, b) => a - b);
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)];
  console.log(`${what}: p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms, max ${sorted.at(-1)} ms, n = ${sorted.length}`);
}
