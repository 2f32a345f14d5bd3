// Brings repetitions together, and judges every subtest by the list of expectations.

const MISSING = 'MISSING'; // other repetitions reported this subtest, this one did not
const EXPECT = ['FAIL', 'FLAKY'];

/// What one run saw, by file and subtest: the status of each repetition, and the message of the
/// last one that did not pass.
export function merge({ repetitions, ...run }) {
  const files = {};
  for (const [turn, results] of repetitions.entries()) {
    for (const { file, status, message, subtests } of results) {
      const entry = (files[file] ??= { statuses: [], message: null, subtests: {} });
      entry.statuses[turn] = status;
      if (status !== 'OK') entry.message = message ?? entry.message;
      for (const subtest of subtests) {
        const merged = (entry.subtests[subtest.name] ??= { statuses: [], message: null });
        merged.statuses[turn] = subtest.status;
        if (subtest.status !== 'PASS') merged.message = subtest.message ?? merged.message;
      }
    }
  }
  for (const { subtests } of Object.values(files)) {
    for (const subtest of Object.values(subtests)) {
      subtest.statuses = Array.from(repetitions, (_, turn) => subtest.statuses[turn] ?? MISSING);
    }
  }
  return { ...run, files };
}

/// Everything that may pass or fail, as a flat list. A file counts by itself (`subtest` is null)
/// only if its harness did not finish well, or it had no subtest at all. Where a subtest took too
/// long, that is why the harness did, and counts once.
export function casesOf(runs) {
  return runs.flatMap(({ browser, cdm, files }) =>
    Object.entries(files).flatMap(([file, { statuses, message, subtests }]) => {
      const common = { browser, cdm, file };
      const cases = Object.entries(subtests).map(([subtest, seen]) => ({
        ...common,
        subtest,
        ...seen,
        passes: seen.statuses.every((status) => status === 'PASS'),
      }));
      const late = (turn) => cases.some((one) => one.statuses[turn] === 'TIMEOUT');
      const well = statuses.every(
        (status, turn) => status === 'OK' || (status === 'TIMEOUT' && late(turn)),
      );
      if (well && cases.length) return cases;
      return [{ ...common, subtest: null, statuses, message, passes: false }, ...cases];
    }),
  );
}

/// Gives each case a `verdict`: passed, failed or expected (to fail), and a `reason` for all but
/// the first. `faults` are all sentences that make the run fail.
export function judge(cases, expectations) {
  const used = new Set();
  const judged = cases.map((one) => {
    const known = expectations.find((expectation) => names(expectation, one));
    used.add(known);
    return { ...one, ...weigh(one, known) };
  });
  const stale = expectations.filter(
    (one) => !used.has(one) && cases.some((run) => run.file === one.file && concerns(one, run)),
  );
  const faults = [
    ...judged
      .filter(({ verdict }) => verdict === 'failed')
      .map((one) => `${title(one)}: ${one.reason}`),
    ...lostByOurs(judged, expectations).map(
      (one) => `${title(one)}: passes with the browser's own, and is not named among ours`,
    ),
    ...stale.map((one) => `expectation without a subtest: ${one.file}: ${one.subtest}`),
  ];
  const count = (verdict) => judged.filter((one) => one.verdict === verdict).length;
  const totals = { passed: count('passed'), failed: count('failed'), expected: count('expected') };
  return { judged, faults, totals };
}

/// Where a browser's own CDM and ours differ: pairs of cases.
export function differences(judged) {
  return pairs(judged).filter(({ own, ours }) => summary(own) !== summary(ours));
}

/// The statuses of a case in short: each once, the first one first.
export function summary(one) {
  return one ? [...new Set(one.statuses)].join(' or ') : 'not reported';
}

/// Throws if the list of expectations is not as it has to be.
export function checkExpectations(expectations) {
  for (const { browser, cdm, file, subtest, expect, reason } of expectations) {
    const right =
      typeof browser === 'string' &&
      [null, 'own', 'ours'].includes(cdm) &&
      typeof file === 'string' &&
      (subtest === null || typeof subtest === 'string') &&
      EXPECT.includes(expect) &&
      typeof reason === 'string';
    if (!right) throw new Error(`not an expectation: ${file}: ${subtest}`);
  }
}

function weigh({ passes, statuses, message }, known) {
  const said = message ? `${summary({ statuses })}: ${message}` : summary({ statuses });
  if (!known) return passes ? { verdict: 'passed' } : { verdict: 'failed', reason: said };
  const { expect, reason } = known;
  if (expect === 'FLAKY' && passes) return { verdict: 'passed' };
  if (expect === 'FLAKY' || !statuses.includes('PASS')) return { verdict: 'expected', reason };
  return { verdict: 'failed', reason: `${summary({ statuses })}, but is to fail: ${reason}` };
}

/// All that passes with the browser's own and not with ours, without an expectation for ours.
function lostByOurs(judged, expectations) {
  return pairs(judged)
    .filter(({ own, ours }) => own?.passes && !ours?.passes)
    .filter(({ own }) => {
      const wanted = { ...own, cdm: 'ours' };
      return !expectations.some((one) => one.cdm === 'ours' && names(one, wanted));
    })
    .map(({ own, ours }) => ours ?? { ...own, cdm: 'ours' });
}

/// The cases of a browser that was run with both, each beside its counterpart (or undefined).
function pairs(judged) {
  const table = new Map();
  for (const one of judged) {
    const key = JSON.stringify([one.browser, one.file, one.subtest]);
    table.set(key, { ...table.get(key), [one.cdm]: one });
  }
  const ran = (browser, cdm) => judged.some((one) => one.browser === browser && one.cdm === cdm);
  const both = (browser) => ran(browser, 'own') && ran(browser, 'ours');
  return [...table.values()].filter(({ own, ours }) => both((own ?? ours).browser));
}

function names(expectation, one) {
  const { file, subtest } = expectation;
  return concerns(expectation, one) && file === one.file && subtest === one.subtest;
}

function concerns(expectation, { browser, cdm }) {
  return expectation.browser === browser && [null, cdm].includes(expectation.cdm);
}

function title({ browser, cdm, file, subtest }) {
  return `${browser}, ${cdm}: ${file}: ${subtest ?? 'the whole file'}`;
}
