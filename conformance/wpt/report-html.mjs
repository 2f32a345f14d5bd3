// The results as one HTML page that needs nothing else, and no colours to be understood.
import { differences, summary } from './results.mjs';
import { closing, totalsOf } from './report-text.mjs';

const STYLE = `
  :root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
  body { margin: 2rem auto; max-width: 80rem; padding: 0 1rem; }
  table { border-collapse: collapse; width: 100%; }
  caption { font-weight: bold; padding: .5rem 0; text-align: left; }
  th, td { border: 1px solid #8888; padding: .25rem .5rem; text-align: left; vertical-align: top; }
  tbody th[scope=rowgroup] { background: #8882; }
  th[scope=row] { font-weight: normal; }
  .failed { background: #d003; font-weight: bold; }
  .expected { background: #fa03; }
  td { overflow-wrap: anywhere; }
`;

/// The whole page.
export function htmlReport(results, { judged, faults, totals }) {
  const unlike = differences(judged).map(({ own, ours }) => own ?? ours);
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>W3C ClearKey tests</title>
<style>${STYLE}</style>
<main>
<h1>W3C's ClearKey tests</h1>
<p>${escape(closing({ faults, totals }))}</p>
${facts(results)}
<h2>Faults</h2>
${list(faults)}
<h2>Where a browser's own CDM and ours differ</h2>
${unlike.length ? table('Differences', results.runs, judged, among(unlike)) : '<p>Nowhere.</p>'}
<h2>Totals</h2>
${list(results.runs.map((run) => totalsOf(run, judged)))}
<h2>All subtests</h2>
${table('Status in all repetitions', results.runs, judged, () => true)}
</main>
</html>
`;
}

function facts({ date, suite, library, repeat, sandbox }) {
  const rows = {
    Date: date,
    Suite: `${suite.source ?? 'of unknown origin'}, SHA-256 ${suite.sha256}`,
    'Our library': library ? `SHA-256 ${library.sha256}` : 'not run',
    Repetitions: repeat,
    "Chromium's sandbox": sandbox ? 'on' : 'off',
  };
  const items = Object.entries(rows).map(
    ([name, value]) => `<dt>${escape(name)}</dt><dd>${escape(value)}</dd>`,
  );
  return `<dl>${items.join('')}</dl>`;
}

function list(lines) {
  if (lines.length === 0) return '<p>None.</p>';
  return `<ul>${lines.map((line) => `<li>${escape(line)}</li>`).join('\n')}</ul>`;
}

/// One row per subtest that `wanted` picks, in a group per file; one column per run.
function table(caption, runs, judged, wanted) {
  const files = new Map(); // file → subtest → run → case
  for (const one of judged.filter(wanted)) {
    const subtests = files.get(one.file) ?? new Map();
    files.set(one.file, subtests);
    const row = subtests.get(one.subtest) ?? new Map();
    subtests.set(one.subtest, row.set(column(one), one));
  }
  const heads = runs.map(
    (run) => `<th scope="col">${escape(run.version)}, ${run.cdm === 'own' ? 'own' : 'ours'}</th>`,
  );
  const groups = [...files].map(
    ([file, subtests]) =>
      `<tbody>\n<tr><th scope="rowgroup" colspan="${runs.length + 1}">${escape(file)}</th></tr>\n` +
      [...subtests].map(([name, row]) => rowOf(name, row, runs)).join('\n') +
      '\n</tbody>',
  );
  return `<table>
<caption>${escape(caption)}</caption>
<thead><tr><th scope="col">Subtest</th>${heads.join('')}</tr></thead>
${groups.join('\n')}
</table>`;
}

function rowOf(name, row, runs) {
  const cells = runs.map((run) => {
    const one = row.get(column(run));
    if (!one) return '<td>not reported</td>';
    const note = one.reason ? `<br><small>${escape(one.reason)}</small>` : '';
    const known = one.verdict === 'expected' ? ' (expected)' : '';
    return `<td class="${one.verdict}">${escape(summary(one))}${known}${note}</td>`;
  });
  return `<tr><th scope="row">${escape(name ?? 'the whole file')}</th>${cells.join('')}</tr>`;
}

function among(cases) {
  const keys = new Set(cases.map(({ file, subtest }) => JSON.stringify([file, subtest])));
  return ({ file, subtest }) => keys.has(JSON.stringify([file, subtest]));
}

function column({ browser, cdm }) {
  return `${browser} ${cdm}`;
}

function escape(value) {
  const codes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };
  return String(value).replace(/[&<>"]/g, (sign) => codes[sign]);
}
