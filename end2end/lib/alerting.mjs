// A real Prometheus and a real Alertmanager on loopback ports: a rule fires while the metric that is served here is above zero, and
// Alertmanager tells a console. Debian's packages `prometheus` and `prometheus-alertmanager`, brought by scripts/setup.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { access, constants, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { freePort } from './dex.mjs';
import { until } from './world.mjs';

/** Where both programs are; none where one is missing, which only matters where everything has to be proved. */
export async function programs() {
  const found = await Promise.all([['prometheus'], ['prometheus-alertmanager', 'alertmanager']].map((names) => first(names)));
  if (found.every(Boolean)) return found;
  if (process.env.CI) throw new Error('prometheus and prometheus-alertmanager are missing: run scripts/setup prometheus');
  return undefined;
}

async function first(names) {
  const places = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  for (const path of names.flatMap((name) => places.map((place) => join(place, name)))) {
    if (await access(path, constants.X_OK).then(() => true, () => false)) return path;
  }
  return undefined;
}

/** What the rule says of what is in trouble. */
export const rule = { alert: 'KubeDeploymentReplicasMismatch', namespace: 'production', deployment: 'checkout', severity: 'critical' };

/**
 * Starts both for a console at this address; `token` may hand in signals. `fires(whether)` sets the metric, `restart()` ends Alertmanager
 * and starts it with what it had. Instead of that metric and its rule there may be others: `metrics()` are served as they are then, `rules`
 * are evaluated. `port` is Alertmanager's, for a console that was told of it before.
 */
export async function startAlerting([prometheus, alertmanager], consoleUrl, token, { metrics, rules: others, port } = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'alerting-'));
  const [ofPrometheus, ofAlertmanager] = [await freePort(), port ?? (await freePort())];
  let trouble = 0;
  const served = metrics ?? (() => `trouble ${trouble}\n`);
  const metric = createServer((_, answer) => answer.setHeader('content-type', 'text/plain; version=0.0.4').end(served()));
  await once(metric.listen(0, '127.0.0.1'), 'listening');
  const write = async (name, content) => {
    const path = join(directory, name);
    // YAML takes JSON.
    await writeFile(path, JSON.stringify(content));
    return path;
  };
  const rules = await write('rules.yaml', {
    groups: [{
      name: 'test',
      rules: others ?? [{
        alert: rule.alert,
        expr: 'trouble > 0',
        labels: { severity: rule.severity, namespace: rule.namespace, deployment: rule.deployment },
        annotations: { summary: 'Deployment has not matched the expected number of replicas.' },
      }],
    }],
  });
  const scraping = await write('prometheus.yaml', {
    global: { scrape_interval: '500ms', scrape_timeout: '400ms', evaluation_interval: '500ms' },
    rule_files: [rules],
    scrape_configs: [{ job_name: 'test', static_configs: [{ targets: [`127.0.0.1:${metric.address().port}`] }] }],
    alerting: { alertmanagers: [{ static_configs: [{ targets: [`127.0.0.1:${ofAlertmanager}`] }] }] },
  });
  const routing = await write('alertmanager.yaml', {
    route: { receiver: 'console', group_by: ['alertname', 'namespace', 'deployment'], group_wait: '100ms', group_interval: '500ms', repeat_interval: '1s' },
    receivers: [{
      name: 'console',
      webhook_configs: [{
        url: `${consoleUrl}/api/v1/signals/alertmanager`,
        send_resolved: true,
        max_alerts: 100,
        http_config: { authorization: { type: 'Bearer', credentials: token } },
      }],
    }],
  });
  const tell = () =>
    start(alertmanager, ofAlertmanager, [
      `--config.file=${routing}`, `--storage.path=${join(directory, 'alertmanager')}`,
      `--web.listen-address=127.0.0.1:${ofAlertmanager}`, '--cluster.listen-address=',
    ]);
  const running = [];
  const stop = async () => {
    await Promise.all(running.map((program) => program.stop()));
    metric.close();
    metric.closeAllConnections();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    running.push(await tell());
    running.push(
      await start(prometheus, ofPrometheus, [
        `--config.file=${scraping}`, `--storage.tsdb.path=${join(directory, 'prometheus')}`,
        `--web.listen-address=127.0.0.1:${ofPrometheus}`, '--rules.alert.resend-delay=500ms',
      ]),
    );
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    fires: (whether) => (trouble = whether ? 1 : 0),
    restart: async () => {
      await running[0].stop();
      running[0] = await tell();
    },
    output: () => running.map((program) => program.output()).join('\n'),
    stop,
  };
}

/** Starts one of them; resolves once it is ready. */
async function start(program, port, args) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  const ended = new Promise((done) => child.once('error', (error) => done((output += error.message))).once('exit', done));
  const kill = () => child.kill('SIGKILL');
  process.once('exit', kill);
  const stop = async () => {
    child.kill('SIGTERM');
    const late = setTimeout(kill, 5000);
    await ended;
    clearTimeout(late);
    process.removeListener('exit', kill);
  };
  try {
    await until(`${program} to be ready`, () => {
      if (child.exitCode !== null) throw new Error(`${program} ended:\n${output}`);
      return fetch(`http://127.0.0.1:${port}/-/ready`).then(({ ok }) => ok, () => false);
    });
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop, output: () => output };
}
