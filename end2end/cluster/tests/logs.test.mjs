// Logs on a real cluster: what a container writes is followed while it writes, kept, and read again when its pod is gone, always the
// same; against `kubectl logs --timestamps` it differs by the cleaning that is stated here (server/controller/src/logs/clean.rs), and
// by nothing else.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { awake, openPage, signedIn } from '../../lib/browser.mjs';
import { crowded, freezes, watchFreezes } from '../../lib/freezes.mjs';
import { scroll } from '../../lib/scroll.mjs';
import { stage } from '../../lib/stage.mjs';
import { World, until } from '../../lib/world.mjs';
import { bytes, kubectl } from './lib/kubectl.mjs';
import { namespace } from './lib/namespace.mjs';
import { playbook, start } from './lib/playbooks.mjs';

const on = stage();
let [home, console_, world, browser, state, token] = [];

before(async () => {
  home = await namespace('logs-test');
  [console_, browser] = await Promise.all([on.console({ args: home.args }), on.browser()]);
  [world, token, state] = await Promise.all([World.of(console_), console_.token('viewer'), signedIn(browser, console_.url)]);
  await world.register(playbook('writes', 'playbook-chatty', ['SAY', 'LONG', 'LINES', 'HOLD', 'END']));
});

after(async () => {
  await on.close();
  await home?.remove();
});

// --- what the console makes of a line -----------------------------------------------------------------------------------------------

/** The most that is kept of a line, and the most that is held of one with its time while it comes, in bytes. */
const [KEPT, HELD] = [16 * 1024, 64 * 1024];
/** A colour (SGR); whatever else a terminal would obey: control sequences, strings up to their end or the line's, other escapes. */
const colours = /\x1b\[[\d;:]{0,32}m/g;
const escapes = /\x1b\[[ -?]*[@-~]?|(?:\x1b[PX\]^_]|[\x90\x98\x9d-\x9f])[^]*?(?:\x07|\x9c|\x1b\\?|$)|\x1b[ -/]+[^]?|\x1b[0-~]?|\x9b[ -?]*[@-~]?/gu;
/** Control characters, marks that turn the direction, characters that show nothing. */
const unseen = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u2060-\u2065\u206a-\u206f\u2800\u3164\ufeff\uffa0\ufff0-\ufffb]/gu;

/**
 * A line of `kubectl logs --timestamps`, as the console says that it keeps it: the time in whole milliseconds; bytes that are no UTF-8
 * as U+FFFD; without escape sequences and unseen characters; a tab as four blanks, a carriage return as one; no blanks at its end; of
 * a long one its beginning, with a mark that says how much is missing.
 */
function kept(line) {
  const [held, dropped] = [line.subarray(0, HELD), Math.max(0, line.length - HELD)];
  const space = held.indexOf(' ');
  const at = held.toString('latin1', 0, space).replace(/(\.\d{3})\d*Z$/, '$1Z');
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(held.subarray(space + 1));
  // A colour is kept for the page, which draws it; programs get the text alone.
  let clean = text.replace(colours, '\ue000').replace(escapes, '').replaceAll('\t', '    ').replaceAll('\r', ' ').replace(unseen, '');
  clean = clean.trimEnd().replaceAll('\ue000', '');
  const length = Buffer.byteLength(clean);
  if (length > KEPT) {
    let end = KEPT;
    const all = Buffer.from(clean);
    while ((all[end] & 0xc0) === 0x80) end -= 1;
    clean = `${all.toString('utf8', 0, end)} [… ${length - end} bytes cut]`;
  }
  return `${at} ${clean}${dropped ? ` [… ${dropped} more bytes dropped]` : ''}`;
}

/** All lines of a log as kubectl prints it. */
function lines(log) {
  const all = [];
  for (let from = 0; from < log.length; ) {
    const end = log.indexOf(10, from);
    all.push(log.subarray(from, end < 0 ? log.length : end));
    from = end < 0 ? log.length : end + 1;
  }
  return all;
}

// --- ways to read a log -------------------------------------------------------------------------------------------------------------

