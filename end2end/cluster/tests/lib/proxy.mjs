// A proxy before the API server that a test makes faults with: each request may be held, lost, sent twice, delayed or answered by somebody
// else; watches may be cut or expired; and the whole of it may go away for a while. It speaks plain HTTP on loopback to the console, and to the
// API server as the console's own account, so that what the console is allowed is what is shipped. It knows no console and no run.
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { writeFile } from 'node:fs/promises';
import { json, kubectl } from './kubectl.mjs';

/** What a hook answers to have the connection broken instead. */
export const broken = Symbol('broken');

/** The answer of an API server that is in trouble. */
export function answer(code, { message = `made to answer ${code}`, reason = http.STATUS_CODES[code].replaceAll(' ', ''), headers = {} } = {}) {
  const body = JSON.stringify({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code });
  return { status: code, headers: { 'content-type': 'application/json', ...headers }, body };
}

/** What may be done to a request, as hooks. `pass` sends it on and resolves to the answer. */
export const faults = {
  /** It never arrives. */
  unsent: () => broken,
  /** It arrives, and nobody hears of it. */
  lost: async (_, pass) => (await pass(), broken),
  /** It arrives twice, as from a layer that repeats what it got no answer to; the second answer is the one that is heard. */
  twice: async (_, pass) => (await pass(), pass()),
  /** The answer takes its time. */
  late: (ms) => async (_, pass) => {
    const answer = await pass();
    await new Promise((done) => setTimeout(done, ms));
    return answer;
  },
  /** Somebody else answers. */
  answered: (code, more) => () => answer(code, more),
};

/** What a request is about, from its method and path: `/api/v1/namespaces/NS/pods/NAME/log`, `/apis/GROUP/VERSION/namespaces/NS/…`. */
function told(method, url, body) {
  const { pathname, searchParams } = new URL(url, 'http://x');
  const at = pathname.match(/^\/(?:api|apis\/[^/]+)\/[^/]+\/(?:namespaces\/([^/]+)\/)?([^/]+)(?:\/([^/]+))?(?:\/(.+))?$/);
  const [, namespace, kind, name, sub] = at ?? [];
  const watch = searchParams.get('watch') !== null && searchParams.get('watch') !== 'false';
  const verbs = { GET: watch ? 'watch' : name ? 'get' : 'list', POST: 'create', PATCH: 'patch', PUT: 'update', DELETE: 'delete' };
  const json = body?.length ? parsed(body) : undefined;
  return { method, url, verb: verbs[method] ?? method, namespace, kind: kind && sub ? `${kind}/${sub}` : (kind ?? pathname), name: name ?? json?.metadata?.name, json };
}

/**
 * Starts one. `as` names the service account that it speaks as, `NAMESPACE/NAME`; without it, it speaks as KUBECONFIG does. `socketPath` leads to
 * another API server of the same cluster.
 */
