// Whether a page answers whoever uses it: how long its one thread was at something, and how long a press waited for its answer to be
// painted. Counts of what is there in the end do not tell: a page that hangs for seconds at each press gets there, too.
import { availableParallelism, loadavg } from 'node:os';

/**
 * Longer than this in milliseconds is a freeze. A page is felt to answer up to about 200 ms, and it does (make measure-graph); the rest
 * is for slow machines. What froze a page elsewhere took seconds.
 */
export const FREEZE = 500;
/** Once, when all 1,000 tasks are asked for at once, laying them out may take longer; never what is done with them afterwards. */
export const DRAWN_WHOLE = 2000;

/** Notes from now on, in every document that the page opens, how long it is at anything. */
export async function watchFreezes(page) {
  await page.addInitScript((least) => {
    window.freezes = [];
    const note = (list) => window.freezes.push(...list.getEntries().filter(({ duration }) => duration > least));
    new PerformanceObserver(note).observe({ type: 'longtask', buffered: true });
    new PerformanceObserver(note).observe({ type: 'event', durationThreshold: 104, buffered: true });
  }, FREEZE);
}

/** How much longer everything takes on a machine that has more to do than cores to do it with. */
export const crowded = () => Math.max(1, loadavg()[0] / availableParallelism());

/** What froze the document that is open for longer than `limit` since this was last asked, once it has been painted as it is. */
export async function freezes(page, limit = FREEZE) {
  return page.evaluate(async (limit) => {
    // Entries come with the frames after what they tell of.
    for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
    await new Promise((done) => setTimeout(done, 100));
    const found = window.freezes.splice(0).filter(({ duration }) => duration > limit);
    return found.map(({ entryType, name, duration }) => `${entryType} ${name}: ${Math.round(duration)} ms`);
  }, limit * crowded());
}