/** What kubectl shows of a pod now. */
const shown = async (pod) => lines(await bytes(['--namespace', home.name, 'logs', pod, '--container', 'step-execute', '--timestamps'])).map(kept);

/** What the console's text says. */
async function text(id, query = '') {
  const answer = await world.first.get(`/api/v1/executions/${id}/tasks/execute/logs?timestamps=true${query}`);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body.split('\n').slice(0, -1);
}

/** Follows the console's stream until it ends; `lines` grows while it comes. */
function follow(id) {
  const followed = { lines: [], numbers: [], end: null };
  followed.ended = (async () => {
    const url = `${console_.url}/api/v1/executions/${id}/tasks/execute/logs?follow=true`;
    const answer = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
    assert.equal(answer.status, 200);
    let rest = '';
    for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
      const events = (rest + chunk).split('\n\n');
      rest = events.pop();
      for (const event of events) {
        const field = (name) => event.match(new RegExp(`^${name}: ?(.*)$`, 'm'))?.[1];
        if (field('event') === 'line') {
          const line = JSON.parse(field('data'));
          followed.lines.push(`${line.at} ${line.text}`);
          followed.numbers.push(line.line);
        } else if (field('event') === 'end' || field('event') === 'error') followed.end = `${field('event')} ${field('data')}`;
      }
    }
  })();
  followed.ended.catch(() => {});
  return followed;
}

/** The pod of a run's only attempt, once its container runs. */
async function podOf(id) {
  const task = await until('the container to run', async () => {
    const [task] = (await world.execution(id)).tasks;
    return task?.state === 'running' && task;
  });
  return task.attempts[0].pod;
}

/** Lets a container go on that holds. */
const go = (pod) => kubectl(['--namespace', home.name, 'exec', pod, '--container', 'step-execute', '--', 'touch', '/tmp/go']);

const remove = (kind, name) => kubectl(['--namespace', home.name, 'delete', kind, name, '--wait=true', '--timeout=60s']);

/** Compares long lists without printing them. */
function same(actual, expected, what) {
  const at = expected.findIndex((line, index) => line !== actual[index]);
  const short = (line) => (line === undefined ? 'nothing' : JSON.stringify(line.length > 300 ? `${line.slice(0, 200)} … ${line.slice(-80)}` : line));
  assert.ok(at < 0, `${what}: line ${at + 1} is ${short(actual[at])} instead of ${short(expected[at])}`);
  assert.equal(actual.length, expected.length, what);
}

// --- what is written ----------------------------------------------------------------------------------------------------------------

/** Text as the image's SAY takes it: every byte that is not plainly readable as an octal escape. */
const said = (raw) => Buffer.from(raw, typeof raw === 'string' ? 'utf8' : undefined).reduce((all, byte) => {
  const plain = byte >= 0x20 && byte < 0x7f && !'\\$'.includes(String.fromCharCode(byte));
  return all + (plain ? String.fromCharCode(byte) : `\\0${byte.toString(8).padStart(3, '0')}`);
}, '');

