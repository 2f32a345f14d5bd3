#!/usr/bin/env node
// Tests of Encrypted Media Extensions in real browsers, with our CDM library or the browser's own.
//
//     node run.mjs [--browser NAME]... [--cdm own|ours]... [--library FILE.so] [--case REGEX]
//                  [--short] [--sandbox] [--minutes N] [--media DIR] [--expect FILE] [--out DIR]
//
// Prints a line for each case and browser, and the totals. See ../README.md.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { BROWSERS } from '../browsers/launch.mjs';
import { serve } from '../browsers/server.mjs';
import { Bench } from './bench.mjs';
import { readCases } from './cases.mjs';
import { readExpectations } from './judge.mjs';
import { Report } from './report.mjs';
import { routes } from './routes.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const ROOT = path.join(HERE, '..', '..');

const options = readArguments();
const cases = await readCases(path.join(HERE, 'cases'), options);
if (cases.length === 0) stop('no case of that name');
const judge = await readExpectations(options.expect);
const server = await serve(routes(HERE, options.media));
const report = new Report();
if (options.cdms.includes('ours')) await report.nameLibrary(options.library);
try {
  for (const browser of options.browsers) {
    for (const cdm of options.cdms) await runAll({ browser, cdm });
  }
} finally {
  server.close();
}
if (options.out) await report.write(options.out);
console.log(report.totals());
process.exit(report.failed ? 1 : 0);

async function runAll(target) {
  const library = target.cdm === 'ours' ? options.library : null;
  const { sandbox, minutes } = options;
  const keys = await readKeys();
  const bench = new Bench(target.browser, { library, sandbox, minutes, keys, server });
  try {
    for (const one of cases) {
      const result = { ...target, case: one.name, ...(await bench.run(one)) };
      report.add(judge(result));
      report.browsers[target.browser] ??= bench.version;
    }
    if (library) report.processes[target.browser] = bench.confinement;
  } finally {
    await bench.close();
  }
}

/// All keys of the media.
async function readKeys() {
  const manifest = JSON.parse(await readFile(path.join(options.media, 'manifest.json'), 'utf8'));
  return Object.fromEntries(manifest.flatMap(({ keys }) => keys.map((pair) => pair.split(':'))));
}

function readArguments() {
  const text = { type: 'string' };
  const list = { type: 'string', multiple: true };
  const flag = { type: 'boolean', default: false };
  const { values } = parseArgs({
    options: {
      browser: { ...list, default: BROWSERS },
      case: { ...text, default: '' },
      cdm: { ...list, default: ['ours'] },
      library: { ...text, default: path.join(ROOT, 'target', 'release', 'libclearkeycdm.so') },
      expect: { ...text, default: path.join(HERE, 'expectations.json') },
      media: { ...text, default: path.join(ROOT, 'fixtures', 'media') },
      minutes: text,
      out: text,
      sandbox: flag,
      short: flag,
    },
  });
  const minutes = Number(values.minutes ?? (values.short ? 0.2 : 30));
  const known = (given, all) => given.every((one) => all.includes(one));
  if (!known(values.browser, BROWSERS)) stop(`browsers are ${BROWSERS.join(', ')}`);
  if (!known(values.cdm, ['own', 'ours'])) stop('--cdm is own or ours');
  if (!(minutes > 0)) stop('--minutes is a number');
  return {
    ...values,
    browsers: values.browser,
    cdms: values.cdm,
    pattern: new RegExp(values.case),
    minutes,
  };
}

function stop(message) {
  console.error(`eme: ${message}`);
  process.exit(2);
}
