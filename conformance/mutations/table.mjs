#!/usr/bin/env node
// Which tests noticed which mutation.
//
//     node table.mjs OUT
//
// OUT is what `run` wrote: a folder for each mutation, and `unchanged` for the library as it is.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const EXAMPLES = 3; // names that are shown of each list

const [out] = process.argv.slice(2);
const folders = readdirSync(out, { withFileTypes: true }).filter((entry) => entry.isDirectory());
const names = folders.map(({ name }) => name).sort();
const mutations = names.filter((name) => name !== 'unchanged');
const fails = failures('unchanged').flatMap(({ tests }) => tests).length;
console.log(`unchanged: ${fails ? `${fails} tests FAILS BY ITSELF` : 'nothing fails'}`);
let noticed = 0;
for (const name of mutations) {
  const lists = failures(name);
  const isNoticed = lists.some(({ tests }) => tests.length);
  noticed += Number(isNoticed);
  console.log(`\n${name}: ${isNoticed ? 'noticed' : 'NOT NOTICED'}`);
  for (const { suite, tests } of lists) {
    console.log(`  ${suite}: ${tests.length} fail`);
    for (const test of tests.slice(0, EXAMPLES)) console.log(`    ${test}`);
    if (tests.length > EXAMPLES) console.log(`    and ${tests.length - EXAMPLES} more`);
  }
}
console.log(`\nmutations: ${noticed} of ${mutations.length} noticed`);

/// What failed unexpectedly, by suite and browser.
function failures(name) {
  const w3c = read(name, 'w3c').faults.map((fault) => fault.split(/, ours: /));
  const eme = read(name, 'eme').results.filter(({ outcome }) => outcome === 'failed');
  return ['firefox', 'chromium'].flatMap((browser) => [
    {
      suite: `W3C's tests in ${browser}`,
      tests: w3c.filter(([where]) => where === browser).map(([, what]) => what),
    },
    {
      suite: `own tests in ${browser}`,
      tests: eme
        .filter((one) => one.browser === browser)
        .map((one) => `${one.case}: ${one.why}`),
    },
  ]);
}

function read(name, suite) {
  return JSON.parse(readFileSync(path.join(out, name, suite, 'results.json'), 'utf8'));
}
