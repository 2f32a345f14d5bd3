// What MediaSource calls the codec of an MP4 sample entry (RFC 6381 and the codecs' own bindings).
import { fields, hex } from './octets.js';

/// The name for a sample entry of this type with these boxes, a Map of bodies by type. Throws if
/// there is none.
export function codecName(type, boxes) {
  switch (type) {
    case 'avc1':
    case 'avc3':
      return `${type}.${hex(need(boxes, 'avcC').subarray(1, 4))}`;
    case 'av01':
      return av1(need(boxes, 'av1C'));
    case 'vp08':
    case 'vp09':
      return vp9(type, need(boxes, 'vpcC'));
    case 'hev1':
    case 'hvc1':
      return `${type}.${hevc(need(boxes, 'hvcC'))}`;
    case 'mp4a':
      return mpeg4Audio(need(boxes, 'esds'));
    case 'Opus':
    case 'fLaC':
    case 'ac-3':
    case 'ec-3':
      return type.toLowerCase();
    default:
      throw new Error(`no codec name is known for the sample entry ${type}`);
  }
}

/// The name for an `av1C` box, which Matroska has as CodecPrivate.
export function av1(config) {
  const [profile, level] = [config[1] >> 5, config[1] & 31];
  const tier = config[2] & 0x80 ? 'H' : 'M';
  const depth = config[2] & 0x40 ? (config[2] & 0x20 ? 12 : 10) : 8;
  return `av01.${profile}.${two(level)}${tier}.${two(depth)}`;
}

/// Whether a codec by this name codes pictures.
export function isVideo(codec) {
  return /^(avc|hev|hvc|av01|vp)/.test(codec);
}

function vp9(type, config) {
  return `${type}.${two(config[4])}.${two(config[5])}.${two(config[6] >> 4)}`;
}

/// Profile, compatibility flags in reverse order of bits, tier and level, constraints (ISO/IEC
/// 14496-15, annex E).
function hevc(config) {
  const profile = ['', 'A', 'B', 'C'][config[1] >> 6] + (config[1] & 31);
  const bits = fields(config).getUint32(2).toString(2).padStart(32, '0');
  const flags = parseInt([...bits].reverse().join(''), 2).toString(16);
  const level = (config[1] & 0x20 ? 'H' : 'L') + config[12];
  const constraints =
    hex(config.subarray(6, 12))
      .replace(/(00)+$/, '')
      .match(/../g) ?? [];
  return [profile, flags, level, ...constraints].join('.');
}

/// Finds the object type in the descriptors of an `esds` (ISO/IEC 14496-1, 7.2.6).
function mpeg4Audio(esds) {
  const stream = descriptor(esds.subarray(4), 0x03);
  const config = descriptor(stream.subarray(3), 0x04); // ES_ID and flags, all of them 0
  const object = hex(config.subarray(0, 1));
  if (object !== '40') return `mp4a.${object}`;
  return `mp4a.40.${descriptor(config.subarray(13), 0x05)[0] >> 3}`;
}

/// The body of a descriptor, whose length takes seven bits of each octet.
function descriptor(octets, tag) {
  if (octets[0] !== tag) throw new Error(`esds: tag ${octets[0]} instead of ${tag}`);
  let [at, length] = [1, 0];
  do length = (length << 7) | (octets[at] & 0x7f);
  while (octets[at++] & 0x80);
  return octets.subarray(at, at + length);
}

function need(boxes, type) {
  const body = boxes.get(type);
  if (!body) throw new Error(`the sample entry has no ${type} box`);
  return body;
}

function two(number) {
  return String(number).padStart(2, '0');
}
