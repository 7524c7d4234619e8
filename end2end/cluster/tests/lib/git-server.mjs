// A server of Git in the namespace of the examples' runs that asks for a password, and beside it what answers like Gitea's API.
import { runs, salt } from './examples.mjs';
import { apply, kubectl } from './kubectl.mjs';
import { file, image } from './places.mjs';

export const TOKEN = `token-${salt}`;
export const HOST = `git.${runs}.svc`;
export const REPOSITORY = `http://${HOST}:8080/cgi-bin/git/company/k8s-configs.git`;
export const API = `http://${HOST}:8081/api/v1`;
/** A file in its only repository. */
export const MANIFEST = 'apps/payment/deployment.yaml';

/** Starts it; it ends with the namespace. */
export async function gitServer() {
  const text = (...lines) => `${lines.join('\n')}\n`;
  const data = {
    git: text('#!/bin/sh', 'export GIT_PROJECT_ROOT=/srv GIT_HTTP_EXPORT_ALL=1', 'exec /usr/lib/git-core/git-http-backend'),
    'httpd.conf': text(`/cgi-bin:kubernaut:${TOKEN}`),
    start: text(
      '#!/bin/sh', 'set -e', 'export HOME=/tmp', 'git config --global user.name test', 'git config --global user.email test@example.invalid',
      'git init --quiet --bare --initial-branch main /srv/company/k8s-configs.git',
      'git -C /srv/company/k8s-configs.git config http.receivepack true',
      'git clone --quiet /srv/company/k8s-configs.git /tmp/work', 'cd /tmp/work', 'mkdir -p apps/payment',
      `printf 'kind: Deployment\\nlimits:\\n  memory: 1Gi\\n' >${MANIFEST}`, 'ln -s /etc/passwd link',
      'git add .', 'git commit --quiet -m first', 'git push --quiet origin HEAD:main', 'exec busybox httpd -f -p 8080 -h /www -c /scripts/httpd.conf',
    ),
    'api.py': file('end2end/cluster/tests/lib/pulls.py'),
  };
  const metadata = (name) => ({ name, namespace: runs });
  const mount = (name, mountPath) => ({ name, mountPath });
  await apply([
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: metadata('git-server'), data },
    {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { ...metadata('git-credentials'), annotations: { 'tekton.dev/git-0': `http://${HOST}:8080` } },
      type: 'kubernetes.io/basic-auth',
      stringData: { username: 'kubernaut', password: TOKEN },
    },
    { apiVersion: 'v1', kind: 'Service', metadata: metadata('git'), spec: { selector: { app: 'git' }, ports: [{ name: 'git', port: 8080 }, { name: 'api', port: 8081 }] } },
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata('git'), labels: { app: 'git' } },
      spec: {
        terminationGracePeriodSeconds: 1,
        securityContext: { runAsUser: 65532, runAsNonRoot: true, fsGroup: 65532 },
        containers: [
          {
            name: 'git',
            image: image('git'),
            command: ['/scripts/start'],
            volumeMounts: [mount('scripts', '/scripts'), mount('srv', '/srv'), { ...mount('scripts', '/www/cgi-bin/git'), subPath: 'git' }],
            readinessProbe: { tcpSocket: { port: 8080 }, periodSeconds: 1 },
          },
          {
            name: 'api',
            image: image('playbook-oomkill-multi'),
            command: ['/usr/bin/python3', '-u', '/scripts/api.py'],
            env: [{ name: 'TOKEN', value: TOKEN }],
            volumeMounts: [mount('scripts', '/scripts')],
            readinessProbe: { tcpSocket: { port: 8081 }, periodSeconds: 1 },
          },
        ],
        volumes: [{ name: 'scripts', configMap: { name: 'git-server', defaultMode: 0o755 } }, { name: 'srv', emptyDir: {} }],
      },
    },
  ]);
  await kubectl(['--namespace', runs, 'wait', '--for=condition=Ready', 'pod/git', '--timeout=120s']);
}

/** Runs git in its repository. */
export const git = (...args) => kubectl(['--namespace', runs, 'exec', 'git', '--container=git', '--', 'git', '-C', '/srv/company/k8s-configs.git', ...args]);
/** What its API was asked. */
export const calls = async () =>
  (await kubectl(['--namespace', runs, 'logs', 'git', '--container=api'])).split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
