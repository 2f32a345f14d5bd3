// One file that is to be fed to a SourceBuffer: what it is, and where in it to begin for a time.
import { isVideo } from './codecs.js';
import { boxes, readMovie, readSidx } from './mp4.js';
import { read } from './ranges.js';
import { elementSize, isWebM, readCues, readSegment } from './webm.js';

const HEAD = 64 << 10; // octets that hold the start of most files
const HEAD_LIMIT = 16 << 20; // octets of a start that is still looked through

/// Opens a file. `known` is what a manifest says of it: its `type` for MediaSource, and `init` and
/// `index` as `[first, last]` octets. The rest is read from the file.
///
/// The result has `url`, `type`, `capabilities` (a type for each of `video` and `audio`), `kids` in
/// hex, `scheme`, `hasInitData`, `segments` as `{ time, offset }` or null, and `duration` in seconds or
/// null. Not of every file is the duration known before it is played.
export async function openTrack(url, known = {}, signal) {
  const head = await readHead(url, known.init, signal);
  const webm = isWebM(head);
  const found = webm
    ? await openWebM(url, head, known.index, signal)
    : await openMp4(url, head, known.index, signal);
  const kids = [
    ...new Set(found.tracks.map(({ kid }) => kid).filter((kid) => kid && !/^0+$/.test(kid))),
  ];
  const codecs = found.tracks.map(({ codec }) => codec);
  const type = known.type ?? typeOf(webm, codecs);
  return {
    url,
    type,
    capabilities: capabilities(type),
    kids,
    scheme: found.tracks.map(({ scheme }) => scheme).find(Boolean) ?? null,
    hasInitData: found.hasInitData,
    segments: found.segments,
    duration: found.duration,
  };
}

/// Where to begin reading for a time in seconds: at the last segment that does not start behind it.
export function offsetAt({ segments }, time) {
  const before = segments.filter((segment) => segment.time <= time);
  return (before.at(-1) ?? segments[0]).offset;
}

async function openMp4(url, head, index, signal) {
  const list = [...boxes(head)];
  const moov = list.find(({ type }) => type === 'moov');
  if (!moov) throw new Error(`${url}: no moov box at its start; MediaSource takes fragments only`);
  const movie = readMovie(moov.body);
  if (!movie.fragmented) {
    throw new Error(`${url} is progressive; MediaSource takes fragmented files only`);
  }
  const table = index
    ? await fetchSidx(url, index[0], index[1], signal)
    : await sidxOf(url, list, signal);
  return { ...movie, segments: table?.segments ?? null, duration: table?.end ?? null };
}

/// The `sidx` that follows the `moov`, whose end may lie behind what was read.
async function sidxOf(url, list, signal) {
  const sidx = list.find(({ type }) => type === 'sidx');
  if (!sidx) return null;
  if (sidx.whole) return readSidx(sidx, sidx.at);
  return fetchSidx(url, sidx.at, sidx.at + sidx.size - 1, signal);
}

async function fetchSidx(url, first, last, signal) {
  const list = [...boxes(await read(url, first, last, signal))];
  const sidx = list.find(({ type, whole }) => type === 'sidx' && whole);
  if (!sidx) throw new Error(`${url}: octets ${first} to ${last} hold no whole sidx box`);
  return readSidx(sidx, first + sidx.at);
}

async function openWebM(url, head, index, signal) {
  const segment = readSegment(head);
  if (!segment.whole) throw new Error(`${url}: no tracks at its start`);
  const range = index ?? (await cuesRange(url, segment.cues, signal));
  const cues = range && (await read(url, range[0], range[1], signal));
  const segments = cues ? readCues(cues, segment) : [];
  return {
    tracks: segment.tracks,
    hasInitData: true, // each key id in a track becomes initialization data
    segments: segments.length ? segments : null,
    duration: null,
  };
}

async function cuesRange(url, first, signal) {
  if (first === null) return null;
  const size = elementSize(await read(url, first, first + 11, signal));
  return Number.isFinite(size) && size ? [first, first + size - 1] : null;
}

/// The start of a file: as much as was named, or as much as it takes to hold the tracks.
async function readHead(url, init, signal) {
  if (init) return read(url, init[0], init[1], signal);
  for (let length = HEAD; ; length *= 4) {
    const head = await read(url, 0, length - 1, signal);
    if (!head.length) throw new Error(`${url} is empty`);
    if (head.length < length || length >= HEAD_LIMIT || holdsTracks(head)) return head;
  }
}

function holdsTracks(head) {
  if (isWebM(head)) return readSegment(head).whole;
  return [...boxes(head)].some(({ type, whole }) => ['moov', 'mdat'].includes(type) && whole);
}

function typeOf(webm, codecs) {
  const kind = codecs.some(isVideo) ? 'video' : 'audio';
  return `${kind}/${webm ? 'webm' : 'mp4'}; codecs="${codecs.join(', ')}"`;
}

/// Access to a key system is asked for one kind of media at a time.
function capabilities(type) {
  const [, container, list] = /^\w+\/(\w+).*codecs\s*=\s*"?([^"]*)/i.exec(type) ?? [];
  const codecs = list?.split(',').map((codec) => codec.trim()) ?? [];
  const of = (kind, some) =>
    some.length ? `${kind}/${container}; codecs="${some.join(', ')}"` : null;
  return {
    video: of('video', codecs.filter(isVideo)),
    audio: of(
      'audio',
      codecs.filter((codec) => !isVideo(codec)),
    ),
  };
}
