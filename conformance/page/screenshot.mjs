// The picture of the player page for the README.
import { execFileSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { launch } from '../browsers/launch.mjs';
import { startServer } from '../browsers/license-server.mjs';
import { open } from './driver.mjs';

const CLEAR = fileURLToPath(new URL('../../fixtures/clear/', import.meta.url));
const FILMS = [
  ['avc_aac_frag.mp4', 'film_cenc.mp4', '--scheme', 'cenc'],
  ['avc_aac_frag.mp4', 'film_cbcs.mp4', '--scheme', 'cbcs'],
  ['vp9_opus.webm', 'film.webm'],
];
const KEYS = [
  '--track',
  'video=10000000100010001000100000000001:3a2a1b68dd2bd9b2eeb25e84c4776668',
  '--track',
  'audio=10000000100010001000100000000002:550727de4c96ef1ecff874905493580f',
];

/// Writes a PNG of the page while a stream with two keys plays in Chromium.
export async function takeScreenshot(clearkey, parent, file) {
  const folder = path.join(parent, 'films');
  await mkdir(folder);
  for (const [clear, film, ...scheme] of FILMS) {
    const out = path.join(folder, film);
    execFileSync(clearkey, [
      'encrypt',
      path.join(CLEAR, clear),
      '-o',
      out,
      ...scheme,
      ...KEYS,
      '--quiet',
    ]);
  }
  const keys = KEYS.filter((one) => one.includes('=')).map((one) => one.split('=')[1]);
  const keysFile = path.join(parent, 'films.keys');
  await writeFile(keysFile, `${keys.join('\n')}\n`);
  const server = await startServer(clearkey, { keysFile, media: folder });
  const browser = await launch('chromium');
  try {
    const page = await open(browser, server.url, { width: 1200, height: 1040 });
    await page.play('film_cenc.mp4');
    await page.moving();
    // By then the browser has faded its controls out.
    await page.until(
      () => document.querySelector('video').currentTime > 3.2,
      'it plays for a while',
    );
    await page.page.screenshot({ path: file });
  } finally {
    await browser.close();
    await server.close();
  }
}
