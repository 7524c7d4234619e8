// A page as a screen reader has it: Chromium's own accessibility tree, in reading order, and what the page says by itself.

/** What is spoken as one, with the name that its content gives it. */
const whole = new Set(['link', 'button', 'heading', 'option', 'tab', 'columnheader', 'rowheader', 'cell', 'gridcell', 'DisclosureTriangle']);
/** What stands around without a word of its own, unless it has a name. */
const silent = new Set(['generic', 'none', 'paragraph', 'LineBreak', 'LabelText', 'ListMarker', 'Section', 'SvgRoot', 'group']);
const states = ['checked', 'expanded', 'selected', 'pressed', 'disabled', 'required', 'invalid', 'live', 'atomic'];

/** What of the page below `selector` is spoken, a line each: role, name in quotation marks, states. Text that stands by itself is only quoted. */
export async function spoken(page, selector) {
  const browser = await page.context().newCDPSession(page);
  const { result } = await browser.send('Runtime.evaluate', { expression: `document.querySelector(${JSON.stringify(selector)})` });
  const { node } = await browser.send('DOM.describeNode', { objectId: result.objectId });
  const { nodes } = await browser.send('Accessibility.getFullAXTree');
  await browser.detach();
  const of = new Map(nodes.map((one) => [one.nodeId, one]));
  const lines = [];
  const walk = ({ ignored, role, name, properties = [], childIds = [] }) => {
    const text = (name?.value ?? '').replace(/\s+/g, ' ').trim();
    const word = role?.value;
    if (word === 'InlineTextBox') return;
    if (!ignored && word === 'StaticText') {
      if (text) lines.push(`"${text}"`);
      return;
    }
    if (!ignored && (text || !silent.has(word))) {
      const known = new Map(properties.map((one) => [one.name, one.value.value]));
      const told = states.filter((state) => known.has(state) && !['false', '', 'undefined'].includes(String(known.get(state))));
      lines.push([word, ...(text ? [`"${text}"`] : []), ...told.map((state) => (known.get(state) === true ? state : `${state}=${known.get(state)}`))].join(' '));
      if (whole.has(word)) return;
    }
    for (const id of childIds) if (of.has(id)) walk(of.get(id));
  };
  const root = nodes.find((one) => one.backendDOMNodeId === node.backendNodeId);
  if (root) walk(root);
  return lines;
}

/** Notes, in every document that the page opens from now on, whatever its live regions say: when, and what. */
export async function listen(page) {
  await page.addInitScript(() => {
    window.said = [];
    const regions = '[role=status], [role=alert], [role=log], [aria-live]:not([aria-live=off])';
    const told = new WeakMap();
    const hear = () => {
      for (const region of document.querySelectorAll(regions)) {
        const text = region.textContent.replace(/\s+/g, ' ').trim();
        const before = told.get(region);
        told.set(region, text);
        // A region that comes with its words is spoken when it interrupts; what is polite has to be there before.
        const spoken = before === undefined ? region.matches('[role=alert]') : text !== before;
        if (spoken && text) window.said.push({ at: performance.now(), text });
      }
    };
    document.addEventListener('DOMContentLoaded', () => {
      hear();
      window.said.length = 0;
      new MutationObserver(hear).observe(document, { childList: true, subtree: true, characterData: true });
    });
  });
}
