#!/usr/bin/env node
// Lays a CDM library out as the plug-in folder that Firefox loads ClearKey from.
//
//     node gmp.mjs LIBRARY DIR
//
// Makes DIR/gmp-clearkey/0.1 and prints its path, which is what MOZ_GMP_PATH has to hold.
import { copyFile, mkdir, realpath, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/// Firefox looks for this name, and takes its own ClearKey without a word if the manifest does not
/// please it: another interface version than 10 or 11, for instance.
const LIBRARY = 'libclearkey.so';
const MANIFEST = {
  name: 'clearkey',
  description: 'ClearKey Gecko Media Plugin',
  version: '1',
  'x-cdm-module-versions': '4',
  'x-cdm-interface-versions': '11',
  'x-cdm-host-versions': '11',
  'x-cdm-codecs': '',
};

/// Makes the folder below `parent`. Returns its path, and that of the library's copy in it.
export async function layOut(library, parent) {
  const folder = path.resolve(parent, 'gmp-clearkey', '0.1');
  await mkdir(folder, { recursive: true });
  const copy = path.join(folder, LIBRARY);
  await copyFile(library, copy);
  await writeFile(path.join(folder, 'manifest.json'), `${JSON.stringify(MANIFEST, null, 2)}\n`);
  return { folder, library: copy };
}

if (process.argv[1] && (await realpath(process.argv[1])) === fileURLToPath(import.meta.url)) {
  const [library, parent] = process.argv.slice(2);
  if (!parent) {
    console.error('usage: gmp.mjs LIBRARY DIR');
    process.exit(2);
  }
  console.log((await layOut(library, parent)).folder);
}
