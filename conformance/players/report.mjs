// Keeps the results: a line for each on the screen, and two files.
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { PLAYERS } from './cases.mjs';
import { table } from './table.mjs';

const PACKAGES = new URL('../node_modules/', import.meta.url);

export class Report {
  browsers = {}; // their versions, by name
  #results = [];
  #start = new Date();

  add({ player, stream, manifest }, result) {
    const { browser, outcome, why, reason, seen, asked, seconds } = result;
    const { name, codecs, container, scheme, unknown } = stream;
    this.#results.push({
      browser,
      player,
      case: result.case,
      stream: { name, codecs, container, scheme, unknown },
      manifest,
      outcome,
      ...(why !== undefined && { why }),
      ...(reason && { reason }),
      seen,
      asked,
      seconds: Number(seconds.toFixed(2)),
    });
    console.log(line(this.#results.at(-1)));
  }

  get failed() {
    return this.#count('failed');
  }

  totals() {
    const count = (outcome) => `${this.#count(outcome)} ${outcome}`;
    return `players: ${count('passed')}, ${count('failed')}, ${count('skipped')}`;
  }

  /// Writes results.json and README.md.
  async write(folder, clearkey) {
    await mkdir(folder, { recursive: true });
    const about = {
      date: this.#start.toISOString(),
      seconds: Math.round((Date.now() - this.#start) / 1000),
      clearkey: execFileSync(clearkey, ['--version'], { encoding: 'utf8' }).trim(),
      browsers: this.browsers,
      packages: await versions(this.#results),
      totals: this.totals(),
    };
    const all = { ...about, results: this.#results };
    await writeFile(path.join(folder, 'results.json'), `${JSON.stringify(all, rounded, 1)}\n`);
    await writeFile(path.join(folder, 'README.md'), table(about, this.#results));
  }

  #count(outcome) {
    return this.#results.filter((one) => one.outcome === outcome).length;
  }
}

/// The versions of the packages that the players came in.
async function versions(results) {
  const players = [...new Set(results.map(({ player }) => player))];
  const names = players.flatMap((player) => PLAYERS[player].packages);
  const read = async (name) => {
    const text = await readFile(new URL(`${name}/package.json`, PACKAGES), 'utf8');
    return [name, JSON.parse(text).version];
  };
  return Object.fromEntries(await Promise.all(names.map(read)));
}

function line({ browser, outcome, why, reason, seconds, ...rest }) {
  const start = [outcome, browser.padEnd(8), `${seconds.toFixed(1)} s`.padStart(7)];
  const end = [why && ` - ${why}`, reason && ` (${reason})`].filter(Boolean).join('');
  return `${start.join(' ')}  ${rest.case}${end}`;
}

function rounded(_, value) {
  return typeof value === 'number' ? Number(value.toFixed(3)) : value;
}
