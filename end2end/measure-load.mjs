// Each page at 200 requests a second: `make measure-size`, or `node measure-load.mjs DATABASE-URL` on a seeded database. Requests
// begin at their time whether or not earlier ones were answered, and the time waited for that counts.
import { Agent, request } from 'node:http';
import { cpus } from 'node:os';
import { setTimeout as wait } from 'node:timers/promises';
import { admin, binary } from './lib/console.mjs';
import { stage } from './lib/stage.mjs';

const [url, rate = '200', seconds = '10'] = process.argv.slice(2);
const on = stage();
try {
  const console_ = await on.console({ env: { KUBERNAUT_DATABASE_URL: url } });
  const api = console_.api(await console_.token('viewer', `load-${process.pid}`));
  const newest = async (list) => (await api.get(`/api/v1/${list}?limit=50`)).body.items;
  const [runs, asked] = [await newest('executions'), await newest('recommendations')];
  const cookie = await signIn(console_.url);
  const each = (list, path) => (n) => path + list[n % list.length].id;
  const pages = {
    Overview: () => '/',
    Approvals: () => '/approvals',
    Recommendation: each(asked, '/recommendations/'),
    Runs: () => '/runs',
    'Runs, searched': (n) => `/runs?q=${['checkout', 'payment', 'nothing-like-this'][n % 3]}`,
    Run: each(runs, '/runs/'),
    Catalog: () => '/catalog',
    Playbook: (n) => `/catalog/${['node-drain', 'oomkill-scale-down'][n % 2]}`,
    Effectiveness: () => '/effectiveness',
    Audit: () => '/audit',
    Search: () => '/search?q=checkout',
    Settings: () => '/settings',
  };
  console.log(`${binary}\n${cpus().length} × ${cpus()[0].model.trim()}, the load from the same machine: ${rate} requests a second for ${seconds} s each`);
  console.log('| page | p50 ms | p99 ms | max ms | not 200 |\n|---|---|---|---|---|');
  for (const [name, path] of Object.entries(pages)) {
    await load(console_.url, cookie, path, 1); // warms up
    const { times, refused } = await load(console_.url, cookie, path, Number(seconds));
    const at = (share) => times[Math.min(times.length - 1, Math.ceil(share * times.length) - 1)].toFixed(1);
    console.log(`| ${name} | ${at(0.5)} | ${at(0.99)} | ${at(1)} | ${refused} |`);
  }
} finally {
  await on.close();
}

/** Signs in by the form, as a browser would; resolves to the session's cookie. */
async function signIn(origin) {
  const shown = await fetch(`${origin}/login`);
  const cookies = shown.headers.getSetCookie().map((line) => line.split(';')[0]);
  const hidden = [...(await shown.text()).matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)"/g)].map(([, name, value]) => [name, value]);
  const body = new URLSearchParams([...hidden, ...Object.entries(admin)]);
  const answer = await fetch(`${origin}/login`, { method: 'POST', body, redirect: 'manual', headers: { origin, cookie: cookies.join('; ') } });
  const session = answer.headers.getSetCookie().map((line) => line.split(';')[0]);
  if (answer.status !== 303) throw new Error(`not let in: ${answer.status}`);
  return session.join('; ');
}

async function load(origin, cookie, path, duration) {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const [times, begun, all] = [[], performance.now(), []];
  let refused = 0;
  for (let n = 0; n < rate * duration; n += 1) {
    const due = begun + (n * 1000) / rate;
    if (due > performance.now()) await wait(due - performance.now());
    all.push(
      new Promise((done, failed) => {
        const sent = request(origin + path(n), { agent, headers: { cookie } }, (answer) => {
          if (answer.statusCode !== 200) refused += 1;
          answer.resume().once('end', () => done(times.push(performance.now() - due)));
        });
        sent.once('error', failed).end();
      }),
    );
  }
  await Promise.all(all);
  agent.destroy();
  return { times: times.sort((a, b) => a - b), refused };
}
