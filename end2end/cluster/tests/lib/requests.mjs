// Who asks, and for what: the requests that the admission policies judge, in the namespace that they keep.
import { workflowExecution } from './runs.mjs';

/** Where runs really run, under the policies. */
export const RUNS = 'deploy-suite-runs';

/** Somebody with every right, and a name: what is denied then is denied by the policies. */
export const powerful = (name, ...groups) => [`--as=${name}`, '--as-group=system:masters', '--as-group=system:authenticated', ...groups.map((group) => `--as-group=${group}`)];
export const ADMIN = powerful('dana');
/** With the rights of its Role alone; and with every right, where the rights would deny it before the policies are asked. */
export const CONSOLE = [`--as=system:serviceaccount:${RUNS}:kubernaut-console`];
export const POWERFUL_CONSOLE = powerful(`system:serviceaccount:${RUNS}:kubernaut-console`, `system:serviceaccounts:${RUNS}`);
export const TEKTON = powerful('system:serviceaccount:tekton-pipelines:tekton-pipelines-controller', 'system:serviceaccounts:tekton-pipelines');
export const OTHER_TEKTON = powerful('system:serviceaccount:openshift-pipelines:tekton-pipelines-controller', 'system:serviceaccounts:openshift-pipelines');
export const PLAYBOOK = powerful(`system:serviceaccount:${RUNS}:playbook-executor`, `system:serviceaccounts:${RUNS}`);
export const COLLECTOR = powerful('system:serviceaccount:kube-system:generic-garbage-collector', 'system:serviceaccounts:kube-system');
export const CONTROLLER = (name) => powerful(`system:serviceaccount:kube-system:${name}`, 'system:serviceaccounts:kube-system');

export const OURS = { 'kubernaut.io/workflow': 'tried' };
export const object = (apiVersion, kind, name, rest, labels) => JSON.stringify({ apiVersion, kind, metadata: { name, namespace: RUNS, labels }, ...rest });
const step = { name: 's', image: 'example.com/s:1' };
export const pipelineRun = (labels, account = 'default') =>
  object('tekton.dev/v1', 'PipelineRun', 'tried', { spec: { pipelineSpec: { tasks: [{ name: 't', taskSpec: { steps: [step] } }] }, taskRunTemplate: { serviceAccountName: account } } }, labels);
export const taskRun = (labels) => object('tekton.dev/v1', 'TaskRun', 'tried', { spec: { taskSpec: { steps: [step] } } }, labels);
export const configMap = (labels, name = 'tried') => object('v1', 'ConfigMap', name, { data: { A: 'b' } }, labels);
export const podSpec = (account) => ({ serviceAccountName: account, containers: [{ name: 'c', image: 'example.com/c:1' }] });
export const pod = (account) => object('v1', 'Pod', 'tried', { spec: podSpec(account) });
export const workload = (kind, spec, name = 'tried') =>
  object('apps/v1', kind, name, { spec: { selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec } } });
export const tokenSecret = (account) =>
  object('v1', 'Secret', 'tried', { type: 'kubernetes.io/service-account-token' }).replace('"metadata":{', `"metadata":{"annotations":{"kubernetes.io/service-account.name":"${account}"},`);
export const byHand = (name) => JSON.stringify(workflowExecution(RUNS, name));

export const create = (text) => [['create', '--dry-run=server', '-f', '-'], text];
export const patch = (what, change, ...more) => [['-n', RUNS, 'patch', what, '--type=merge', '--dry-run=server', '-p', JSON.stringify(change), ...more]];
export const remove = (...what) => [['-n', RUNS, 'delete', '--dry-run=server', ...what]];
