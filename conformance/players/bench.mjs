// Runs cases in a browser, each in a page of its own.
import { launch, proveLibrary } from '../browsers/launch.mjs';
import { faults } from './judge.mjs';
import { difference } from '../browsers/license-server.mjs';

const PATIENCE = 60_000; // milliseconds for one case

export class Bench {
  version = null;
  #name;
  #options;
  #browser = null;

  constructor(name, options) {
    this.#name = name;
    this.#options = options;
  }

  /// Runs one case. Yields `{ why, seen, asked, seconds }`; without `why`, it passed.
  async run(one) {
    const { licenses } = this.#options;
    const start = performance.now();
    const before = await licenses.count();
    let [seen, why] = [null, undefined];
    try {
      this.#browser ??= await this.#launch();
      seen = await this.#play(one);
    } catch (error) {
      why = error.message;
      await this.close();
    }
    const asked = difference(before, await licenses.count());
    why ??= faults(one, seen, asked, { hears: this.#name === 'chromium' });
    return { why, seen, asked, seconds: (performance.now() - start) / 1000 };
  }

  async close() {
    await this.#browser?.close();
    this.#browser = null;
  }

  async #play({ player, file, page: tells }) {
    const { pages, licenses } = this.#options;
    const page = await this.#browser.newPage();
    try {
      await page.exposeFunction('photograph', (clip) => photograph(page, clip));
      await page.exposeFunction('recorded', () => null); // Firefox lets nobody hear
      await page.goto(`${pages.origin}/pages/${player}.html`);
      await page.waitForFunction('window.ready');
      const manifest = new URL(`media/${file}`, licenses.url).href;
      const license = tells ? licenses.url : null;
      const seen = await within(
        PATIENCE,
        page.evaluate((...addresses) => window.play(...addresses), manifest, license),
      );
      proveLibrary(this.#browser);
      return seen;
    } finally {
      await within(10_000, page.close()).catch(() => {});
    }
  }

  async #launch() {
    const browser = await launch(this.#name, { library: this.#options.library });
    this.version = browser.version;
    return browser;
  }
}

/// A part of the page as the screen has it, as a data URL.
async function photograph(page, clip) {
  return `data:image/png;base64,${await page.screenshot({ clip, encoding: 'base64' })}`;
}

/// A promise that has so many milliseconds to settle.
async function within(milliseconds, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    const error = new Error(`no answer within ${milliseconds / 1000} s`);
    timer = setTimeout(() => reject(error), milliseconds);
  });
  promise.catch(() => {}); // it may fail after its time
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