export async function startProxy({ as, socketPath } = {}) {
  const config = await json(['config', 'view', '--raw', '--minify', '--flatten']);
  const { server, 'certificate-authority-data': ca } = config.clusters[0].cluster;
  const { 'client-certificate-data': cert, 'client-key-data': key, token } = config.users[0].user;
  const decoded = (text) => text && Buffer.from(text, 'base64');
  const [home, account] = as?.split('/') ?? [];
  const bearer = as ? (await kubectl(['create', 'token', account, '--namespace', home, '--duration=1h'])).trim() : token;
  const upstream = new URL(server);
  const secure = upstream.protocol === 'https:';
  const client = secure ? https : http;
  const agent = new client.Agent({ keepAlive: true, ca: decoded(ca), ...(!as && { cert: decoded(cert), key: decoded(key) }), ...(socketPath && { socketPath }) });

  const [calls, hooks, watches, sockets] = [[], [], new Set(), new Set()];
  let hear = [];

  /** Sends a request on; resolves to the answer's head, its body still to come. */
  const forward = ({ method, url, headers }, body) =>
    new Promise((done, failed) => {
      const { host, connection, 'accept-encoding': _, ...rest } = headers;
      const options = { method, path: url, agent, headers: { ...rest, ...(bearer && { authorization: `Bearer ${bearer}` }) } };
      const request = client.request({ ...options, host: upstream.hostname, port: upstream.port, servername: upstream.hostname.match(/^[\d.]+$/) ? '' : upstream.hostname }, done);
      request.once('error', failed);
      request.end(body);
    });

  async function serve(request, response) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const body = Buffer.concat(chunks);
    const call = { ...told(request.method, request.url, body), at: Date.now(), did: [] };
    calls.push(call);
    hear = hear.filter((listen) => !listen(call));
    const hook = hooks.find((hook) => hook.left > 0 && hook.match(call));
    const streams = call.verb === 'watch' || /[?&]follow=true/.test(call.url);
    if (!hook && streams) return stream(call, request, response, body);
    const pass = async () => {
      const from = await forward(request, body);
      const got = [];
      for await (const chunk of from) got.push(chunk);
      const { 'transfer-encoding': _, connection, ...headers } = from.headers;
      call.did.push(from.statusCode);
      return { status: from.statusCode, headers, body: Buffer.concat(got) };
    };
    let given;
    if (hook) {
      hook.left -= 1;
      hook.calls.push(call);
      hook.caught(call);
      given = await hook.act(call, pass);
    } else {
      given = await pass();
    }
    if (given === broken || response.destroyed) return response.destroy();
    call.told = given.status;
    response.writeHead(given.status, given.headers);
    response.end(given.body);
  }

  /** A watch or a log goes through as it comes, a watch by whole lines so that something may be said between them. */
  async function stream(call, request, response, body) {
    const from = await forward(request, body);
    call.did.push(from.statusCode);
    call.told = from.statusCode;
    response.writeHead(from.statusCode, { 'content-type': from.headers['content-type'] ?? 'application/json' });
    response.flushHeaders();
    const end = () => from.destroy();
    response.once('close', end);
    const watch = { call, response, rest: Buffer.alloc(0) };
    if (call.verb === 'watch') watches.add(watch);
    try {
      for await (const chunk of from) {
        if (call.verb !== 'watch') {
          response.write(chunk);
          continue;
        }
        const all = Buffer.concat([watch.rest, chunk]);
        const whole = all.lastIndexOf(0x0a) + 1;
        response.write(all.subarray(0, whole));
        watch.rest = all.subarray(whole);
      }
      response.end();
    } catch {
      response.destroy();
    } finally {
      watches.delete(watch);
    }
  }

  const front = http.createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    serve(request, response).catch(() => response.destroy());
  });
  front.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  const listen = async (port) => {
    front.listen(port, '127.0.0.1');
    await once(front, 'listening');
  };
  await listen(0);
  const { port } = front.address();
  const hangUp = () => sockets.forEach((socket) => socket.destroy());

  return {
    url: `http://127.0.0.1:${port}`,
    /** Every request so far: `{verb, kind, name, namespace, json, at, did, told}`; what the API server answered each time, and what the console was told. */
    calls,
    /** Requests so far, by verb, of those that `match`. */
    counted: (match = () => true) => calls.filter(match).reduce((counts, { verb }) => ({ ...counts, [verb]: (counts[verb] ?? 0) + 1 }), {}),
    /** Resolves to the next request that matches. */
    next: (match) => new Promise((done) => hear.push((call) => match(call) && (done(call), true))),
    /** The first `times` requests that match get what `act` answers (see `faults`); `caught` resolves with the first of them. */
    hook: (match, act, times = Infinity) => {
      const hook = { match, act, left: times, calls: [] };
      const first = new Promise((caught) => (hook.caught = caught));
      hooks.unshift(hook);
      return { caught: first, calls: hook.calls, off: () => void (hook.left = 0) };
    },
    /** Holds the first request that matches; resolves, once it is there, to how it goes on: `go(act)`. */
    hold: async (match) => {
      let go;
      const going = new Promise((done) => (go = done));
      const hook = { match, left: 1, calls: [], act: async (call, pass) => (await going)(call, pass) };
      const caught = new Promise((done) => (hook.caught = done));
      hooks.unshift(hook);
      const call = await caught;
      return { call, go: (act = (_, pass) => pass()) => go(act) };
    },
    /** Open watches, by kind. */
    watched: () => [...watches].map(({ call }) => call.kind).sort(),
    /** Ends every watch without a word. */
    cutWatches: () => watches.forEach(({ response }) => response.destroy()),
    /** Tells every watch that it is too far behind, and ends it. */
    expireWatches: () => {
      const object = JSON.parse(answer(410, { message: 'too old resource version', reason: 'Expired' }).body);
      for (const { response } of watches) response.end(`${JSON.stringify({ type: 'ERROR', object })}\n`);
    },
    /** Nobody answers any more, and all connections are gone. */
    down: async () => {
      const closed = once(front, 'close');
      front.close();
      hangUp();
      await closed;
    },
    /** It answers again, at the same address. */
    up: () => listen(port),
    /** Writes a kubeconfig that leads here. Consoles of one cluster have one name for it. */
    kubeconfig: async (path) => {
      const named = (more) => [{ name: 'cluster', ...more }];
      await writeFile(path, JSON.stringify({
        apiVersion: 'v1', kind: 'Config', 'current-context': 'cluster',
        clusters: named({ cluster: { server: `http://127.0.0.1:${port}` } }), users: named({ user: {} }),
        contexts: named({ context: { cluster: 'cluster', user: 'cluster' } }),
      }));
      return path;
    },
    close: async () => {
      if (front.listening) {
        const closed = once(front, 'close');
        front.close();
        hangUp();
        await closed;
      }
      agent.destroy();
    },
  };
}

function parsed(body) {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
