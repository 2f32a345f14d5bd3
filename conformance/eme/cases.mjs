// Collects the cases. The modules in cases/ are read here for the names, and run in the page.
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

const SECONDS = 20; // that a step has, if the case says nothing

/// All cases that are wanted: `{ name, module, steps, seconds, soak }`, `steps` being their number.
export async function readCases(folder, { pattern, short }) {
  const modules = (await readdir(folder)).filter((name) => name.endsWith('.mjs')).sort();
  const all = await Promise.all(modules.map((module) => readModule(folder, module)));
  const names = all.flat().map(({ name }) => name);
  const twice = names.find((name, place) => names.indexOf(name) !== place);
  if (twice) throw new Error(`two cases have the name "${twice}"`);
  return all.flat().filter((one) => pattern.test(one.name) && (one.short || !short));
}

async function readModule(folder, module) {
  const { cases } = await import(pathToFileURL(path.join(folder, module)));
  return cases.map(({ steps, seconds = SECONDS, ...rest }) => ({
    ...rest,
    module,
    seconds,
    steps: steps?.length ?? 1,
  }));
}
