// Keeps the results in two files.
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { line, Outcomes } from '../browsers/outcomes.mjs';

export class Report extends Outcomes {
  processes = {}; // how the library's process is confined, by the browser's name
  #library = null;

  constructor() {
    super('eme');
  }

  async nameLibrary(file) {
    const hash = createHash('sha256').update(await readFile(file));
    this.#library = { file: path.basename(file), sha256: hash.digest('hex') };
  }

  add({ browser, cdm, outcome, why, reason, notes, seconds, ...result }) {
    this.keep({
      browser,
      cdm,
      case: result.case,
      outcome,
      ...(why !== undefined && { why }),
      ...(reason && { reason }),
      ...(notes.length && { notes }),
      seconds,
    });
  }

  /// Writes results.json and report.txt.
  async write(folder) {
    await mkdir(folder, { recursive: true });
    const about = {
      ...this.time(),
      browsers: this.browsers,
      library: this.#library,
      processes: this.processes,
    };
    const all = { ...about, totals: this.totals(), results: this.results };
    await writeFile(path.join(folder, 'results.json'), `${JSON.stringify(all, null, 1)}\n`);
    const head = [
      `date     ${about.date}, ${about.seconds} s`,
      ...Object.entries(this.browsers).map(([name, version]) => `browser  ${name}: ${version}`),
      ...Object.entries(this.processes).map(([name, said]) => `process  ${name}: ${said}`),
      ...(this.#library ? [`library  ${this.#library.file}, sha256 ${this.#library.sha256}`] : []),
    ];
    const lines = [...head, '', ...this.results.map(full), '', this.totals()];
    await writeFile(path.join(folder, 'report.txt'), `${lines.join('\n')}\n`);
  }
}

function full(result) {
  const notes = (result.notes ?? []).map((note) => `${' '.repeat(30)}${note}`);
  return [line(result), ...notes].join('\n');
}
