// What a page must know of a WebM file before it plays (RFC 8794, RFC 9559).
import { av1 } from './codecs.js';
import { hex, latin1 } from './octets.js';

const ID = {
  segment: 0x18538067,
  seekHead: 0x114d9b74,
  seek: 0x4dbb,
  seekId: 0x53ab,
  seekPosition: 0x53ac,
  info: 0x1549a966,
  timestampScale: 0x2ad7b1,
  tracks: 0x1654ae6b,
  trackEntry: 0xae,
  codecId: 0x86,
  codecPrivate: 0x63a2,
  encodings: 0x6d80,
  encoding: 0x6240,
  encryption: 0x5035,
  keyId: 0x47e2,
  cluster: 0x1f43b675,
  cues: 0x1c53bb6b,
  cuePoint: 0xbb,
  cueTime: 0xb3,
  cuePositions: 0xb7,
  cueCluster: 0xf1,
};
const CODECS = { V_VP8: 'vp8', V_VP9: 'vp9', A_OPUS: 'opus', A_VORBIS: 'vorbis' };
const NANOSECONDS = 1e9;

/// Whether a file that begins like this is Matroska or WebM.
export function isWebM(octets) {
  return hex(octets.subarray(0, 4)) === '1a45dfa3';
}

/// What stands before the first cluster: `tracks` as `{ codec, kid, scheme }`, where the segment's
/// body and its `cues` begin in the file (null if nothing says so), and `scale`, the seconds of a
/// tick. `whole` is false if the tracks are not all there yet.
export function readSegment(octets) {
  const segment = [...elements(octets)].find(({ id }) => id === ID.segment);
  if (!segment) throw new Error('there is no segment at the start of this WebM file');
  const found = { start: segment.start, scale: 0.001, cues: null, tracks: [], whole: false };
  for (const { id, body, whole } of elements(octets, segment.start)) {
    if (id === ID.cluster) break;
    if (id === ID.seekHead) found.cues = cuesPosition(body, segment.start);
    if (id === ID.info) found.scale = number(inside(body, ID.timestampScale)[0], 1e6) / NANOSECONDS;
    if (id === ID.tracks && whole) {
      found.tracks = inside(body, ID.trackEntry).map(readTrack);
      found.whole = true;
    }
  }
  return found;
}

/// How long the element at the start of `octets` is, its header included.
export function elementSize(octets) {
  const [first] = elements(octets);
  return first ? first.start + first.size : 0;
}

/// The clusters that `cues` lead to, as `{ time, offset }` in seconds and octets of the file.
export function readCues(octets, { start, scale }) {
  const [cues] = elements(octets);
  if (cues?.id !== ID.cues) throw new Error('the index of this WebM file is no Cues element');
  return inside(cues.body, ID.cuePoint).map((point) => {
    const [position] = inside(point, ID.cuePositions).flatMap((one) => inside(one, ID.cueCluster));
    return { time: number(inside(point, ID.cueTime)[0]) * scale, offset: start + number(position) };
  });
}

function readTrack(entry) {
  const name = latin1(inside(entry, ID.codecId)[0]).replace(/\0+$/, '');
  const codec = name === 'V_AV1' ? av1(inside(entry, ID.codecPrivate)[0]) : CODECS[name];
  if (!codec) throw new Error(`no codec name is known for ${name}`);
  const path = [ID.encodings, ID.encoding, ID.encryption, ID.keyId];
  const [kid] = path.reduce((level, id) => level.flatMap((body) => inside(body, id)), [entry]);
  return { codec, kid: kid ? hex(kid) : null, scheme: kid ? 'cenc' : null };
}

function cuesPosition(seekHead, start) {
  const seek = inside(seekHead, ID.seek).find(
    (one) => number(inside(one, ID.seekId)[0]) === ID.cues,
  );
  return seek ? start + number(inside(seek, ID.seekPosition)[0]) : null;
}

function inside(body, wanted) {
  return [...elements(body)].filter(({ id }) => id === wanted).map((element) => element.body);
}

/// The elements in `octets`: `start` is where the body begins. The last may be cut off, and one of
/// unknown size goes on to the end.
function* elements(octets, from = 0) {
  for (let at = from; at < octets.length;) {
    const idLength = Math.clz32(octets[at]) - 23;
    const sizeAt = at + idLength;
    const sizeLength = Math.clz32(octets[sizeAt] ?? 0) - 23;
    const start = sizeAt + sizeLength;
    if (idLength > 4 || sizeLength > 8 || start > octets.length) return;
    const id = number(octets.subarray(at, sizeAt));
    const size = sizeOf(octets.slice(sizeAt, start));
    const end = start + size;
    yield { id, start, size, body: octets.subarray(start, end), whole: end <= octets.length };
    at = end;
  }
}

/// The value of a size's octets, whose first bit that is set is no part of it. All ones: unknown.
function sizeOf(octets) {
  octets[0] &= (1 << (8 - octets.length)) - 1;
  const ones = 2 ** (8 - octets.length) - 1;
  const unknown = octets.every((octet, at) => octet === (at ? 0xff : ones));
  return unknown ? Infinity : number(octets);
}

function number(octets, otherwise = 0) {
  return octets ? octets.reduce((sum, octet) => sum * 256 + octet, 0) : otherwise;
}
