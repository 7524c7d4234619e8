// What the API server says of objects while a test goes on.
import { running } from './kubectl.mjs';

/**
 * Keeps what the API server says of some kinds of objects in a namespace: of each the last state, also of what was deleted; of a TaskRun
 * that has ended the first, for Tekton now and then writes its end once more, a second later.
 * @returns {{of: (kind: string) => any[], end: () => void}}
 */
export function watch(namespace, ...kinds) {
  const known = Object.fromEntries(kinds.map((kind) => [kind, new Map()]));
  const ended = ({ kind, status }) => kind === 'TaskRun' && status?.conditions?.some(({ type, status }) => type === 'Succeeded' && status !== 'Unknown');
  const children = kinds.map((kind) => {
    const args = ['--namespace', namespace, 'get', kind, '--watch', '--output-watch-events', '--output', 'json'];
    const child = running(args, ['ignore', 'pipe', 'inherit']);
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      const events = (rest + text).split('\n');
      rest = events.pop();
      for (const event of events) {
        const { object } = JSON.parse(event);
        // One that was deleted and came again under its name is another one.
        const before = known[kind].get(object.metadata.uid);
        if (!before || !ended(before)) known[kind].set(object.metadata.uid, object);
      }
    });
    return child;
  });
  return { of: (kind) => [...known[kind].values()], end: () => children.forEach((child) => child.kill()) };
}
