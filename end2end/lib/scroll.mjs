// How smoothly a log scrolls, frame by frame.

/** Runs in the page: scrolls from the top for 300 frames and notes how long each took. */
export async function scroll(frame, perFrame) {
  frame.scrollTop = 0;
  await new Promise((done) => setTimeout(done, 800));
  const step = perFrame ?? (frame.scrollHeight - frame.clientHeight) / 300;
  const times = [];
  let blank = 0;
  let last = await new Promise(requestAnimationFrame);
  const begin = last;
  for (let n = 0; n < 300; n += 1) {
    frame.scrollTop += step;
    const now = await new Promise(requestAnimationFrame);
    times.push(now - last);
    last = now;
    const { left, top, height } = frame.getBoundingClientRect();
    if (!document.elementFromPoint(left + 30, top + height / 2)?.closest('.log li')) blank += 1;
  }
  return { frames: times.length, seconds: (last - begin) / 1000, long: times.filter((ms) => ms > 25).length, worst: Math.max(...times), blank };
}
