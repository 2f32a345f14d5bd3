#!/usr/bin/env node
// Runs W3C's ClearKey tests in real browsers, with their own CDM and with our library.
//
//     node run.mjs --wpt DIR [--browser NAME]... [--cdm own|ours]... [--library FILE]
//                  [--filter REGEX] [--repeat N] [--out DIR] [--expect FILE] [--sandbox]
//
// Exits 0 if every subtest did as expectations.json says. See ../README.md.
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { BROWSERS } from '../browsers/launch.mjs';
import { htmlReport } from './report-html.mjs';
import { closing, textReport, totalsOf } from './report-text.mjs';
import { casesOf, checkExpectations, judge, merge } from './results.mjs';
import { runSuite } from './runner.mjs';
import { findTests, identify } from './suite.mjs';

const CDMS = ['own', 'ours'];
const USAGE = `usage: run.mjs --wpt DIR [--browser ${BROWSERS.join('|')}]... [--cdm own|ours]...
               [--library FILE] [--filter REGEX] [--repeat N] [--out DIR] [--expect FILE]
               [--sandbox]`;

const options = readArguments();
process.once('SIGTERM', () => process.exit(143)); // or only the browser would end
const expectations = JSON.parse(await readFile(options.expect, 'utf8'));
checkExpectations(expectations);
const results = await collect();
const judgement = judge(casesOf(results.runs), expectations);
judgement.faults.unshift(...results.runs.flatMap(unproven));
if (options.out) await write(options.out);
for (const run of results.runs) console.log(totalsOf(run, judgement.judged));
for (const fault of judgement.faults) console.log(`fault: ${fault}`);
console.log(closing(judgement));
process.exit(judgement.faults.length ? 1 : 0);

function readArguments() {
  const here = path.dirname(fileURLToPath(import.meta.url));
  try {
    const { values } = parseArgs({
      options: {
        browser: { type: 'string', multiple: true, default: BROWSERS },
        cdm: { type: 'string', multiple: true, default: CDMS },
        expect: { type: 'string', default: path.join(here, 'expectations.json') },
        filter: { type: 'string', default: '' },
        library: {
          type: 'string',
          default: path.join(here, '../../target/release/libclearkeycdm.so'),
        },
        out: { type: 'string' },
        repeat: { type: 'string', default: '1' },
        sandbox: { type: 'boolean', default: false },
        wpt: { type: 'string' },
      },
    });
    const repeat = Number(values.repeat);
    const known =
      values.wpt &&
      values.browser.every((name) => BROWSERS.includes(name)) &&
      values.cdm.every((cdm) => CDMS.includes(cdm)) &&
      Number.isInteger(repeat) &&
      repeat > 0;
    if (!known) throw new Error('a required or unknown value');
    return { ...values, repeat, filter: new RegExp(values.filter) };
  } catch (error) {
    console.error(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

/// Runs the suite in each browser with each CDM. All of them get one copy of the library, which is
/// the one that was hashed.
async function collect() {
  const { wpt, repeat, sandbox } = options;
  const tests = await findTests(wpt, options.filter);
  if (tests.length === 0) throw new Error('no test has a name that matches --filter');
  const folder = await mkdtemp(path.join(os.tmpdir(), 'w3c-'));
  try {
    const library = options.cdm.includes('ours') ? path.join(folder, 'libclearkeycdm.so') : null;
    if (library) await copyFile(options.library, library);
    const runs = [];
    for (const browser of options.browser) {
      for (const cdm of options.cdm) {
        const tell = (result, turn) => report(`${browser}, ${cdm}, ${turn} of ${repeat}`, result);
        const job = { browser, cdm, library, sandbox, root: wpt, tests, repeat, tell };
        runs.push(merge(await runSuite(job)));
      }
    }
    return {
      date: new Date().toISOString(),
      suite: await identify(wpt),
      library: library && { sha256: await sha256(library) },
      repeat,
      sandbox,
      runs,
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/// Prints what did not pass, as it happens.
function report(where, { file, status, message, subtests }) {
  if (status !== 'OK') console.log(`${where}: ${status} ${file}: ${message}`);
  for (const one of subtests.filter((subtest) => subtest.status !== 'PASS')) {
    console.log(`${where}: ${one.status} ${file}: ${one.name}: ${one.message}`);
  }
}

/// What is missing for a proof that the library was used, and confined where that was asked.
function unproven({ browser, cdm, proof }) {
  const faults = [];
  if (cdm === 'ours' && !proof.loaded) faults.push(`${browser}, ours: ${proof.complaint}`);
  const confined = options.sandbox || browser === 'firefox';
  if (proof.loaded && confined && !proof.seccomp.includes(2)) {
    faults.push(`${browser}, ours: no CDM process has a seccomp filter`);
  }
  return faults;
}

async function write(folder) {
  await mkdir(folder, { recursive: true });
  const { totals, faults } = judgement;
  const json = JSON.stringify({ ...results, totals, faults }, null, 1);
  const files = {
    'results.json': `${json}\n`,
    'report.txt': textReport(results, judgement),
    'report.html': htmlReport(results, judgement),
  };
  for (const [name, text] of Object.entries(files)) {
    await writeFile(path.join(folder, name), text);
  }
}

async function sha256(file) {
  return createHash('sha256').update(await readFile(file)).digest('hex');
}