const every = (from, to) => Array.from({ length: to - from + 1 }, (_, n) => from + n);
const odd = Buffer.concat([
  // Every byte there is but the newline, which ends a line.
  Buffer.from([...every(0x00, 0x09), ...every(0x0b, 0x1a), ...every(0x1c, 0xff), 0x0a]),
  Buffer.from('overlong \xc0\xaf, surrogate \xed\xa0\x80, cut off \xe2\x82\n', 'latin1'),
  Buffer.from(
    [
      '\x1b[31mred\x1b[0m and \x1b[1;38;5;196mbold\x1b[m',
      'cleared \x1b[2J\x1b[H\x1b[?25l\x1b[10;10Hhome',
      'title \x1b]0;pwned\x07 link \x1b]8;;https://evil.example\x1b\\here\x1b]8;;\x1b\\ unended \x1b]52;c;cm0gLXJm',
      'device \x1bP1$r0m\x1b\\ charset \x1b(0lqqk\x1b(B keypad \x1b= reset \x1bc',
      'C1 \u009b31mcsi\u009d0;title\u009c \u0090dcs\u009c \u0085nel',
      'broken \x1b[',
      'and \x1b',
      '',
      '',
      'progress 10%\rprogress 20%\rprogress 100%\r',
      'bell\x07 backspace\x08\x08\x08 tab\there form\ffeed',
      'right-to-left \u202egnp.exe\u202c isolate \u2066x\u2069 mark \u200f',
      'zero\u200bwidth \ufeffbom joined 👩\u200d🚒 kept ünïcödé ✓ 漢字',
      'line\u2028separator paragraph\u2029separator next\u0085line',
      '<script>document.title = "pwned"</script><img src=x onerror="document.title=1"> &amp; &lt;b&gt;',
      '</pre></ol><style>*{display:none}</style>"\'><svg/onload=alert(1)>',
      '2026-01-01T00:00:00.000000000Z a time of its own',
      'unable to retrieve container logs for containerd://0123456789',
      'data: x\tevent: end',
      '   blanks before and after   ',
      '::error::not a command of ours',
      '',
    ].join('\n'),
  ),
]);

