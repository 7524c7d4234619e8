// What a page looks like to whoever does not look at it as its makers do: how large what is pressed is, what is left of it in the
// system's own colours, and whether it stands still while it loads. All of it runs in the page.

/**
 * What can be pressed and is smaller than `least` pixels in either direction. A link within a sentence may be as high as its line
 * (WCAG 2.5.8). What counts is where a press arrives, whatever is drawn: labels, and room that belongs to the control.
 */
export function tooSmall(least) {
  const controls = 'a[href], button, input:not([type=hidden]), select, textarea, summary';
  const within = (box, x, y) => x >= box.left && x < box.right && y >= box.top && y < box.bottom;
  const sentence = (element) => {
    if (getComputedStyle(element).display !== 'inline') return false;
    const beside = [...element.parentElement.childNodes].filter((node) => node !== element && node.textContent.trim());
    return beside.some((node) => node.nodeType === 3 || getComputedStyle(node).display === 'inline');
  };
  const arrives = (element, x, y) => {
    const hit = document.elementFromPoint(x, y);
    if (!hit) return false;
    return element.contains(hit) || [...(element.labels ?? [])].some((label) => label.contains(hit));
  };
  const small = [];
  for (const element of document.querySelectorAll(controls)) {
    if (!element.checkVisibility({ visibilityProperty: true }) || element.disabled || element.closest('.vh, [aria-hidden=true]')) continue;
    const boxes = [element, ...(element.labels ?? [])].map((each) => each.getBoundingClientRect()).filter((box) => box.width > 1 && box.height > 1);
    if (!boxes.length || sentence(element)) continue;
    const fits = boxes.some(({ width, height }) => width >= least - 0.5 && height >= least - 0.5);
    if (fits) continue;
    element.scrollIntoView({ block: 'center', inline: 'center' });
    const { left, right, top, bottom } = element.getBoundingClientRect();
    const [x, y, reach] = [(left + right) / 2, (top + bottom) / 2, least / 2 - 1];
    const wide = right - left >= least || (arrives(element, x - reach, y) && arrives(element, x + reach, y));
    const high = bottom - top >= least || (arrives(element, x, y - reach) && arrives(element, x, y + reach));
    const inView = within({ left: 0, top: 0, right: innerWidth, bottom: innerHeight }, x, y);
    if (wide && high && inView) continue;
    const name = (element.getAttribute('aria-label') ?? element.textContent).trim().replace(/\s+/g, ' ').slice(0, 40);
    small.push(`${element.nodeName.toLowerCase()}.${element.getAttribute('class') ?? ''} "${name}" ${Math.round(right - left)} × ${Math.round(bottom - top)}`);
  }
  return small;
}

/** Icons and marks of a state that can't be told from what they stand on. */
export function invisible() {
  const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const light = (colour) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = colour;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
    const part = (value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    return { a, l: 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b) };
  };
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      if (light(backgroundColor).a > 200) return backgroundColor;
    }
    return 'Canvas';
  };
  const found = [];
  for (const icon of document.querySelectorAll('.state svg, .chip svg, .hint-line svg, .notice svg')) {
    if (!icon.checkVisibility({ visibilityProperty: true })) continue;
    const { stroke, fill } = getComputedStyle(icon);
    const [ink, paper] = [light(stroke === 'none' ? fill : stroke), light(ground(icon))];
    const contrast = (Math.max(ink.l, paper.l) + 0.05) / (Math.min(ink.l, paper.l) + 0.05);
    if (ink.a < 200 || contrast < 3) found.push(`${icon.parentElement.getAttribute('class')} "${icon.parentElement.textContent.trim()}" ${contrast.toFixed(1)}:1`);
  }
  return found;
}

/** To be run before the page: keeps what moves without anybody's doing. */
export function watchShifts() {
  window.shifts = [];
  const name = ({ node }) => `${node?.nodeName} ${node?.className ?? node?.textContent}`;
  new PerformanceObserver((list) => {
    for (const { hadRecentInput, value, sources } of list.getEntries()) {
      if (!hadRecentInput) window.shifts.push(`${value.toFixed(5)}: ${sources.map(name).join(', ')}`);
    }
  }).observe({ type: 'layout-shift', buffered: true });
}
