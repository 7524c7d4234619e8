// Which answers the program of a page has had and dealt with. What none of them has brought about does not come later, either.

/** Notes, in every document that the page opens from now on, each answer to what its program asked for. */
export async function noteAnswers(page) {
  await page.addInitScript(() => {
    window.answers = [];
    const { open, send } = XMLHttpRequest.prototype;
    XMLHttpRequest.prototype.open = function (method, url, ...more) {
      this.address = url;
      return open.call(this, method, url, ...more);
    };
    XMLHttpRequest.prototype.send = function (sent) {
      // The program listens already, so this comes after it has dealt with the answer.
      this.addEventListener('loadend', () => window.answers.push({ address: this.address, sent: String(sent ?? '') }));
      return send.call(this, sent);
    };
  });
}

/** Waits until the program has dealt with an answer (or with having got none) of an address that ends like this, to what contains `sent`. */
export async function answered(page, address, sent = '') {
  await page.waitForFunction(
    ([end, part]) => window.answers.some((answer) => answer.address.endsWith(end) && answer.sent.includes(part)),
    [address, sent],
  );
}
