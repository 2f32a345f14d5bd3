// The results as a table in Markdown.
import { PLAYERS } from './cases.mjs';
import { STREAMS } from './streams.mjs';

/// What plays where: a row for each stream and manifest, a column for each browser and player.
export function table(about, results) {
  const columns = distinct(results.map(({ browser, player }) => ({ browser, player })));
  const rows = distinct(results.map(({ stream, manifest }) => ({ stream, manifest })));
  rows.sort((one, other) => place(one) - place(other) || (one.manifest < other.manifest ? -1 : 1));
  const reasons = distinct(results.map(({ reason }) => reason).filter(Boolean));
  const cell = (row, column) => {
    const one = results.find((result) => isOf(result, row) && isOf(result, column));
    return one ? said(one, reasons) : '';
  };
  const head = ['stream', 'container', 'codecs', 'scheme', 'manifest', ...columns.map(title)];
  const lines = rows.map((row) => {
    const { name, container, codecs, scheme } = row.stream;
    const cells = columns.map((column) => cell(row, column));
    return [name, container, codecs, scheme, row.manifest, ...cells];
  });
  const list = (all) => Object.entries(all).map(([name, version]) => `${name} ${version}`);
  return [
    '# Who plays what `clearkey encrypt` writes',
    '',
    `${about.date.slice(0, 10)}, ${about.seconds} s, ${about.clearkey}, on`,
    `${[...new Set(Object.values(about.browsers))].join(' and ')}, with the players`,
    `${list(about.packages).join(', ')}. \`${about.totals}\``,
    '',
    'How to read it: [players](../../README.md#players).',
    '',
    ...[head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`),
    '',
    ...reasons.map((reason, index) => `${index + 1}. ${reason}.`),
    '',
  ].join('\n');
}

/// Where a row's stream stands among all.
function place({ stream }) {
  return STREAMS.findIndex(({ name }) => name === stream.name);
}

function said({ outcome, reason, stream }, reasons) {
  if (outcome === 'skipped') return `no (${reasons.indexOf(reason) + 1})`;
  if (outcome === 'failed') return '**failed**';
  return stream.unknown ? 'error' : 'plays';
}

function title({ browser, player }) {
  return `${PLAYERS[player].packages[0]}, ${browser}`;
}

/// Whether a result has all that an object has.
function isOf(result, object) {
  return Object.entries(object).every(([name, value]) => same(result[name], value));
}

function distinct(list) {
  return list.filter((one, place) => list.findIndex((other) => same(one, other)) === place);
}

function same(one, other) {
  return JSON.stringify(one) === JSON.stringify(other);
}
