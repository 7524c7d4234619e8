import { openPage, signIn } from './lib/browser.mjs';
import { stage } from './lib/stage.mjs';
import { steps } from './lib/graphs.mjs';
import { seed, until, World } from './lib/world.mjs';
const on = stage();
try {
const [console_, browser] = await Promise.all([on.console(), on.browser()]);
const world = await World.of(console_);
await world.register(await seed('hidden-oomkill-scale-down'));
await world.register(await seed('oomkill-increase-memory'));
const [strategy] = (await seed('recommendation')).strategies;
const memory = { TARGET_RESOURCE_KIND: 'Deployment', TARGET_RESOURCE_NAME: 'my-app', TARGET_NAMESPACE: 'production', MEMORY_LIMIT_NEW: '2Gi' };
const made = await world.recommend('inc-tabs', { strategies: [strategy, { ...strategy, workflow_id: 'oomkill-increase-memory', parameters: memory }] });
const page = await openPage(browser, console_.url); await signIn(page);
for (const n of [0,1]) { await page.goto(`/recommendations/${made.id}?strategy=${n}`); console.log(n, await page.locator('button').allInnerTexts(), (await page.innerText('#decide')).slice(0,600)); }
const wide = steps(1000,1,0);
const w = await world.first.post('/api/v1/executions', steps(1001,1,0)); console.log(w.status, JSON.stringify(w.body).slice(0,500));
const x = await world.first.post('/api/v1/executions', steps(4000,1,0)); console.log(x.status, JSON.stringify(x.body).slice(0,500), JSON.stringify(steps(4000,1,0)).length);
const run = await world.approve(await world.propose(await seed('workflow-execution-spec')));
const big = await world.approve(await world.propose(wide)); await world.cancel(big);
for (let i=0;i<100;i++){ const a= await world.first.get(`/api/v1/executions/${run}`); if(a.status!==200) {console.log(a.status, JSON.stringify(a.body)); } await new Promise(d=>setTimeout(d,50)); }
const out = console_.output(); console.log(out.length); console.log(out.split('\n').filter(l=>/WARN|ERROR|error|warn/.test(l)).slice(0,20).join('\n')||out.slice(-3000));
const o = await world.first.get('/api/v1/executions?limit=1&sort=created_at'); console.log(o.status, JSON.stringify(o.body).slice(0,300));
} finally { await on.close(); }
