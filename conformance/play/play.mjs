#!/usr/bin/env node
// Plays files in a real browser, as a page without any key would, and says whether they played.
//
//     node play.mjs chromium|firefox [--mse] [--mime TYPE] [--expect JSON] FILE [FILE...]
//
// Prints one JSON line per file and way of playing, and the totals. See ../README.md.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { BROWSERS, launch } from '../browsers/launch.mjs';
import { serve } from '../browsers/server.mjs';
import { isFragmented, mimeOf } from './mime.mjs';

const PLAYED = 1; // seconds; the page stops when it has got past them
const CONTRAST = 16; // of 255; a blank frame, whatever its colour, has nearly none
const PEAK = 0.01; // of 1; silence has none

const { name, files, mse, mime, expect } = readArguments();
const expectations = expect ? JSON.parse(await readFile(expect, 'utf8')) : [];
const jobs = (await Promise.all(files.map(ways))).flat();
const server = await serve(routes());
const browser = await launch(name);
const count = { passed: 0, failed: 0, skipped: 0 };
try {
  for (const job of jobs) count[await report(job)] += 1;
} finally {
  await browser.close();
  server.close();
}
const rest = count.skipped ? `, ${count.skipped} skipped` : '';
console.log(`${count.passed} passed, ${count.failed} failed${rest}`);
process.exit(count.failed ? 1 : 0);

function readArguments() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      expect: { type: 'string' },
      mime: { type: 'string' },
      mse: { type: 'boolean', default: false },
    },
  });
  const [name, ...files] = positionals;
  if (!BROWSERS.includes(name) || files.length === 0) {
    const options = '[--mse] [--mime TYPE] [--expect JSON]';
    console.error(`usage: play.mjs ${BROWSERS.join('|')} ${options} FILE [FILE...]`);
    process.exit(2);
  }
  return { name, files, ...values };
}

/// How a file is to be played: by `src`, and with --mse also by MediaSource if it has fragments.
async function ways(file, place) {
  const job = { file, url: address(file, place) };
  const twice = mse && (mime || (await isFragmented(file)));
  return (twice ? ['src', 'mse'] : ['src']).map((by) => ({ ...job, by }));
}

function address(file, place) {
  return `/${place}${path.extname(file)}`;
}

function routes() {
  const here = path.dirname(fileURLToPath(import.meta.url));
  return new Map([
    ...['page.html', 'page.js'].map((page) => [`/${page}`, path.join(here, page)]),
    ...files.map((file, place) => [address(file, place), path.resolve(file)]),
  ]);
}

/// Plays one file and prints its line. Returns what it counts as.
async function report(job) {
  let seen = {};
  let why;
  try {
    seen = await playInPage(job);
    why = faults(seen);
  } catch (error) {
    why = [String(error)];
  }
  const result = judge(job, why);
  const line = { browser: browser.version, file: job.file, by: job.by, ...result, ...seen };
  console.log(JSON.stringify(line, rounded));
  if (result.ok) return 'passed';
  return result.expected ? 'skipped' : 'failed';
}

async function playInPage({ file, url, by }) {
  const type = by === 'mse' ? (mime ?? (await mimeOf(file))) : null;
  const page = await browser.newPage();
  try {
    await page.goto(`${server.origin}/page.html`);
    return await page.evaluate((url, type) => play(url, type), url, type);
  } finally {
    await page.close();
  }
}

/// Everything that speaks against having played clear media.
function faults(seen) {
  const found = [];
  if (seen.keyEvents.length) found.push(`the page was asked for a key (${seen.keyEvents[0]})`);
  if (seen.error) found.push(seen.error);
  if (!seen.ended && seen.currentTime <= PLAYED) found.push(`stopped at ${seen.currentTime} s`);
  if (!seen.width && !seen.hasAudio) found.push('neither picture nor sound');
  if (seen.width && !seen.frames) found.push('no frame was decoded');
  if (seen.width && seen.contrast < CONTRAST) found.push(`frames are blank (${seen.contrast})`);
  if (seen.audioError) found.push(`audio does not decode: ${seen.audioError}`);
  if (seen.audioPeak < PEAK) found.push('audio is silent');
  return found;
}

/// Weighs the faults against what is known of this browser. A known failure that is none any more
/// is a fault itself, so that the list stays true.
function judge({ file, by }, why) {
  const known = expectations.find(
    (one) => one.browser === name && (one.by ?? by) === by && new RegExp(one.file).test(file),
  );
  if (known && why.length) return { ok: false, expected: known.reason, why };
  if (known) return { ok: false, why: [`plays, but was expected not to: ${known.reason}`] };
  return why.length ? { ok: false, why } : { ok: true };
}

function rounded(_, value) {
  return typeof value === 'number' ? Number(value.toFixed(3)) : value;
}
