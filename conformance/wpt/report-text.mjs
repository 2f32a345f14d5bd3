// The results as plain text: what is wrong, what differs, what is known, and the totals.
import { differences, summary } from './results.mjs';

/// The whole report.
export function textReport(results, { judged, faults, totals }) {
  const known = judged.filter(({ verdict }) => verdict === 'expected');
  const sections = [
    heading(results),
    section('Faults', faults),
    section(
      "Where a browser's own CDM and ours differ",
      differences(judged).map(({ own, ours }) => {
        const { browser, file, subtest } = own ?? ours;
        const states = `own ${summary(own)}, ours ${summary(ours)}`;
        return `${browser}: ${file}: ${subtest ?? 'the whole file'}: ${states}`;
      }),
    ),
    section('Expected failures', known.map(describe)),
    `Subtests that passed in all repetitions\n${table(results.runs, judged)}`,
    section('Totals', results.runs.map((run) => totalsOf(run, judged))),
    closing({ faults, totals }),
  ];
  return `${sections.join('\n\n')}\n`;
}

/// The line that a run of the suite ends with.
export function closing({ faults, totals: { passed, failed, expected } }) {
  const others = faults.length - failed; // such as a library that was not loaded
  const rest = others > 0 ? `, ${others} other faults` : '';
  return `w3c: ${passed} passed, ${failed} failed, ${expected} expected failures${rest}`;
}

/// How one run went, in a line.
export function totalsOf({ browser, cdm, version, files, proof }, judged) {
  const mine = judged.filter((one) => one.browser === browser && one.cdm === cdm);
  const count = (verdict) => mine.filter((one) => one.verdict === verdict).length;
  const whole = Object.keys(files).length;
  const proven = proof.loaded ? `loaded, seccomp ${proof.seccomp.join(' and ')}` : 'not loaded';
  const which = cdm === 'own' ? 'its own CDM' : `our CDM (${proven})`;
  return (
    `${version}, ${which}: ${whole} files, ` +
    `${count('passed')} passed, ${count('failed')} failed, ${count('expected')} expected failures` +
    ` (passes of each repetition: ${passesOf(mine).join(', ')})`
  );
}

/// A row for each test file, a column for each browser with each CDM.
function table(runs, judged) {
  const columns = runs.map(({ browser, cdm }) => `${browser}, ${cdm}`);
  const files = [...new Set(judged.map(({ file }) => file))];
  const name = Math.max(...files.map((file) => file.length));
  const row = (first, rest) =>
    [first.padEnd(name), ...rest.map((text, at) => text.padStart(columns[at].length))].join('  ');
  const counts = (file) =>
    runs.map(({ browser, cdm }) => {
      const cases = judged.filter(
        (one) => one.browser === browser && one.cdm === cdm && one.file === file,
      );
      return `${cases.filter(({ passes }) => passes).length}/${cases.length}`;
    });
  return [row('', columns), ...files.map((file) => row(file, counts(file)))].join('\n');
}

/// How many cases passed, for each repetition.
function passesOf(cases) {
  const repetitions = Math.max(0, ...cases.map(({ statuses }) => statuses.length));
  return Array.from({ length: repetitions }, (_, turn) =>
    cases.filter(({ statuses }) => statuses[turn] === 'PASS').length,
  );
}

function heading({ date, suite, library, repeat, sandbox }) {
  return [
    "W3C's ClearKey tests (web-platform-tests, encrypted-media)",
    '',
    `date         ${date}`,
    `suite        ${suite.source ?? 'of unknown origin'}`,
    `             sha256 ${suite.sha256}`,
    `our library  ${library ? `sha256 ${library.sha256}` : 'not run'}`,
    `repetitions  ${repeat}${sandbox ? ", Chromium's sandbox on" : ''}`,
  ].join('\n');
}

function section(title, lines) {
  const body = lines.length ? lines.map((line) => `- ${line}`).join('\n') : 'none';
  return `${title}\n${'-'.repeat(title.length)}\n${body}`;
}

function describe({ browser, cdm, file, subtest, reason, message, ...one }) {
  const said = message ? `\n  it says: ${message.replace(/\s+/g, ' ')}` : '';
  const where = `${browser}, ${cdm}: ${file}: ${subtest ?? 'the whole file'}`;
  return `${where}: ${summary(one)}\n  ${reason}${said}`;
}
