#!/usr/bin/env node
// CPU time per megabyte of Firefox's CDM process while it plays a long stream, with its own ClearKey and
// with ours: the cipher, and all that it takes to get a sample in and out.
//
//     node firefox.mjs FILE KID:KEY [LIBRARY]
//
// FILE is a fragmented MP4 file with protected AVC video, such as ../large/make-large.sh makes. The two
// take turns. Needs `npm --prefix ../../conformance ci`.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { launch, proveLibrary } from '../../conformance/browsers/launch.mjs';
import { serve } from '../../conformance/browsers/server.mjs';

const TURNS = 5;
const RATE = 4; // times as fast as the stream is meant to play

const here = path.dirname(fileURLToPath(import.meta.url));
const [file, key, library = path.join(here, '../../target/release/libclearkeycdm.so')] =
  process.argv.slice(2);
if (!/^[0-9a-f]{32}:[0-9a-f]{32}$/.test(key ?? '')) {
  console.error('usage: firefox.mjs FILE KID:KEY [LIBRARY]');
  process.exit(2);
}
const server = await serve(
  new Map([
    ['/page.html', path.join(here, 'page.html')],
    ['/page.mjs', path.join(here, 'page.mjs')],
    ['/octets.mjs', path.join(here, '../../conformance/eme/page/octets.mjs')],
    ['/stream.mp4', path.resolve(file)],
  ]),
);
try {
  const figures = { own: [], ours: [] };
  for (let turn = 0; turn < TURNS; turn += 1) {
    figures.own.push(await measure(null));
    figures.ours.push(await measure(path.resolve(library)));
  }
  const ratios = figures.own.map((own, turn) => own / figures.ours[turn]);
  console.log(`ms of CPU per MB, ${TURNS} turns`);
  for (const [name, all] of Object.entries(figures)) {
    console.log(`${name}: median ${median(all).toFixed(2)} of ${all.map(short).join(' ')}`);
  }
  console.log(`own / ours: median ${median(ratios).toFixed(2)} of ${ratios.map(short).join(' ')}`);
} finally {
  server.close();
}

/// Milliseconds of CPU per megabyte of the CDM process, from the license to the end of the stream.
async function measure(library) {
  const browser = await launch('firefox', { library });
  try {
    const page = await browser.newPage();
    await page.goto(`${server.origin}/page.html`);
    await page.waitForFunction(() => window.playAll);
    await page.evaluate((system, key) => window.prepare(system, key), browser.keySystem, key);
    proveLibrary(browser);
    const processes = browser.cdmProcesses();
    if (processes.length !== 1) throw new Error(`${processes.length} CDM processes`);
    const before = cpuTime(processes[0].pid);
    const { octets, frames } = await page.evaluate((rate) => window.playAll(rate), RATE);
    const time = cpuTime(processes[0].pid) - before;
    if (frames < 100) throw new Error(`${frames} frames were decoded`);
    return time / (octets / 1e6);
  } finally {
    await browser.close();
  }
}

/// Milliseconds of CPU of all threads of a process that live.
function cpuTime(pid) {
  const threads = readdirSync(`/proc/${pid}/task`);
  const time = (thread) => readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0];
  return threads.reduce((sum, thread) => sum + Number(time(thread)), 0) / 1e6;
}

function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

function short(value) {
  return value.toFixed(2);
}
