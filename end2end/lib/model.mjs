// A language model that says what a test tells it to, behind OpenAI's API for chat completions, on a loopback port.
import { once } from 'node:events';
import { createServer } from 'node:http';

/**
 * Starts one. `says(...)` adds what it says next: a text; `{ tool, arguments }` calls a tool; `{ status }` refuses; `'hang'` never answers.
 * `asked` has what it was asked, in that order; without anything left to say it refuses.
 */
export async function startModel() {
  const [asked, script, hanging] = [[], [], new Set()];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const piece of request.setEncoding('utf8')) body += piece;
    const question = JSON.parse(body);
    asked.push(question);
    const next = script.shift() ?? { status: 500 };
    if (next === 'hang') return void hanging.add(response);
    response.setHeader('content-type', 'application/json');
    if (next.status) {
      response.statusCode = next.status;
      return void response.end(JSON.stringify({ error: { message: 'the scripted model has nothing to say', type: 'server_error' } }));
    }
    const call = next.tool && { id: `call-${asked.length}`, type: 'function', function: { name: next.tool, arguments: JSON.stringify(next.arguments) } };
    const message = { role: 'assistant', content: next.tool ? 'I look.' : next, ...(call && { tool_calls: [call] }) };
    response.end(JSON.stringify({
      id: 'x', object: 'chat.completion', created: 1, model: question.model,
      choices: [{ index: 0, message, finish_reason: call ? 'tool_calls' : 'stop' }],
      usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 },
    }));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${server.address().port}/v1`,
    asked,
    says: (...all) => script.push(...all),
    stop: async () => {
      for (const response of hanging) response.destroy();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
