// Runs cases in a browser: each in a page of its own, and in a browser of its own if it restarts
// or is listened to.
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import { launch, proveLibrary } from '../browsers/launch.mjs';
import { makeLoudspeaker } from './loudspeaker.mjs';
import { soak } from './soak.mjs';

// Firefox has persistent sessions for who asks for them.
const PREFERENCES = { 'media.clearkey.persistent-license.enabled': true };

export class Bench {
  version = null;
  confinement = null; // of the process that runs the library
  #name;
  #options;
  #browser = null;
  #panic;

  constructor(name, options) {
    this.#name = name;
    this.#options = options;
  }

  /// Runs one case. Yields `{ why, notes, seconds }`; without `why`, it passed.
  async run(one) {
    const start = performance.now();
    const notes = [];
    this.#panic = undefined;
    let why;
    try {
      if (one.steps > 1 && !one.soak) await this.#runWithRestarts(one, notes);
      else if (one.sound && this.#name === 'firefox') await this.#runAlone(one, notes);
      else await this.#runWithOthers(one, notes);
    } catch (error) {
      why = error.message;
    }
    why = this.#panic ?? why;
    return { why, notes, seconds: (performance.now() - start) / 1000 };
  }

  async close() {
    await this.#browser?.close();
    this.#browser = null;
  }

  async #runWithOthers(one, notes) {
    this.#browser ??= await this.#launch();
    try {
      await this.#inPage(this.#browser, notes, async (page) => {
        if (one.soak) await soak(this.#browser, this.#options, page, one, notes);
        else await page.step(one, 0, null);
      });
    } catch (error) {
      if (error.fatal || !this.#browser.connected()) await this.close();
      throw error;
    }
  }

  async #runAlone(one, notes) {
    const browser = await this.#launch({ records: true });
    try {
      await this.#inPage(browser, notes, (page) => page.step(one, 0, null));
    } finally {
      await browser.close();
    }
  }

  async #runWithRestarts(one, notes) {
    const profile = await mkdtemp(path.join(os.tmpdir(), 'eme-profile-'));
    try {
      let state = null;
      for (let step = 0; step < one.steps; step += 1) {
        const browser = await this.#launch({ profile });
        try {
          await this.#inPage(browser, notes, async (page) => {
            state = await page.step(one, step, state);
          });
        } catch (error) {
          throw new Error(`step ${step + 1}: ${error.message}`);
        } finally {
          await browser.close();
        }
      }
    } finally {
      await rm(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    }
  }

  /// Opens a page and hands out how to run steps in it. What ran there must have been the
  /// library's doing, and must not have made it panic.
  async #inPage(browser, notes, work) {
    const before = browser.stderr().length;
    const page = await within(15, 'a new page', browser.newPage());
    try {
      await page.exposeFunction('photograph', (clip) => photograph(page, clip));
      await page.exposeFunction('recorded', browser.recorded);
      await within(15, 'the page', page.goto(`${this.#options.server.origin}/page/page.html`));
      await within(15, 'the page', page.waitForFunction('window.ready'));
      await work({ step: (...step) => this.#step(browser, page, notes, ...step) });
      proveLibrary(browser);
    } finally {
      this.#panic ??= /panicked at .*/.exec(browser.stderr().slice(before))?.[0];
      this.confinement = browser.cdmProcesses().map(describe).at(-1) ?? this.confinement;
      await within(10, 'the end of the page', page.close()).catch(() => {});
    }
  }

  async #step({ keySystem }, page, notes, { module, name, seconds }, step, state) {
    const call = { module, name, step, state, keySystem, keys: this.#options.keys };
    const run = page.evaluate((argument) => window.runStep(argument), call);
    let result;
    try {
      result = await within(seconds, 'the page', run);
    } catch (error) {
      const said = page.evaluate(() => window.notes);
      notes.push(...(await within(2, 'notes', said).catch(() => [])));
      throw error;
    }
    notes.push(...result.notes);
    if (result.why !== undefined) throw new Error(result.why);
    return result.value;
  }

  async #launch({ profile = null, records = false } = {}) {
    const { library, sandbox } = this.#options;
    const loudspeaker = await makeLoudspeaker({ records });
    try {
      const browser = await launch(this.#name, {
        library,
        profile,
        sandbox,
        preferences: { ...PREFERENCES, ...loudspeaker.preferences },
        variables: loudspeaker.variables,
      });
      this.version = browser.version;
      const close = () => browser.close().finally(loudspeaker.remove);
      return { ...browser, recorded: loudspeaker.samples, close };
    } catch (error) {
      await loudspeaker.remove();
      throw error;
    }
  }
}

function describe({ kind, Seccomp, NoNewPrivs, Uid }) {
  return `${kind}, Seccomp ${Seccomp}, NoNewPrivs ${NoNewPrivs}, Uid ${Uid}`;
}

/// A part of the page as the screen has it, as a data URL.
async function photograph(page, clip) {
  return `data:image/png;base64,${await page.screenshot({ clip, encoding: 'base64' })}`;
}

/// A promise that has so many seconds to settle. After that the browser is of no more use.
async function within(seconds, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    const error = new Error(`${what}: no answer within ${seconds} s`);
    timer = setTimeout(() => reject(Object.assign(error, { fatal: true })), seconds * 1000);
  });
  promise.catch(() => {}); // it may fail after its time
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
