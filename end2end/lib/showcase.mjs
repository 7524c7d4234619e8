// A console with something on every page: playbooks, open and closed recommendations, runs that go on, succeeded, failed and were
// cancelled. And the list of the pages, for whoever looks at all of them. Pages of trouble and of emptiness are in troubles.mjs.
import assert from 'node:assert/strict';
import { forms, shownAbove } from './acts.mjs';
import { openPage } from './browser.mjs';
import { chatty, talk } from './chatty.mjs';
import { steps as graph } from './graphs.mjs';
import { alert, recommendation, seed } from './world.mjs';

const wait = {
  workflow_id: 'wait-and-see',
  version: '0.1.0',
  title: 'Wait and see',
  description: 'Waits as long as it is told and changes nothing.',
  container_image: 'quay.io/kubernaut/playbook-sleep:v1',
  parameters: [{ name: 'SLEEP_SECONDS', description: 'How long to wait', type: 'integer', required: true, minimum: 1 }],
};
const fails = {
  ...wait,
  workflow_id: 'drain-the-node-that-nobody-dared-to-touch-before',
  title: 'Drain the node that nobody dared to touch before',
  container_image: 'registry.example.org/platform-engineering/remediation/playbooks/drain-fails:v1',
  parameters: [{ name: 'A_PARAMETER_WITH_A_RATHER_LONG_NAME_THAT_HAS_TO_BREAK_SOMEWHERE', type: 'string', required: true }],
};

/**
 * A page to be looked at, from `[name, path, more]`: `status` is what it is answered with in the end, `act` what is done on it before
 * it is looked at (it resolves to the answer, if there was another one), `faults` which faults of the browser belong to it. With a
 * `url` it is a page of that console, with a `state` it is somebody else's, with none (null) nobody's.
 */
export const shown = ([name, path, more = {}]) => ({ name, path, status: 200, ...more });

/** Opens a page of the list, by default of the console and the person that are `usual`, and does what is to be done on it. */
export async function visit(browser, { name, path, status, act, url, state }, usual, options = {}) {
  const page = await openPage(browser, url ?? usual.url, { state: (state === undefined ? usual.state : state) ?? undefined, ...options });
  const opened = await page.goto(path);
  const answer = (await act?.(page)) ?? opened;
  assert.equal(answer.status(), status, name);
  return page;
}

/** The faults that a browser reports on a page of the list, but those that belong to it: it notes an answer of 4xx and 5xx, too. */
export const unasked = (page, { status, faults }) =>
  page.faults.splice(0).filter((fault) => !(status >= 400 && fault.includes(`the server responded with a status of ${status}`)) && !faults?.test(fault));

