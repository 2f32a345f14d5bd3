// Runs the suite in one browser with one CDM, again and again.
import { launch, proveLibrary } from '../browsers/launch.mjs';
import { serve } from '../browsers/server.mjs';
import { original, resolver } from './suite.mjs';

const MULTIPLIER = 2; // as in testharnessreport.js
const GRACE = 15; // seconds on top, to load the page and to collect the results

/// Runs every test `repeat` times, each time in a new browser. Returns what was seen, and nothing
/// judged: `repetitions` has one list of `{ file, status, message, subtests }` per repetition.
export async function runSuite({ browser, cdm, library, sandbox, root, tests, repeat, tell }) {
  const options = { library: cdm === 'ours' ? library : null, sandbox };
  const session = new Session(browser, options, root);
  const repetitions = [];
  try {
    for (let turn = 1; turn <= repeat; turn++) {
      const results = [];
      for (const test of tests) {
        const result = await session.run(test);
        results.push(result);
        tell(result, turn);
      }
      await session.end();
      repetitions.push(results);
    }
  } finally {
    await session.end();
  }
  const { version, keySystem, proof } = session;
  return { browser, cdm, version, keySystem, proof, repetitions };
}

/// A browser that is started when it is needed, and left behind when a test hung or broke it.
class Session {
  #name;
  #options;
  #root;
  #browser = null;
  #server = null;

  constructor(name, options, root) {
    this.#name = name;
    this.#options = options;
    this.#root = root;
    this.version = null;
    this.keySystem = null;
    /// Whether the given library was loaded, what was heard if not, and how CDMs were confined.
    this.proof = { loaded: false, complaint: null, seccomp: [] };
  }

  /// Runs one file. A browser that hangs or dies is a result, not an error.
  async run(test) {
    await this.#begin();
    const result = await runFile(this.#browser, `${this.#server.origin}${test.url}`, test.seconds);
    const back = (text) => original(text, this.keySystem, this.#server.origin);
    const mapped = {
      file: test.file,
      status: result.status,
      message: back(result.message),
      subtests: result.subtests.map(({ name, status, message }) => ({
        name: back(name),
        status,
        message: back(message),
      })),
    };
    if (result.lost) await this.end();
    return mapped;
  }

  async #begin() {
    if (this.#browser) return;
    this.#browser = await launch(this.#name, this.#options);
    this.version = this.#browser.version;
    this.keySystem = this.#browser.keySystem;
    this.#server = await serve(resolver(this.#root, this.keySystem));
  }

  /// Closes the browser, and notes first which library it had loaded.
  async end() {
    const [browser, server] = [this.#browser, this.#server];
    [this.#browser, this.#server] = [null, null];
    if (!browser) return;
    try {
      proveLibrary(browser);
      this.proof.loaded = this.#options.library !== null;
    } catch (error) {
      this.proof.complaint = error.message;
    }
    const confined = browser.cdmProcesses().map(({ Seccomp }) => Seccomp);
    this.proof.seccomp = [...new Set([...this.proof.seccomp, ...confined])].sort();
    await browser.close();
    server?.close();
  }
}

/// Opens one test in a page of its own. `lost` says that the browser is of no use any more.
async function runFile(browser, url, seconds) {
  const patience = (seconds * MULTIPLIER + GRACE) * 1000;
  const crash = {};
  const crashed = new Promise((_, fail) => (crash.tell = fail));
  crashed.catch(() => {}); // it may come too late to be of interest
  try {
    return await Promise.race([inPage(browser, url, patience, crash.tell), crashed]);
  } catch (error) {
    const dead = !browser.connected() || error.crash;
    const status = dead ? 'CRASH' : 'TIMEOUT';
    return { status, message: error.message, subtests: [], lost: true };
  }
}

async function inPage(browser, url, patience, tellCrash) {
  const page = await within(patience, 'open a page', browser.newPage());
  page.on('error', (error) => tellCrash(Object.assign(error, { crash: true })));
  await within(patience, 'load the test', page.goto(url, { waitUntil: 'domcontentloaded' }));
  const waiting = page.waitForFunction(() => window.w3c, { polling: 100, timeout: 0 });
  const handle = await within(patience, 'finish the test', waiting);
  const result = await within(patience, 'report the results', handle.jsonValue());
  const closed = within(10_000, 'close the page', page.close());
  return { ...result, lost: await closed.then(() => false, () => true) };
}

/// The outcome of `promise`, or an error that says what took too long.
function within(milliseconds, what, promise) {
  let timer;
  const late = new Promise((_, fail) => {
    const error = new Error(`the browser did not ${what} within ${milliseconds / 1000} s`);
    timer = setTimeout(() => fail(error), milliseconds);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
