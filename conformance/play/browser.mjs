// Starts Debian's Chromium or Firefox, headless, with a home and a profile that nobody used before.
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

import puppeteer from 'puppeteer-core';

const OPTIONS = { chromium, firefox };

/// The names that `launch` knows.
export const BROWSERS = Object.keys(OPTIONS);

/// Launches a browser. `close` of the result also removes all that it wrote.
export async function launch(name) {
  const folder = await mkdtemp(path.join(os.tmpdir(), `play-${name}-`));
  const { DISPLAY, WAYLAND_DISPLAY, ...environment } = process.env;
  const browser = await puppeteer.launch({
    ...OPTIONS[name](),
    headless: true,
    userDataDir: path.join(folder, 'profile'),
    env: { ...environment, HOME: folder },
    timeout: 60_000,
    protocolTimeout: 240_000,
  });
  return {
    version: await browser.version(),
    newPage: () => browser.newPage(),
    close: () => close(browser, folder),
  };
}

function chromium() {
  const args = [
    '--autoplay-policy=no-user-gesture-required',
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-gpu',
    '--disable-quic',
    '--disable-sync',
    '--mute-audio',
    '--no-first-run',
  ];
  if (process.getuid() === 0) args.push('--no-sandbox'); // Chromium refuses root otherwise
  const executablePath = process.env.CHROMIUM ?? '/usr/lib/chromium/chromium';
  return { browser: 'chrome', executablePath, args };
}

function firefox() {
  return {
    browser: 'firefox',
    executablePath: process.env.FIREFOX ?? '/usr/lib/firefox-esr/firefox-esr',
    extraPrefsFirefox: {
      'media.autoplay.blocking_policy': 0,
      'media.autoplay.default': 0,
      'media.block-autoplay-until-in-foreground': false,
      'media.gmp-manager.updateEnabled': false, // no look-ups outside this machine
    },
  };
}

async function close(browser, folder) {
  const child = browser.process();
  await Promise.race([browser.close().catch(() => {}), delay(10_000)]);
  child?.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}

function delay(milliseconds) {
  return new Promise((done) => setTimeout(done, milliseconds).unref());
}
