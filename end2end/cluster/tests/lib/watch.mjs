// What the API server says of objects while a test goes on.
import { running } from './kubectl.mjs';

/**
 * Keeps what the API server says of some kinds of objects in a namespace: of each the last state, also of what was deleted; and how a TaskRun
 * ended at first, for Tekton now and then writes the end of a cancelled one once more, a second later, and whoever looks sees either.
 * @returns {{of: (kind: string) => any[], ended: (object: any) => any[], end: () => void}} `ended`: what was said of its end, first and last
 */
export function watch(namespace, ...kinds) {
  const known = Object.fromEntries(kinds.map((kind) => [kind, new Map()]));
  const ends = new Map();
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
        const { uid } = object.metadata;
        known[kind].set(uid, object);
        if (ended(object) && !ends.has(uid)) ends.set(uid, object);
      }
    });
    return child;
  });
  return { of: (kind) => [...known[kind].values()], ended: (object) => [ends.get(object.metadata.uid) ?? object, object], end: () => children.forEach((child) => child.kill()) };
}
