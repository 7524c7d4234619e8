// What a test file starts and must end: nothing of it is lost sight of, not even when one of several fails to start.
import { openBrowser } from './browser.mjs';
import { startConsole } from './console.mjs';

/** An empty stage; `close` ends what was started on it, whether or not it has been waited for. */
export function stage() {
  const started = [];
  const keep = (starting, end) => {
    started.push(() => starting.then(end, () => {}));
    return starting;
  };
  return {
    browser: () => keep(openBrowser(), (browser) => browser.close()),
    console: (options) => keep(startConsole(options), (console_) => console_.stop()),
    close: () => Promise.all(started.map((end) => end())),
  };
}