test('odd bytes, long lines and no newline at the end: followed, archived, and read without pod and PipelineRun, all the same', async () => {
  const SAY = said(odd);
  assert.ok(SAY.length <= 4096, `SAY has ${SAY.length} characters`);
  // Around what containerd splits, what is kept of a line, and what is held of one.
  const LONG = '4095 16383 16384 16385 32768 65000 65536 70000 200000';
  const id = await start(world, 'writes', { SAY, LONG, LINES: '3', HOLD: 'yes', END: said('after the wait\n\nthe very last line has no end \xff'.replace('\xff', '✗')) });
  const followed = follow(id);
  const pod = await podOf(id);
  await until('the lines before the wait', () => followed.lines.some((line) => line.includes('0000003 of 3')));
  same(followed.lines, await shown(pod), 'the stream while it runs and kubectl');
  same(await text(id), followed.lines, 'the text and the stream while it runs');
  assert.equal(followed.end, null, 'the stream goes on');
  await go(pod);
  assert.equal((await world.until(id, 'succeeded', 'failed')).state, 'succeeded');
  await followed.ended;
  assert.equal(followed.end, 'end {}', 'it ends, and nothing is missing');

  const log = await shown(pod);
  assert.match(log.at(-1), /the very last line has no end ✗$/);
  same(followed.lines, log, 'the stream and kubectl');
  assert.deepEqual(followed.numbers, every(1, log.length), 'lines are numbered without a gap');
  const before = await text(id);
  same(before, log, 'the text and kubectl');
  await remove('pod', pod);
  same(await text(id), before, 'without its pod');
  await remove('pipelinerun', (await world.execution(id)).name);
  same(await text(id), before, 'without its PipelineRun');
  const again = follow(id);
  await again.ended;
  assert.equal(again.end, 'end {}');
  same(again.lines, before, 'the stream without its pod');

  // The page shows the same text, and none of it does anything.
  for (const javascript of [true, false]) {
    const page = await openPage(browser, console_.url, { state, javascript });
    await page.goto(`/runs/${id}`);
    if (javascript) await awake(page);
    const drawn = await page.locator('.log-box li:not(.group) > span').allTextContents();
    same(drawn, before.map((line) => line.slice(line.indexOf(' ') + 1)), 'the page');
    const whole = drawn.join('\n');
    assert.doesNotMatch(whole, /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
    assert.equal(await page.locator('.log-box :is(script, img, style, svg[onload], a[href^="http"])').count(), 0);
    assert.doesNotMatch(await page.title(), /pwned|^1$/);
    assert.deepEqual(page.faults, []);
    await page.context().close();
  }
});

test('60,000 lines as fast as a container can write, followed while it writes', async () => {
  const id = await start(world, 'writes', { LINES: '60000' });
  const followed = follow(id);
  assert.equal((await world.until(id, 'succeeded', 'failed')).state, 'succeeded');
  await followed.ended;
  assert.equal(followed.end, 'end {}');
  const [task] = (await world.execution(id)).tasks;
  const log = await shown(task.attempts[0].pod);
  assert.equal(log.length, 60_000);
  same(followed.lines, log, 'the stream and kubectl');
  same(await text(id), log, 'the text and kubectl');
  same(await text(id, '&since_line=59990'), log.slice(59_990), 'its end alone');
});

test('of a run that is cancelled all that its container wrote is kept, although Tekton deletes the pod', async () => {
  const id = await start(world, 'writes', { LINES: '500', HOLD: 'yes' });
  const pod = await podOf(id);
  const log = await until('all lines', async () => {
    const log = await shown(pod);
    return log.length === 500 && log;
  });
  await world.cancel(id);
  await world.until(id, 'cancelled');
  await kubectl(['--namespace', home.name, 'wait', '--for=delete', `pod/${pod}`, '--timeout=60s']);
  await world.logged(id);
  const all = await text(id);
  same(all.slice(0, 500), log, 'after the pod was deleted');
  // The image's shell may find the time to say so.
  for (const line of all.slice(500)) assert.match(line, /^\S+Z Terminated$/, 'what was read to its end has no gap');
});

test('a log of 200,000 lines is kept whole, opens at its end and scrolls', async (context) => {
  const count = 200_000;
  const id = await start(world, 'writes', { LINES: String(count) });
  const began = performance.now();
  await until('the run to end', async () => ['succeeded', 'failed'].includes((await world.execution(id)).state), 90);
  await world.logged(id);
  context.diagnostic(`written and archived in ${((performance.now() - began) / 1000).toFixed(1)} s`);
  const log = (await text(id)).map((line) => line.slice(line.indexOf(' ') + 1));
  const line = (n) => `${String(n).padStart(7, '0')} of ${count} says something that is worth a line`;
  same(log, every(1, count).map(line), 'each line, in its order');

  const page = await openPage(browser, console_.url, { state });
  await watchFreezes(page);
  const times = [];
  for (let time = 0; time < 7; time += 1) {
    await page.goto('about:blank');
    const begin = performance.now();
    await page.goto(`/runs/${id}`, { waitUntil: 'commit' });
    await page.waitForFunction(lastLineInSight, count);
    times.push(performance.now() - begin);
  }
  const median = times.toSorted((a, b) => a - b)[3];
  context.diagnostic(`opened at its end in ${times.map((ms) => ms.toFixed(0)).join(', ')} ms, median ${median.toFixed(0)} ms`);
  assert.ok(median <= 1000 * crowded(), `it opens at its end within a second, not ${median.toFixed(0)} ms`);

  const box = page.locator('.log-box');
  await awake(page);
  await until('the viewer', () => box.evaluate((frame) => frame.querySelectorAll('.chunk').length > 100));
  await freezes(page);
  for (const perFrame of [120, null]) {
    const { frames, seconds, long, worst, blank } = await box.evaluate(scroll, perFrame);
    context.diagnostic(`${perFrame ? 'reading' : 'dragging the bar'}: ${(frames / seconds).toFixed(1)} frames a second, ${long} of ${frames} longer than 25 ms, longest ${worst.toFixed(0)} ms, nothing to read yet in ${blank}`);
  }
  assert.deepEqual(await freezes(page), []);
  await box.evaluate((frame) => (frame.scrollTop = frame.scrollHeight));
  await page.waitForFunction(lastLineInSight, count);
  assert.ok((await page.locator('.log li').count()) < 4000, 'what is out of sight is put away');
  assert.deepEqual(page.faults, []);
  await page.context().close();
});

/** Runs in the page: whether the last line can be read. */
function lastLineInSight(count) {
  const [line, box] = [document.getElementById(`L${count}`), document.querySelector('.log-box')];
  if (!line || !box) return false;
  const [at, frame] = [line.getBoundingClientRect(), box.getBoundingClientRect()];
  return at.height > 0 && at.top >= frame.top - 1 && at.bottom <= frame.bottom + 1;
}
