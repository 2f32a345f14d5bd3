// What came of the cases of a run: a line for each on the screen, and the totals.

/// The results of the run called `name`.
export class Outcomes {
  browsers = {}; // their versions, by name
  results = [];
  #name;
  #start = new Date();

  constructor(name) {
    this.#name = name;
  }

  /// Keeps a result with a `case`, an `outcome` (passed, failed or skipped) and its `seconds`, and prints it.
  keep(result) {
    this.results.push({ ...result, seconds: Number(result.seconds.toFixed(2)) });
    console.log(line(this.results.at(-1)));
  }

  get failed() {
    return this.#count('failed');
  }

  totals() {
    const count = (outcome) => `${this.#count(outcome)} ${outcome}`;
    return `${this.#name}: ${count('passed')}, ${count('failed')}, ${count('skipped')}`;
  }

  /// When the run began, and how long it has taken.
  time() {
    return {
      date: this.#start.toISOString(),
      seconds: Math.round((Date.now() - this.#start) / 1000),
    };
  }

  #count(outcome) {
    return this.results.filter((one) => one.outcome === outcome).length;
  }
}

/// A result as a line. `cdm` says whose CDM it was, where that may differ.
export function line({ browser, cdm, outcome, why, reason, seconds, ...rest }) {
  const time = `${seconds.toFixed(1)} s`.padStart(7);
  const start = [outcome, browser.padEnd(8), cdm?.padEnd(4), time].filter(Boolean);
  const end = [why && ` - ${why}`, reason && ` (${reason})`].filter(Boolean).join('');
  return `${start.join(' ')}  ${rest.case}${end}`;
}
