// The type of a WebM or fragmented MP4 file as MediaSource wants to hear it (RFC 6381).
import { readFile } from 'node:fs/promises';

const PATH = ['moov', 'trak', 'mdia', 'minf', 'stbl', 'stsd'];
const ENTRY_FIELDS = { vide: 78, soun: 28 }; // octets of a sample entry before its boxes

// What Matroska calls the codecs, and what pages call them.
const WEBM_CODECS = { V_VP8: 'vp8', V_VP9: 'vp9', V_AV1: 'av01.0.04M.08', A_OPUS: 'opus', A_VORBIS: 'vorbis' };

/// Whether a file is made of fragments, as all WebM is.
export async function isFragmented(file) {
  const bytes = await readFile(file);
  if (isWebM(bytes)) return true;
  if (bytes.toString('latin1', 4, 8) !== 'ftyp') return false;
  return children(bytes).some(({ kind }) => kind === 'moof');
}

/// The type of a file with its codecs.
export async function mimeOf(file) {
  const bytes = await readFile(file);
  if (isWebM(bytes)) return `video/webm; codecs="${webmCodecs(bytes).join(', ')}"`;
  return `video/mp4; codecs="${tracks(bytes).map(codecOf).join(', ')}"`;
}

function isWebM(bytes) {
  return bytes.readUInt32BE(0) === 0x1a45dfa3;
}

/// The codecs that are named at the start, where the tracks are.
function webmCodecs(bytes) {
  const header = bytes.subarray(0, 8192);
  return Object.keys(WEBM_CODECS)
    .filter((id) => header.includes(id))
    .map((id) => WEBM_CODECS[id]);
}

/// The first sample entry of each track: its kind, and its boxes by name.
function tracks(bytes) {
  return descend(bytes, PATH.slice(0, 2)).map((trak) => {
    const [header] = descend(trak, ['mdia', 'hdlr']);
    const [table] = descend(trak, PATH.slice(2));
    const [entry] = children(table.subarray(8));
    const fields = ENTRY_FIELDS[header.toString('latin1', 8, 12)] ?? 0;
    const boxes = children(entry.payload.subarray(fields));
    return { kind: entry.kind, boxes: new Map(boxes.map(({ kind, payload }) => [kind, payload])) };
  });
}

function codecOf({ kind, boxes }) {
  switch (kind) {
    case 'avc1':
    case 'avc3':
      return `${kind}.${boxes.get('avcC').toString('hex', 1, 4)}`;
    case 'av01':
      return av1(boxes.get('av1C'));
    case 'vp09':
      return vp9(boxes.get('vpcC'));
    case 'hev1':
    case 'hvc1':
      return `${kind}.${hevc(boxes.get('hvcC'))}`;
    case 'mp4a':
      return mpeg4Audio(boxes.get('esds'));
    case 'Opus':
    case 'fLaC':
    case 'ac-3':
    case 'ec-3':
      return kind.toLowerCase();
    default:
      throw new Error(`no codec name for ${kind}: give --mime`);
  }
}

function av1(config) {
  const [profile, level] = [config[1] >> 5, config[1] & 31];
  const tier = config[2] & 0x80 ? 'H' : 'M';
  const depth = config[2] & 0x40 ? (config[2] & 0x20 ? 12 : 10) : 8;
  return `av01.${profile}.${two(level)}${tier}.${two(depth)}`;
}

function vp9(config) {
  return `vp09.${two(config[4])}.${two(config[5])}.${two(config[6] >> 4)}`;
}

/// Profile, compatibility flags in reverse order of bits, tier and level, constraints (ISO/IEC
/// 14496-15, annex E).
function hevc(config) {
  const profile = ['', 'A', 'B', 'C'][config[1] >> 6] + (config[1] & 31);
  const bits = config.readUInt32BE(2).toString(2).padStart(32, '0');
  const flags = parseInt([...bits].reverse().join(''), 2).toString(16);
  const level = (config[1] & 0x20 ? 'H' : 'L') + config[12];
  const constraints = config.toString('hex', 6, 12).replace(/(00)+$/, '').match(/../g) ?? [];
  return [profile, flags, level, ...constraints].join('.');
}

/// Finds the object type in the descriptors of an `esds` (ISO/IEC 14496-1, 7.2.6).
function mpeg4Audio(esds) {
  const stream = descriptor(esds.subarray(4), 0x03);
  const config = descriptor(stream.subarray(3), 0x04); // ES_ID and flags, all of them 0
  const object = config[0].toString(16).padStart(2, '0');
  if (object !== '40') return `mp4a.${object}`;
  return `mp4a.40.${descriptor(config.subarray(13), 0x05)[0] >> 3}`;
}

/// The body of a descriptor, whose length takes seven bits of each octet.
function descriptor(bytes, tag) {
  if (bytes[0] !== tag) throw new Error(`esds: tag ${bytes[0]} instead of ${tag}`);
  let [at, length] = [1, 0];
  do length = (length << 7) | (bytes[at] & 0x7f);
  while (bytes[at++] & 0x80);
  return bytes.subarray(at, at + length);
}

/// The payloads of all boxes at `path`.
function descend(bytes, path) {
  return path.reduce(
    (level, name) =>
      level.flatMap((payload) =>
        children(payload)
          .filter(({ kind }) => kind === name)
          .map((box) => box.payload),
      ),
    [bytes],
  );
}

function children(bytes) {
  const found = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    let [size, header] = [bytes.readUInt32BE(at), 8];
    if (size === 1) [size, header] = [Number(bytes.readBigUInt64BE(at + 8)), 16];
    if (size === 0) size = bytes.length - at;
    if (size < header || at + size > bytes.length) throw new Error(`a box at ${at} does not fit`);
    const payload = bytes.subarray(at + header, at + size);
    found.push({ kind: bytes.toString('latin1', at + 4, at + 8), payload });
    at += size;
  }
  return found;
}

function two(number) {
  return String(number).padStart(2, '0');
}
