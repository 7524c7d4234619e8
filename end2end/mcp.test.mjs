// The two official clients of the Model Context Protocol at /mcp, as an agent would use them: each lists the tools, searches, has a wrong
// strategy refused, mends it, and hands in a recommendation, which is there afterwards. Python's speaks both generations of the protocol.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { access } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { stage } from './lib/stage.mjs';
import { recommendation, seed, World } from './lib/world.mjs';

const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache');
const python = process.env.MCP_PYTHON ?? join(cache, 'kubernaut-console', 'tools', 'mcp-2.3.0', 'bin', 'python');
const agent = fileURLToPath(new URL('lib/mcp_agent.py', import.meta.url));
const tools = ['get_playbook_schema', 'search_playbooks', 'submit_recommendation', 'validate_strategy'];

const on = stage();
let console_, world, token;
before(async () => {
  console_ = await on.console();
  world = await World.of(console_);
  await world.register({ ...(await seed('hidden-oomkill-scale-down')), labels: { signal_type: 'OOMKilled' } });
  token = await console_.token('propose', 'an-agent');
});
after(on.close);

/** What an agent with this token finds, and what it has to say of it. */
const connected = async (secret, use) => {
  const client = new Client({ name: 'end2end', version: '1.0.0' });
  const requestInit = { headers: { Authorization: `Bearer ${secret}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', console_.url), { requestInit }));
  try {
    return await use(client);
  } finally {
    await client.close();
  }
};
const told = (result) => ({ error: result.isError ?? false, text: result.content[0].text });

/** The recommendation for this incident, as an operator reads it. */
const stored = async (incident) => {
  const { body } = await world.first.get(`/api/v1/recommendations?incident=${incident}`);
  return body.items;
};

test("TypeScript's client: list, search, try, mend, hand in", async () => {
  const sent = await recommendation('inc-typescript');
  await connected(token, async (client) => {
    assert.match(client.getInstructions(), /search_playbooks/);
    const listed = await client.listTools();
    assert.deepEqual(listed.tools.map(({ name }) => name).sort(), tools);
    const call = async (name, args) => told(await client.callTool({ name, arguments: args }));

    const found = await call('search_playbooks', { signal_type: 'OOMKilled' });
    const [hit] = JSON.parse(found.text).playbooks;
    assert.equal(hit.workflow_id, 'oomkill-scale-down');
    assert.ok(hit.found_by.length > 0);
    const schema = JSON.parse((await call('get_playbook_schema', { workflow_id: hit.workflow_id })).text);
    assert.equal(schema.parameters.properties.SCALE_TARGET_REPLICAS.type, 'integer');

    const [strategy] = sent.strategies;
    const wrong = { ...strategy, parameters: { ...strategy.parameters, SCALE_TARGET_REPLICAS: 'one' } };
    const refused = await call('validate_strategy', wrong);
    assert.ok(refused.error);
    assert.match(refused.text, /\/parameters\/SCALE_TARGET_REPLICAS \(wrong_type\): send a whole number/);
    const valid = await call('validate_strategy', strategy);
    assert.deepEqual([valid.error, JSON.parse(valid.text).valid], [false, true]);
    const taken = await call('submit_recommendation', sent);
    assert.ok(!taken.error, taken.text);
  });
  const [there, ...more] = await stored('inc-typescript');
  assert.equal(more.length, 0);
  assert.equal(there.proposer.name, 'token an-agent');
});

test('without the right a client is turned away', async () => {
  const ingest = await console_.token('ingest', 'an-alertmanager');
  await assert.rejects(connected('kbn_none', () => {}), { code: 401 });
  await assert.rejects(connected(ingest, () => {}), { code: 403 });
});

for (const mode of ['auto', 'legacy']) {
  test(`Python's client (${mode}): list, search, try, mend, hand in`, async () => {
    await access(python).catch(() => assert.fail(`${python} is missing: run scripts/setup mcp`));
    const incident = `inc-python-${mode}`;
    const input = { url: `${console_.url}/mcp`, token, mode, recommendation: await recommendation(incident) };
    const answer = JSON.parse(await ran(input));
    assert.deepEqual(answer.tools, tools);
    assert.equal(answer.found, 'oomkill-scale-down');
    assert.match(answer.refused, /\/parameters\/SCALE_TARGET_REPLICAS \(wrong_type\): send a whole number/);
    assert.equal(answer.valid, true);
    const there = await stored(incident);
    assert.deepEqual(there.map(({ id }) => id), [answer.id]);
  });
}

/** Runs the agent with this on its standard input; what it prints. */
function ran(input) {
  return new Promise((done, failed) => {
    const child = spawn(python, [agent], { stdio: ['pipe', 'pipe', 'pipe'] });
    let [out, err] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text) => (out += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (err += text));
    child.once('error', failed);
    child.once('close', (code) => (code === 0 ? done(out) : failed(new Error(`the agent ended with ${code}:\n${err}`))));
    child.stdin.end(JSON.stringify(input));
  });
}
