// The action git/create-pr of deploy/examples on a real cluster, against a server of Git in it.
// KUBECONFIG=… CLUSTER_IMAGES=… node --test end2end/cluster/tests/examples-git.test.mjs
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { stageOf, target, uids, workload } from './lib/examples.mjs';
import { NOBODY, act, declined, startSteps } from './lib/example-runs.mjs';
import { API, HOST, MANIFEST, REPOSITORY, TOKEN, calls, git, gitServer } from './lib/git-server.mjs';
import { image } from './lib/places.mjs';

stageOf('actions/account', 'actions/restart/rbac', 'actions/scale/rbac');
before(gitServer);

describe('git/create-pr', { concurrency: 4 }, () => {
  const createPr = { actionType: 'git/create-pr', image: image('actions/git-pr') };
  const change = [{ path: MANIFEST, old: 'memory: 1Gi', new: 'memory: 2Gi' }];
  const inputs = (branch, more = {}) => ({ repository: REPOSITORY, branch, title: 'Fix payment-service OOMKilled', replace: change, ...more });

  test('pushes a branch with the change and opens a pull request, once', async () => {
    const body = '## Why\n\n"8 OOMKilled" events: 1Gi → 2Gi $(id)';
    const given = inputs('kubernaut/payment', { body, apiUrl: API, files: [{ path: 'apps/payment/NOTE.md', content: 'raised\n' }] });
    const ended = await act(createPr, given);
    assert.ok(ended.succeeded, ended.log);
    const commit = (await git('rev-parse', 'kubernaut/payment')).trim();
    assert.deepEqual(ended.outputs, { branch: 'kubernaut/payment', changed: true, commit, pull_request: `http://${HOST}/company/k8s-configs/pulls/1` });
    assert.equal(await git('show', `kubernaut/payment:${MANIFEST}`), 'kind: Deployment\nlimits:\n  memory: 2Gi\n');
    assert.equal(await git('show', 'kubernaut/payment:apps/payment/NOTE.md'), 'raised\n');
    assert.equal(await git('log', '-1', '--format=%an|%s|%b', 'kubernaut/payment'), `Kubernaut|Fix payment-service OOMKilled|${body}\n\n`);
    assert.equal((await git('rev-parse', 'kubernaut/payment~1')).trim(), (await git('rev-parse', 'main')).trim());
    const opened = { method: 'POST', path: '/api/v1/repos/company/k8s-configs/pulls', body: { title: given.title, body, head: given.branch, base: 'main' } };
    assert.deepEqual((await calls()).filter((call) => call.body?.head === given.branch), [opened]);
    assert.ok(!ended.log.includes(TOKEN));

    const again = await act(createPr, given);
    assert.ok(again.succeeded, again.log);
    assert.deepEqual(again.outputs, ended.outputs);
    assert.match(again.log, /is there with the same content/);
    assert.match(again.log, /There is one already/);
    const other = { ...given, files: [] };
    await declined(6, /there is a branch kubernaut\/payment with other content; it is left alone/, createPr, other);
    assert.equal((await git('rev-parse', 'kubernaut/payment')).trim(), commit);
  });

  test('pushes only, where no API is known', async () => {
    const ended = await act(createPr, inputs('only-pushed'));
    assert.ok(ended.succeeded, ended.log);
    assert.equal(ended.outputs.pull_request, '');
    assert.equal((await git('rev-parse', 'only-pushed')).trim(), ended.outputs.commit);
  });

  test('has nothing to propose where all of it is there', async () => {
    const ended = await act(createPr, inputs('nothing-new', { replace: [{ path: MANIFEST, old: 'memory: 512Mi', new: 'memory: 1Gi' }] }));
    assert.ok(ended.succeeded, ended.log);
    assert.deepEqual(ended.outputs, { branch: 'nothing-new', changed: false, pull_request: '' });
  });

  test('what cannot be, leaves no branch', async () => {
    const replace = (path, old) => [{ path, old, new: 'x' }];
    await Promise.all([
      declined(3, /main has no file nowhere\.yaml/, createPr, inputs('r-1', { replace: replace('nowhere.yaml', 'a') })),
      declined(6, /deployment\.yaml: the text stands 0 times in it, not once/, createPr, inputs('r-2', { replace: replace(MANIFEST, 'memory: 3Gi') })),
      declined(2, /link is no file in the repository, but a link/, createPr, inputs('r-3', { files: [{ path: 'link', content: 'x' }] })),
      declined(2, /Git does not take this path: \.\.\/outside/, createPr, inputs('r-4', { files: [{ path: '../outside', content: 'x' }] })),
      declined(2, /Git does not take this path: \.git\/hooks\/x/, createPr, inputs('r-5', { files: [{ path: '.git/hooks/x', content: 'x' }] })),
      declined(2, /nothing is to be changed/, createPr, inputs('r-6', { replace: [] })),
      declined(2, /the API must be on the repository's host/, createPr, inputs('r-7', { apiUrl: 'https://elsewhere.example.com/api/v1' })),
      declined(2, /repository must match/, createPr, inputs('r-8', { repository: 'ext::sh -c id' })),
      declined(3, /reading the repository: it is not there/, createPr, inputs('r-9', { repository: REPOSITORY.replace('k8s-configs', 'nowhere') })),
      declined(3, /reading the repository: it is not there/, createPr, inputs('r-10', { base: 'nowhere' })),
      declined(4, /reading the repository: the server refuses\. README\.md says how to give a token/, createPr, inputs('r-11'), { account: NOBODY }),
      declined(2, /no user or password may stand in the repository's address/, createPr, inputs('r-12', { repository: REPOSITORY.replace('//', '//a:b@') })),
    ]);
    assert.equal(await git('for-each-ref', '--format=%(refname)', 'refs/heads/r-*'), '');
  });

  test('the three steps of the seed, over a shared volume', async () => {
    await workload('payment', { replicas: 2 });
    const former = await uids('payment');
    const started = await startSteps([
      { name: 'restart-pods', actionType: 'kubernetes/restart_pod', image: image('actions/restart'), inputs: { namespace: target, labelSelector: 'app=payment' } },
      { name: 'scale-deployment', actionType: 'kubernetes/scale_deployment', image: image('actions/scale'), inputs: { deployment: 'payment', namespace: target, replicas: 4 } },
      { name: 'create-gitops-pr', ...createPr, usesWorkspace: true, inputs: inputs('kubernaut/three', { apiUrl: API }), runAfter: ['restart-pods', 'scale-deployment'] },
    ]);
    const ended = await started.ended();
    assert.ok(ended.succeeded, JSON.stringify(ended.tasks, null, 2));
    assert.ok(ended.tasks['restart-pods'].outputs.restarted >= 2);
    assert.equal(ended.tasks['scale-deployment'].outputs.replicas, 4);
    assert.match(ended.tasks['create-gitops-pr'].outputs.pull_request, /\/pulls\/\d+$/);
    const now = await uids('payment');
    assert.equal(now.length, 4);
    assert.ok(former.every((uid) => !now.includes(uid)));
  });
});
