// Keeps the results: a line for each on the screen, and two files.
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';

export class Report {
  browsers = {}; // their versions, by name
  processes = {}; // how the library's process is confined, by the browser's name
  #library = null;
  #results = [];
  #start = new Date();

  async nameLibrary(file) {
    const hash = createHash('sha256').update(await readFile(file));
    this.#library = { file: path.basename(file), sha256: hash.digest('hex') };
  }

  add(result) {
    const { browser, cdm, outcome, why, reason, notes, seconds } = result;
    this.#results.push({
      browser,
      cdm,
      case: result.case,
      outcome,
      ...(why !== undefined && { why }),
      ...(reason && { reason }),
      ...(notes.length && { notes }),
      seconds: Number(seconds.toFixed(2)),
    });
    console.log(line(this.#results.at(-1)));
  }

  get failed() {
    return this.#count('failed');
  }

  totals() {
    const count = (outcome) => `${this.#count(outcome)} ${outcome}`;
    return `eme: ${count('passed')}, ${count('failed')}, ${count('skipped')}`;
  }

  /// Writes results.json and report.txt.
  async write(folder) {
    await mkdir(folder, { recursive: true });
    const about = {
      date: this.#start.toISOString(),
      seconds: Math.round((Date.now() - this.#start) / 1000),
      browsers: this.browsers,
      library: this.#library,
      processes: this.processes,
    };
    const all = { ...about, totals: this.totals(), results: this.#results };
    await writeFile(path.join(folder, 'results.json'), `${JSON.stringify(all, null, 1)}\n`);
    const head = [
      `date     ${about.date}, ${about.seconds} s`,
      ...Object.entries(this.browsers).map(([name, version]) => `browser  ${name}: ${version}`),
      ...Object.entries(this.processes).map(([name, said]) => `process  ${name}: ${said}`),
      ...(this.#library ? [`library  ${this.#library.file}, sha256 ${this.#library.sha256}`] : []),
    ];
    const lines = [...head, '', ...this.#results.map(full), '', this.totals()];
    await writeFile(path.join(folder, 'report.txt'), `${lines.join('\n')}\n`);
  }

  #count(outcome) {
    return this.#results.filter((one) => one.outcome === outcome).length;
  }
}

function line({ browser, cdm, outcome, why, reason, seconds, ...rest }) {
  const start = [outcome, browser.padEnd(8), cdm.padEnd(4), `${seconds.toFixed(1)} s`.padStart(7)];
  const end = [why && ` - ${why}`, reason && ` (${reason})`].filter(Boolean).join('');
  return `${start.join(' ')}  ${rest.case}${end}`;
}

function full(result) {
  const notes = (result.notes ?? []).map((note) => `${' '.repeat(30)}${note}`);
  return [line(result), ...notes].join('\n');
}
