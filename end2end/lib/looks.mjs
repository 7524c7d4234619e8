// What a page looks like to whoever does not look at it as its makers do: how large what is pressed is, what is left of it in the
// system's own colours, and whether it stands still while it loads. All of it runs in the page.

/**
 * What can be pressed and is smaller than `least` pixels in either direction; of links that only lead to another page (from a row of
 * a list or a table, or from a line of text), than 24. Any other link acts on the page that is open, as a button does. What counts is
 * where a press arrives, whatever is drawn: labels, and room that belongs to the control. A link within a sentence and the number
 * of a line may be as high as their line (WCAG 2.5.8).
 */
export function tooSmall(least) {
  const leadOn = '.what > a, .act > a, .object > a, tbody th > a:not(.as-table a), p:not(.line, .log-more, .table-pages) > a:not([class]), .sub:not(.table-pages) > a';
  const sentence = (element) => {
    if (element.closest('.log')) return true;
    if (getComputedStyle(element).display !== 'inline') return false;
    const beside = [...element.parentElement.childNodes].filter((node) => node !== element && node.textContent.trim());
    return beside.some((node) => node.nodeType === Node.TEXT_NODE || getComputedStyle(node).display === 'inline');
  };
  const arrives = (element, x, y) => {
    const hit = document.elementFromPoint(x, y);
    return Boolean(hit) && [element, ...(element.labels ?? [])].some((own) => own.contains(hit));
  };
  const small = [];
  for (const element of document.querySelectorAll('a[href], button, input:not([type=hidden]), select, textarea, summary')) {
    if (!element.checkVisibility({ visibilityProperty: true }) || element.disabled || element.closest('[aria-hidden=true]')) continue;
    const needed = element.matches(leadOn) ? 24 : least;
    const boxes = [element, ...(element.labels ?? [])].map((own) => own.getBoundingClientRect()).filter(({ width, height }) => width > 1 && height > 1);
    const fits = ({ width, height }) => width >= needed - 0.5 && height >= needed - 0.5;
    // What is hidden in its label looks like its label.
    const drawn = element.offsetWidth <= 1 ? (element.labels?.[0] ?? element) : element;
    if (!boxes.length || boxes.some(fits) || sentence(drawn)) continue;
    element.scrollIntoView({ block: 'center', inline: 'center' });
    const { left, right, top, bottom } = element.getBoundingClientRect();
    // What waits above the page until it gets the focus is not pressed.
    if (bottom <= 0) continue;
    const [x, y, reach] = [(left + right) / 2, (top + bottom) / 2, needed / 2 - 1];
    const wide = right - left >= needed || (arrives(element, x - reach, y) && arrives(element, x + reach, y));
    const high = bottom - top >= needed || (arrives(element, x, y - reach) && arrives(element, x, y + reach));
    if (wide && high) continue;
    const name = (element.getAttribute('aria-label') ?? element.textContent).trim().replace(/\s+/g, ' ').slice(0, 40);
    const where = element.parentElement.getAttribute('class') ?? element.parentElement.nodeName;
    small.push(`${where} > ${element.nodeName.toLowerCase()}.${element.getAttribute('class') ?? ''} "${name}" ${Math.round(right - left)} × ${Math.round(bottom - top)}`);
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
  const name = ({ node, previousRect: was, currentRect: is }) =>
    `${node?.nodeName} ${node?.className ?? node?.textContent} from ${Math.round(was.x)}, ${Math.round(was.y)} to ${Math.round(is.x)}, ${Math.round(is.y)}`;
  new PerformanceObserver((list) => {
    for (const { hadRecentInput, value, sources } of list.getEntries()) {
      // The page leads a log to its end: what goes by in its frame has not moved.
      const scrolled = sources.length > 0 && sources.every(({ node }) => (node?.closest ? node : node?.parentElement)?.closest('.log-box'));
      if (!hadRecentInput && !scrolled) window.shifts.push({ value, names: sources.map(name).join(', ') });
    }
  }).observe({ type: 'layout-shift', buffered: true });
}
