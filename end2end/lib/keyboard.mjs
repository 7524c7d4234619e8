// A person without a mouse: goes by Tab to what has a name, and looks on the way whether they can see where they are.
import assert from 'node:assert/strict';

/** Presses before it counts as not to be reached. */
const MOST = 120;

/**
 * Presses Tab (with `back` Shift+Tab) until the focus is on what has this accessible name, as the browser tells it to assistive
 * technology. Each stop on the way has to be in the viewport, under nothing else, and marked.
 * @param {string|RegExp} name the whole name, or what it has to match
 */
export async function tabTo(page, name, { back = false, most = MOST } = {}) {
  const names = await accessible(page);
  const passed = [];
  for (let presses = 0; presses < most; presses += 1) {
    await page.keyboard.press(back ? 'Shift+Tab' : 'Tab');
    const here = await names();
    const wrong = await page.evaluate(seen);
    assert.equal(wrong, '', `at "${here}" of ${page.url()}: ${wrong}`);
    if (typeof name === 'string' ? here === name : name.test(here)) return here;
    passed.push(here);
  }
  throw new Error(`${most} presses of Tab do not lead to ${name} on ${page.url()}; they led over:\n${passed.join('\n')}`);
}

/** Goes to what has this name, and does what Enter does there. */
export async function enter(page, name, options) {
  await tabTo(page, name, options);
  await page.keyboard.press('Enter');
}

/** The same where a new page is loaded by it; resolves to what it was answered with. */
export async function follow(page, name, options) {
  await tabTo(page, name, options);
  const [answer] = await Promise.all([page.waitForNavigation(), page.keyboard.press('Enter')]);
  return answer?.status();
}

/** Goes to a field and writes into it in place of what stood there. */
export async function write(page, name, text, options) {
  await tabTo(page, name, options);
  await page.keyboard.press('Control+a');
  if (text) await page.keyboard.type(text);
  else await page.keyboard.press('Delete');
}

/** Puts a long text into the field that has the focus, as pasting does. */
export async function paste(page, text) {
  await page.keyboard.press('Control+a');
  await page.keyboard.insertText(text);
}

const sessions = new WeakMap();

/** Answers the accessible name of what has the focus. */
async function accessible(page) {
  if (!sessions.has(page)) sessions.set(page, await page.context().newCDPSession(page));
  const browser = sessions.get(page);
  return async () => {
    const { result } = await browser.send('Runtime.evaluate', { expression: 'document.activeElement' });
    const { nodes } = await browser.send('Accessibility.getPartialAXTree', { objectId: result.objectId, fetchRelatives: false });
    return String(nodes[0]?.name?.value ?? '').replace(/\s+/g, ' ').trim();
  };
}

/** Runs in the page: what keeps a person from seeing where the focus is; nothing when they see it. */
export function seen() {
  const here = document.activeElement;
  // Past the last stop is the browser's own frame.
  if (!here || here === document.body || here === document.documentElement) return '';
  // A box that is drawn in place of a hidden one is its label.
  const label = here.labels?.[0];
  const shown = (element) => {
    const { width, height } = element.getBoundingClientRect();
    return width > 1 && height > 1 && getComputedStyle(element).opacity !== '0';
  };
  const box = !shown(here) && label ? label : here;
  const rect = [...box.getClientRects()].find(({ width, height }) => width && height);
  if (!rect) return 'it has no place on the page';
  const [left, right] = [Math.max(rect.left, 0), Math.min(rect.right, innerWidth)];
  const [top, bottom] = [Math.max(rect.top, 0), Math.min(rect.bottom, innerHeight)];
  if (right - left < 1 || bottom - top < 1) return `it is outside of the viewport, at ${Math.round(rect.left)}, ${Math.round(rect.top)}`;
  const above = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  const own = [box, label].some((one) => one && above && (one.contains(above) || above.contains(one)));
  if (!own) return `it lies under ${above?.nodeName}.${above?.getAttribute('class')}`;
  const outlined = (element) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return outlineStyle !== 'none' && parseFloat(outlineWidth) > 0;
  };
  if (outlined(here) || getComputedStyle(here).boxShadow !== 'none') return '';
  // A hidden box is marked at what is drawn in its place, a part of a picture by the line around it.
  if ([label, here.nextElementSibling, here.parentElement].some((near) => near && outlined(near))) return '';
  const drawn = [...here.querySelectorAll('rect, .hit')].some((shape) => parseFloat(getComputedStyle(shape).strokeWidth) >= 2);
  return drawn ? '' : 'nothing marks it';
}
