#!/usr/bin/env node
// Real players play what `clearkey encrypt` wrote, with licenses of `clearkey serve`.
//
//     node run.mjs [--clearkey FILE] [--browser NAME]... [--player NAME]... [--case REGEX] [--short]
//                  [--library FILE.so] [--expect FILE] [--work DIR] [--out DIR]
//
// Prints a line for each case and browser, and the totals. See ../README.md.
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { BROWSERS } from '../browsers/launch.mjs';
import { startServer } from '../browsers/license-server.mjs';
import { serve } from '../browsers/server.mjs';
import { readExpectations } from '../eme/judge.mjs';
import { Bench } from './bench.mjs';
import { PLAYERS, casesOf } from './cases.mjs';
import { Report } from './report.mjs';
import { routes } from './routes.mjs';
import { drawKeys, makeStream } from './streams.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.join(HERE, '..', '..');

const options = readArguments();
const jobs = options.browsers.map((browser) => ({ browser, cases: casesOf(browser, options) }));
const streams = [...new Set(jobs.flatMap(({ cases }) => cases.map(({ stream }) => stream)))];
if (streams.length === 0) stop('no case of that name');
const judge = await readExpectations(options.expect);
const report = new Report();
const work = options.work ?? (await mkdtemp(path.join(os.tmpdir(), 'players-')));
let [licenses, pages] = [null, null];
try {
  licenses = await prepare();
  pages = await serve(routes(HERE));
  for (const job of jobs) await runAll(job);
} finally {
  pages?.close();
  await licenses?.close();
  if (!options.work) await rm(work, { recursive: true, force: true });
}
if (options.out) await report.write(options.out, options.clearkey);
console.log(report.totals());
process.exit(report.failed ? 1 : 0);

/// Starts the server, and makes the streams, whose manifests say where it is.
async function prepare() {
  const media = path.join(work, 'media');
  await mkdir(media, { recursive: true });
  const keys = drawKeys(streams);
  const known = streams.filter(({ unknown }) => !unknown).flatMap(({ folder }) => keys[folder]);
  const keysFile = path.join(work, 'keys.txt');
  await writeFile(keysFile, known.map((pair) => `${pair}\n`).join(''));
  const server = await startServer(options.clearkey, { keysFile, media });
  try {
    for (const stream of streams) {
      const about = { media, work, keys: keys[stream.folder], license: server.url };
      await makeStream(options.clearkey, stream, about);
    }
  } catch (error) {
    await server.close();
    throw error;
  }
  return server;
}

async function runAll({ browser, cases }) {
  const library = browser === 'firefox' ? options.library : null;
  const bench = new Bench(browser, { library, pages, licenses });
  try {
    for (const one of cases) {
      const result = { browser, case: one.name, ...(await bench.run(one)) };
      report.add(one, judge(result));
    }
    report.browsers[browser] = library ? `${bench.version} with ${path.basename(library)}` : bench.version;
  } finally {
    await bench.close();
  }
}

function readArguments() {
  const text = { type: 'string' };
  const list = { type: 'string', multiple: true };
  const { values } = parseArgs({
    options: {
      browser: { ...list, default: BROWSERS },
      case: { ...text, default: '' },
      clearkey: { ...text, default: path.join(ROOT, 'target', 'release', 'clearkey') },
      expect: { ...text, default: path.join(HERE, 'expectations.json') },
      library: text,
      out: text,
      player: { ...list, default: Object.keys(PLAYERS) },
      short: { type: 'boolean', default: false },
      work: text,
    },
  });
  const known = (given, all) => given.every((one) => all.includes(one));
  if (!known(values.browser, BROWSERS)) stop(`browsers are ${BROWSERS.join(', ')}`);
  if (!known(values.player, Object.keys(PLAYERS))) {
    stop(`players are ${Object.keys(PLAYERS).join(', ')}`);
  }
  return {
    ...values,
    browsers: values.browser,
    players: values.player,
    pattern: new RegExp(values.case),
  };
}

function stop(message) {
  console.error(`players: ${message}`);
  process.exit(2);
}