/** Fills a console through its wire; resolves to its pages. */
export async function showcase(world) {
  const scaleDown = await seed('hidden-oomkill-scale-down');
  for (const playbook of [scaleDown, await seed('oomkill-increase-memory'), await seed('oomkill-cost-optimized'), wait, fails, chatty]) {
    await world.register(playbook);
  }
  await world.register(scaleDown, { version: '1.1.0', description: `${scaleDown.description} Waits for the node to recover.` });
  for (let patch = 1; patch <= 13; patch += 1) await world.register(wait, { version: `0.1.${patch}`, title: `Wait and see, for the ${patch}. time` });

  const instead = (playbook, parameters, more = {}) => ({ workflow_id: playbook.workflow_id, parameters, ...more });
  const whole = await recommendation('inc-2041');
  const [strategy] = whole.strategies;
  const open = await world.recommend('inc-2041', {
    additional_findings: [
      {
        title: 'worker-2 is over-committed',
        description: 'Requests add up to 95 % of its memory; the next deployment to grow will be evicted.',
        severity: 'medium',
        resource: { kind: 'Node', name: 'worker-2' },
        suggested_workflow_id: 'oomkill-increase-memory',
      },
    ],
    strategies: [
      strategy,
      { ...strategy, action_type: 'increase_memory_limit', workflow_id: 'oomkill-increase-memory', confidence: 0.4, estimated_risk: 'low',
        rationale: 'The limit has not been raised since the service was moved.',
        parameters: { TARGET_RESOURCE_KIND: 'Deployment', TARGET_RESOURCE_NAME: 'my-app', TARGET_NAMESPACE: 'production', MEMORY_LIMIT_NEW: '2Gi' } },
    ],
  });
  const risky = await world.recommend('inc-2042', {
    analysis_summary: 'The checkout service refuses connections since the last roll-out. '.repeat(4),
    strategy: { estimated_risk: 'high', rationale: 'A rationale of some length. '.repeat(20) },
  });
  const broken = await world.recommend('inc-2043', { strategy: { workflow_id: 'not-in-the-catalog' } });
  const gone = await world.recommend('inc-2050', { strategy: { parameters: { TARGET_RESOURCE_NAME: 'my-app-of-last-week' } } });
  const shared = await world.recommend('inc-2051', {
    strategies: [
      { ...strategy, parameters: { ...strategy.parameters, TARGET_RESOURCE_NAME: 'payment-service', SCALE_TARGET_REPLICAS: 2 } },
    ],
  });
  const rejected = await world.recommend('inc-2044');
  await world.reject(rejected, 'The node is being drained anyway; scaling down now would only hide it.');
  const superseded = await world.recommend('inc-2045');
  await world.recommend('inc-2045', { analysis_summary: 'A second look: the service leaks memory since the last release.' });

  const steps = await world.approve(await world.propose(await seed('workflow-execution-spec')));
  const failed = await world.approve(
    await world.recommend('inc-2046', { strategies: [{ ...strategy, ...instead(fails, { A_PARAMETER_WITH_A_RATHER_LONG_NAME_THAT_HAS_TO_BREAK_SOMEWHERE: 'a-value-that-is-long-as-well-and-has-no-place-to-break-in-it-whatever-one-tries' }) }] }),
  );
  const decided = await world.recommend('inc-2047');
  const succeeded = await world.approve(decided, { parameters: { ...strategy.parameters, SCALE_TARGET_REPLICAS: 2 } });
  const waits = (incident) => world.recommend(incident, { strategies: [{ ...strategy, ...instead(wait, { SLEEP_SECONDS: 3600 }) }] });
  const cancelled = await world.approve(await waits('inc-2048'));
  const running = await world.approve(await waits('inc-2049'));
  const talked = await talk(world, 'inc-2050', 1800);
  await world.until(cancelled, 'running');
  await world.cancel(cancelled);
  await Promise.all([
    world.until(steps, 'succeeded'),
    world.until(failed, 'failed'),
    world.until(succeeded, 'succeeded'),
    world.until(cancelled, 'cancelled'),
    world.until(running, 'running'),
    world.until(talked, 'succeeded'),
  ]);
  const long = 'a-deployment-with-a-rather-long-name-that-has-to-break-somewhere-on-a-phone';
  const firing = await world.alert('firing', alert('one', { labels: { deployment: long, severity: 'critical' } }), alert('two'));
  await world.recommend('inc-2060', { incident: { id: firing, signal_type: 'CrashLoopBackOff', severity: 'high', fingerprint: 'one' } });
  const unanswered = await world.alert('unanswered', alert('three', { annotations: {}, labels: { alertname: 'KubeNodeNotReady', node: 'worker-2' } }));
  const resolved = await world.alert('resolved', alert('four', { status: 'resolved', endsAt: new Date().toISOString() }));
  const { items: [noticed] } = (await world.first.get('/api/v1/findings')).body;
  await world.first.post(`/api/v1/executions/${succeeded}/rollback`, { reason: 'The node has recovered' });
  const large = await world.approve(await world.propose(graph(120, 12, 220)));

  return [
    ['overview', '/'],
    ['incidents', '/incidents'],
    ['incidents-none', '/incidents?q=nothing+like+this'],
    ['incident', `/incidents/${firing}`],
    ['incident-unanswered', `/incidents/${unanswered}`],
    ['incident-resolved', `/incidents/${resolved}`],
    ['approvals', '/approvals'],
    ['approvals-any', '/approvals?state=any'],
    ['approvals-none', '/approvals?q=nothing+like+this'],
    ['approvals-decided', '/approvals?state=decided'],
    ['review', `/approvals/review?${[open, risky, broken, decided, rejected].map(({ id }) => `id=${id}`).join('&')}&id=nothing`],
    ['review-none', '/approvals/review'],
    ['recommendation', `/recommendations/${open.id}`],
    ['recommendation-other', `/recommendations/${open.id}?strategy=1`],
    ['recommendation-risky', `/recommendations/${risky.id}`],
    ['recommendation-broken', `/recommendations/${broken.id}`],
    ['recommendation-gone', `/recommendations/${gone.id}`],
    ['recommendation-held', `/recommendations/${shared.id}`],
    ['recommendation-approved', `/recommendations/${decided.id}`],
    ['recommendation-rejected', `/recommendations/${rejected.id}`],
    ['recommendation-superseded', `/recommendations/${superseded.id}`],
    ['runs', '/runs'],
    ['runs-none', '/runs?state=lost&since=1h'],
    ['run', `/runs/${steps}`],
    ['run-parameters', `/runs/${succeeded}?tab=parameters`],
    ['run-results', `/runs/${succeeded}?tab=results`],
    ['run-attempts', `/runs/${failed}?tab=attempts`],
    ['run-log', `/runs/${succeeded}?times=on`],
    ['run-events', `/runs/${failed}?tab=events`],
    ['run-failed', `/runs/${failed}`],
    ['run-long-log', `/runs/${talked}`],
    ['run-found', `/runs/${talked}?find=disruption&times=on`],
    ['run-errors', `/runs/${talked}?level=error&wide=on`],
    ['run-large', `/runs/${large}`],
    ['run-large-whole', `/runs/${large}?unfold=all&zoom=50&sort=state`],
    ['run-cancelled', `/runs/${cancelled}`],
    ['run-undone', `/runs/${succeeded}#after`],
    ['run-running', `/runs/${running}`],
    ['catalog', '/catalog'],
    ['playbook', '/catalog/oomkill-scale-down'],
    ['playbook-long', `/catalog/${fails.workflow_id}`],
    ['playbook-versions', '/catalog/wait-and-see?version=0.1.1'],
    ['playbook-compare', '/catalog/oomkill-scale-down?compare=1.0.0..1.1.0'],
    ['catalog-narrowed', '/catalog?q=oomkill&severity=high&tag=oomkill'],
    ['actions-none', '/catalog/actions'],
    ['register', '/catalog/new'],
    ['register-paste', '/catalog/new?as=document'],
    ['register-next', '/catalog/new?from=oomkill-scale-down'],
    ['findings', '/findings'],
    ['findings-none', '/findings?q=nothing+like+this'],
    ['finding', `/findings/${noticed.id}`],
    ['effectiveness', '/effectiveness'],
    ['effectiveness-versions', '/effectiveness?by=version&days=all'],
    ['effectiveness-patterns', '/effectiveness/patterns'],
    ['effectiveness-patterns-none', '/effectiveness/patterns?days=1'],
    ['audit', '/audit'],
    ['audit-filtered', '/audit?action=decision.&from=2001-01-01'],
    ['audit-none', '/audit?q=nothing+like+this'],
    ['settings', '/settings'],
    ['settings-sessions', '/settings/sessions'],
    ['settings-tokens', '/settings/tokens'],
    ['settings-accounts', '/settings/accounts'],
    ['settings-keys', '/settings/keys'],
    ['settings-cluster', '/settings/cluster'],
    ['settings-policies', '/settings/policies'],
    ['settings-policy', '/settings/policies/1'],
    ['settings-notifications', '/settings/notifications'],
    ['search', '/search'],
    ['search-found', '/search?q=oomkill'],
    ['search-none', '/search?q=nothing+like+this'],
    ['api', '/api'],
    ['nowhere', '/nowhere', { status: 404 }],
    ...forms(open),
    ...shownAbove,
  ].map(shown);
}
