// W3C's test files: which there are, what they are made of, and how they are served.
import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { typeOf } from '../browsers/server.mjs';

const TESTS = 'encrypted-media';
const FOLDERS = [TESTS, 'resources']; // all that the ClearKey tests load
const STANDARD = 'org.w3.clearkey';
const REPORT = fileURLToPath(new URL('testharnessreport.js', import.meta.url));
const SECONDS = { normal: 10, long: 60 }; // what testharness.js grants, times its multiplier

/// The tests whose names match `filter`, as `{ file, url, seconds }`.
export async function findTests(root, filter) {
  const names = (await readdir(path.join(root, TESTS))).filter((name) =>
    /^clearkey-.*\.html$/.test(name),
  );
  if (names.length === 0) throw new Error(`no ClearKey tests in the folder given: see wpt/fetch`);
  return Promise.all(
    names
      .filter((name) => filter.test(name))
      .sort()
      .map(async (file) => {
        const text = await readFile(path.join(root, TESTS, file), 'utf8');
        const long = /<meta\s+name="?timeout"?\s+content="?long/.test(text);
        return { file, url: `/${TESTS}/${file}`, seconds: long ? SECONDS.long : SECONDS.normal };
      }),
  );
}

/// Where the suite is from (as `fetch` noted it, or null), and SHA-256 of what `sha256sum` prints
/// for its files.
export async function identify(root) {
  const source = await readFile(path.join(root, 'SOURCE'), 'utf8').catch(() => null);
  const lists = await Promise.all(
    FOLDERS.map((folder) => readdir(path.join(root, folder), { recursive: true })),
  );
  const files = lists.flatMap((names, place) => names.map((name) => `${FOLDERS[place]}/${name}`));
  const digest = createHash('sha256');
  for (const file of files.sort()) {
    const bytes = await readFile(path.join(root, file)).catch(ignoreFolder);
    if (bytes) digest.update(`${createHash('sha256').update(bytes).digest('hex')}  ${file}\n`);
  }
  return { source: source?.trim() ?? null, sha256: digest.digest('hex') };
}

/// What `serve` needs: the suite's files, with its report script replaced by ours. Where the key
/// system has another name than the standard's, that name is put into pages and scripts.
export function resolver(root, keySystem) {
  return async (address) => {
    if (address === '/resources/testharnessreport.js') return REPORT;
    const file = path.join(root, path.normalize(address)); // an absolute path stays below its root
    const found = await stat(file).catch(() => null);
    if (!found?.isFile()) return undefined;
    if (keySystem === STANDARD || !/\.(html|js)$/.test(file)) return file;
    const text = await readFile(file, 'utf8');
    return { type: typeOf(file), text: text.replaceAll(STANDARD, keySystem) };
  };
}

/// Undoes in a name or a message what `resolver` replaced, and takes out the server's address.
export function original(text, keySystem, origin) {
  return text?.replaceAll(keySystem, STANDARD).replaceAll(origin, '') ?? null;
}

function ignoreFolder(error) {
  if (error.code !== 'EISDIR') throw error;
  return null;
}
