#!/usr/bin/env node
// Uses the player page of `clearkey serve` in real browsers, with the CDMs they bring, and with a
// library if one is given.
//
//     node run.mjs --clearkey BIN [--library LIB] [--browser chromium|firefox] [--case REGEX] [--screenshot PNG]
//
// --screenshot writes the picture for the README. Prints a line for each case, and the totals.
import { mkdtemp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

import { BROWSERS, launch, proveLibrary } from '../browsers/launch.mjs';
import { startServer } from '../browsers/license-server.mjs';
import { CASES } from './cases.mjs';
import { open } from './driver.mjs';
import { LIBRARY_CASES, withLibrary } from './library.mjs';
import { makeStreams } from './media.mjs';
import { takeScreenshot } from './screenshot.mjs';

const ELSEWHERE = 'clearkey.test'; // a name for this machine that no browser takes for secure
const UNRELATED = '20000000200020002000200000000001:00000000000000000000000000000001';

const options = readArguments();
const folder = await mkdtemp(path.join(os.tmpdir(), 'conformance-page-'));
const started = [];
const count = { passed: 0, failed: 0 };
try {
  const servers = await startServers();
  const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  for (const name of options.browsers) {
    await testIn(name, {}, CASES, { servers, axe });
    if (options.library)
      await testIn(name, withLibrary(options.library), LIBRARY_CASES, { servers });
  }
  if (options.screenshot) await takeScreenshot(options.clearkey, folder, options.screenshot);
} finally {
  await Promise.all(started.map((server) => server.close()));
  await rm(folder, { recursive: true, force: true });
}
console.log(`page: ${count.passed} passed, ${count.failed} failed`);
process.exit(count.failed || !count.passed ? 1 : 0);

function readArguments() {
  const { values } = parseArgs({
    options: {
      browser: { type: 'string', multiple: true, default: BROWSERS },
      case: { type: 'string', default: '' },
      clearkey: { type: 'string' },
      library: { type: 'string' },
      screenshot: { type: 'string' },
    },
  });
  if (!values.clearkey || !values.browser.every((name) => BROWSERS.includes(name))) {
    console.error(
      `usage: run.mjs --clearkey BIN [--library LIB] [--browser ${BROWSERS.join('|')}] [--case REGEX] [--screenshot PNG]`,
    );
    process.exit(2);
  }
  return {
    browsers: values.browser,
    clearkey: path.resolve(values.clearkey),
    library: values.library && path.resolve(values.library),
    pattern: new RegExp(values.case),
    screenshot: values.screenshot,
  };
}

/// Servers with the right keys, with others, with wrong ones, and one without streams: their addresses.
async function startServers() {
  const [media, empty] = [path.join(folder, 'media'), path.join(folder, 'empty')];
  await Promise.all([mkdir(media), mkdir(empty)]);
  const right = await makeStreams(media, options.clearkey);
  const wrong = right.map((line) => line.replace(/:.*/, `:${'5a'.repeat(16)}`));
  const wanted = {
    right: { keys: right, media },
    wrong: { keys: wrong, media },
    unknown: { keys: [UNRELATED], media },
    empty: { keys: right, media: empty },
  };
  const servers = {};
  for (const [name, { keys, media }] of Object.entries(wanted)) {
    const keysFile = path.join(folder, `${name}.keys`);
    await writeFile(keysFile, `${keys.join('\n')}\n`);
    const server = await startServer(options.clearkey, { keysFile, media });
    started.push(server);
    servers[name] = server.url;
  }
  return servers;
}

async function testIn(name, how, cases, tools) {
  const args = name === 'chromium' ? [`--host-resolver-rules=MAP ${ELSEWHERE} 127.0.0.1`] : [];
  const browser = await launch(name, { ...how, args });
  const { keySystem, version } = browser;
  try {
    for (const one of cases) {
      if (!options.pattern.test(one.name) || (one.only ?? name) !== name) continue;
      const why = await fault(one, { ...tools, name, browser, keySystem, elsewhere: ELSEWHERE });
      count[why ? 'failed' : 'passed'] += 1;
      console.log(`${why ? 'FAILED' : 'ok'}  ${version}  ${one.name}${why ? `\n  ${why}` : ''}`);
    }
  } finally {
    await browser.close();
  }
}

/// Why a case fails; null if it does not. Whatever it is about, the pages must ask no other server,
/// and throw no error that nobody catches.
async function fault({ run }, tools) {
  const pages = [];
  const visit = async (address, view) => {
    const page = await open(tools.browser, address, view);
    pages.push({ page, origin: new URL(address).origin });
    return page;
  };
  try {
    await run({ ...tools, visit });
    proveLibrary(tools.browser);
    for (const { page, origin } of pages) {
      const others = page.requests.filter(
        (url) => /^(https?|wss?):/.test(url) && new URL(url).origin !== origin,
      );
      if (others.length) return `asked elsewhere: ${others.join(', ')}`;
      if (page.requests.length < 3) return 'the requests of the page were not seen';
      if (page.problems.length) return `errors in the page: ${page.problems.join('; ')}`;
    }
    return null;
  } catch (error) {
    return error.message;
  } finally {
    await Promise.all(pages.map(({ page }) => page.page.close()));
  }
}
