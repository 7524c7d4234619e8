// What a test file starts and must end: nothing of it is lost sight of, not even when one of several fails to start.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startAlerting } from './alerting.mjs';
import { openBrowser } from './browser.mjs';
import { startConsole } from './console.mjs';
import { startRegistry } from './cosign.mjs';
import { startDex } from './dex.mjs';
import { startHolmes } from './holmes.mjs';
import { startModel } from './model.mjs';

/** An empty stage; `close` ends what was started on it, whether or not it has been waited for. */
export function stage() {
  const [started, directories] = [[], []];
  const keep = (starting, end, all = started) => {
    all.push(() => starting.then(end, () => {}));
    return starting;
  };
  const ended = (all) => Promise.all(all.map((end) => end()));
  return {
    browser: () => keep(openBrowser(), (browser) => browser.close()),
    console: (options) => keep(startConsole(options), (console_) => console_.stop()),
    alerting: (programs, consoleUrl, token, options) => keep(startAlerting(programs, consoleUrl, token, options), (alerting) => alerting.stop()),
    registry: (programs) => keep(startRegistry(programs), (registry) => registry.stop()),
    holmes: (modelUrl) => keep(startHolmes(modelUrl), (holmes) => holmes.stop()),
    model: () => keep(startModel(), (model) => model.stop()),
    dex: (program, consoleUrl) => keep(startDex(program, consoleUrl), (dex) => dex.stop()),
    /** For a console that is started again with what it had. */
    directory: () => keep(mkdtemp(join(tmpdir(), 'kubernaut-stage-')), (path) => rm(path, { recursive: true, force: true }), directories),
    close: async () => {
      await ended(started);
      await ended(directories);
    },
  };
}
