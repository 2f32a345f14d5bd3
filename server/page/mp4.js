// What a page must know of an MP4 file before it plays (ISO/IEC 14496-12, 23001-7).
import { codecName } from './codecs.js';
import { fields, hex, latin1 } from './octets.js';

const SAMPLE_ENTRIES = ['mdia', 'minf', 'stbl', 'stsd'];
const ENTRY_FIELDS = { vide: 78, soun: 28 }; // octets of a sample entry before its boxes

/// The boxes in `octets`, each as `{ type, at, size, body, whole }`. The last may be cut off.
export function* boxes(octets, from = 0) {
  const view = fields(octets);
  for (let at = from; at + 8 <= octets.length;) {
    let [size, header] = [view.getUint32(at), 8];
    if (size === 1 && at + 16 > octets.length) return;
    if (size === 1) [size, header] = [Number(view.getBigUint64(at + 8)), 16];
    if (size === 0) size = octets.length - at;
    if (size < header) throw new Error(`a box at ${at} has ${size} octets`);
    const body = octets.subarray(at + header, at + size);
    const type = latin1(octets.subarray(at + 4, at + 8));
    yield { type, at, size, body, whole: at + size <= octets.length };
    at += size;
  }
}

/// What the body of a `moov` box says: whether fragments follow, its tracks as `{ codec, kid,
/// scheme }`, and whether a page will hear `encrypted` because of a `pssh` box.
export function readMovie(moov) {
  const inside = [...boxes(moov)];
  const traks = inside.filter(({ type }) => type === 'trak').map(({ body }) => readTrak(body));
  return {
    fragmented: inside.some(({ type }) => type === 'mvex'),
    hasInitData: inside.some(({ type }) => type === 'pssh'),
    tracks: traks.filter(Boolean),
  };
}

/// What a `sidx` box, which begins at `at` of the file, leads to: `segments` as `{ time, offset }`
/// in seconds and octets of the file, and the `end` in seconds.
export function readSidx({ body, size }, at) {
  const view = fields(body);
  const long = view.getUint8(0) > 0;
  const number = (place) => (long ? Number(view.getBigUint64(place)) : view.getUint32(place));
  const timescale = view.getUint32(8);
  let time = number(12);
  let offset = at + size + number(long ? 20 : 16);
  const first = long ? 32 : 24;
  const count = view.getUint16(first - 2);
  const segments = [];
  for (let entry = first; segments.length < count; entry += 12) {
    segments.push({ time: time / timescale, offset });
    offset += view.getUint32(entry) & 0x7fffffff;
    time += view.getUint32(entry + 4);
  }
  return { segments, end: time / timescale };
}

/// A track of pictures or sound; null of anything else. A clear lead has a sample entry of its
/// own, so the key id is looked for in all of them.
function readTrak(trak) {
  const handler = latin1(descend(trak, ['mdia', 'hdlr'])[0].subarray(8, 12));
  if (!(handler in ENTRY_FIELDS)) return null;
  const [table] = descend(trak, SAMPLE_ENTRIES);
  const entries = [...boxes(table, 8)].map(({ type, body }) => {
    const list = [...boxes(body, ENTRY_FIELDS[handler])].map((box) => [box.type, box.body]);
    return readEntry(type, new Map(list));
  });
  return { codec: entries[0].codec, ...entries.find(({ kid }) => kid) };
}

function readEntry(type, inside) {
  const sinf = inside.get('sinf');
  if (!sinf) return { codec: codecName(type, inside), kid: null, scheme: null };
  const [original] = descend(sinf, ['frma']);
  const [schm] = descend(sinf, ['schm']);
  const [tenc] = descend(sinf, ['schi', 'tenc']);
  return {
    codec: codecName(latin1(original), inside),
    scheme: schm ? latin1(schm.subarray(4, 8)) : null,
    kid: tenc ? hex(tenc.subarray(8, 24)) : null,
  };
}

/// The bodies of all boxes at a path.
function descend(octets, path) {
  return path.reduce(
    (level, name) =>
      level.flatMap((body) =>
        [...boxes(body)].filter(({ type }) => type === name).map((box) => box.body),
      ),
    [octets],
  );
}
