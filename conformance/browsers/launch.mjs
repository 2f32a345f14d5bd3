// Starts Debian's Chromium or Firefox, headless, with its own ClearKey or with a library in place
// of it.
import { chmod, copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';

import puppeteer from 'puppeteer-core';

import { layOut } from './gmp.mjs';
import { watch } from './processes.mjs';

const OPTIONS = { chromium, firefox };
const NOBODY = 65534; // Chromium has no sandbox for root
const LOG_LIMIT = 4 << 20; // characters of stderr that are kept

/// The names that `launch` knows.
export const BROWSERS = Object.keys(OPTIONS);

/// Launches a browser. `close` of the result removes all that it wrote, except a `profile` that
/// was given. `library` is a CDM to load, `preferences` are Firefox's, and `args` are more
/// switches; `variables` are for its environment. `sandbox` has Chromium keep its sandbox; Firefox
/// always has one around a CDM.
export async function launch(
  name,
  {
    library = null,
    profile = null,
    preferences = {},
    args = [],
    variables = {},
    sandbox = false,
  } = {},
) {
  const folder = await mkdtemp(path.join(os.tmpdir(), `conformance-${name}-`));
  try {
    const userDataDir = path.resolve(profile ?? path.join(folder, 'profile'));
    const home = path.join(folder, 'home');
    await Promise.all([userDataDir, home].map((made) => mkdir(made, { recursive: true })));
    const options = await OPTIONS[name]({ folder, library, preferences, sandbox });
    if (options.user) hand(options.user, [folder, userDataDir]);
    const { DISPLAY, WAYLAND_DISPLAY, ...environment } = process.env;
    const browser = await puppeteer.launch({
      ...options.puppeteer,
      args: [...(options.puppeteer.args ?? []), ...args],
      headless: true,
      userDataDir,
      env: { ...environment, HOME: home, ...options.environment, ...variables },
      timeout: 60_000,
      protocolTimeout: 240_000,
    });
    return await opened(browser, folder, options);
  } catch (error) {
    await remove(folder);
    throw error;
  }
}

/// Throws if a library was given to `launch` and no CDM process of the browser has loaded it yet.
/// Without this, a browser that fell back on its own ClearKey would pass for ours.
export function proveLibrary(browser) {
  if (!browser.library || browser.cdmProcesses().length) return;
  const others = [...browser.libraries()].map((file) => path.basename(file)).join(', ') || 'none';
  throw new Error(`${browser.version} ran no CDM from the library given (mapped: ${others})`);
}

async function opened(browser, folder, { library, keySystem }) {
  const child = browser.process();
  const processes = watch(child.pid);
  let log = '';
  for (const stream of [child.stderr, child.stdout]) {
    stream?.on('data', (text) => (log = (log + text).slice(-LOG_LIMIT)));
  }
  return {
    version: await browser.version(),
    pid: child.pid,
    keySystem,
    /// Where the copy of the library lies that this browser is to load; null without one.
    library,
    newPage: () => browser.newPage(),
    /// Whether the browser still answers.
    connected: () => browser.connected,
    /// All CDM libraries that any of its processes has mapped so far.
    libraries: processes.libraries,
    /// The CDM processes that had the given library mapped (any, without one), each as
    /// `{ pid, kind, Seccomp, NoNewPrivs, Uid, libraries }`, with what /proc said last.
    cdmProcesses: () =>
      processes.cdms().filter(({ libraries }) => !library || libraries.includes(library)),
    /// What it wrote so far.
    stderr: () => log,
    async close() {
      processes.stop();
      await Promise.race([browser.close().catch(() => {}), delay(10_000)]);
      child.kill('SIGKILL');
      await remove(folder);
    },
  };
}

async function chromium({ folder, library, sandbox }) {
  const binary = process.env.CHROMIUM ?? '/usr/lib/chromium/chromium';
  const isRoot = process.getuid() === 0;
  const args = [
    '--autoplay-policy=no-user-gesture-required',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-gpu',
    '--disable-quic',
    '--disable-sync',
    '--enable-logging=stderr',
    '--mute-audio',
    '--no-first-run',
  ];
  if (isRoot && !sandbox) args.push('--no-sandbox'); // Chromium refuses root otherwise
  const copy = library && path.join(folder, 'libclearkeycdm.so');
  if (library) {
    await copyFile(library, copy);
    // One of the two without the other has no effect.
    args.push('--enable-features=ExternalClearKeyForTesting');
    args.push(`--clear-key-cdm-path-for-testing=${copy}`);
  }
  const asNobody = isRoot && sandbox;
  return {
    puppeteer: {
      browser: 'chrome',
      executablePath: asNobody ? await wrapper(folder, binary) : binary,
      args,
    },
    user: asNobody ? NOBODY : null,
    library: copy,
    // Chromium's own ClearKey keeps the standard's name whatever is loaded.
    keySystem: library ? 'org.chromium.externalclearkey' : 'org.w3.clearkey',
  };
}

async function firefox({ folder, library, preferences }) {
  const plugin = library && (await layOut(library, folder));
  return {
    puppeteer: {
      browser: 'firefox',
      executablePath: process.env.FIREFOX ?? '/usr/lib/firefox-esr/firefox-esr',
      extraPrefsFirefox: {
        'media.autoplay.blocking_policy': 0,
        'media.autoplay.default': 0,
        'media.block-autoplay-until-in-foreground': false,
        'media.eme.enabled': true,
        'media.gmp-manager.updateEnabled': false, // no look-ups outside this machine
        'media.volume_scale': '0.01',
        ...preferences,
      },
    },
    environment: plugin ? { MOZ_GMP_PATH: plugin.folder } : {},
    library: plugin && plugin.library,
    keySystem: 'org.w3.clearkey',
  };
}

/// A script that runs `binary` as nobody, who has no rights that a sandbox would not take.
async function wrapper(folder, binary) {
  const script = path.join(folder, 'as-nobody');
  const user = `--reuid ${NOBODY} --regid ${NOBODY} --clear-groups --inh-caps=-all`;
  await writeFile(script, `#!/bin/sh\nexec setpriv ${user} "${binary}" "$@"\n`);
  await chmod(script, 0o755);
  return script;
}

function hand(user, folders) {
  execFileSync('chown', ['-R', `${user}:${user}`, ...folders]);
}

async function remove(folder) {
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

function delay(milliseconds) {
  return new Promise((done) => setTimeout(done, milliseconds).unref());
}
