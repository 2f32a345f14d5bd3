// Keeps the results in two files.
import { execFileSync } from 'node:child_process';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { Outcomes } from '../browsers/outcomes.mjs';
import { PLAYERS } from './cases.mjs';
import { table } from './table.mjs';

const PACKAGES = new URL('../node_modules/', import.meta.url);

export class Report extends Outcomes {
  constructor() {
    super('players');
  }

  add({ player, stream, manifest }, { browser, outcome, why, reason, seen, asked, seconds, ...result }) {
    const { name, codecs, container, scheme, unknown } = stream;
    this.keep({
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
      seconds,
    });
  }

  /// Writes results.json and README.md.
  async write(folder, clearkey) {
    await mkdir(folder, { recursive: true });
    const about = {
      ...this.time(),
      clearkey: execFileSync(clearkey, ['--version'], { encoding: 'utf8' }).trim(),
      browsers: this.browsers,
      packages: await versions(this.results),
      totals: this.totals(),
    };
    const all = { ...about, results: this.results };
    await writeFile(path.join(folder, 'results.json'), `${JSON.stringify(all, rounded, 1)}\n`);
    await writeFile(path.join(folder, 'README.md'), table(about, this.results));
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

function rounded(_, value) {
  return typeof value === 'number' ? Number(value.toFixed(3)) : value;
}
