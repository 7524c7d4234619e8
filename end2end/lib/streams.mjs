// Which of a browser context's pages hold an event stream right now, as the browser itself tells it.

/** Watches a context from now on; `open()` answers the pages that hold a stream. */
export function watchStreams(context) {
  const streams = new Map();
  context.on('request', (request) => {
    if (new URL(request.url()).pathname === '/api/v1/events') streams.set(request, request.frame().page());
  });
  for (const end of ['requestfinished', 'requestfailed']) context.on(end, (request) => streams.delete(request));
  return { open: () => [...streams.values()].filter((page) => !page.isClosed()) };
}
