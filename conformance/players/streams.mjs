// The streams that are played: clear fixtures, a file for each track, encrypted by `clearkey encrypt`
// with manifests of every kind.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const CLEAR = fileURLToPath(new URL('../../fixtures/clear/', import.meta.url));
const FRAGMENTS = ['-movflags', '+frag_keyframe+delay_moov+dash+global_sidx+default_base_moof'];
const CONTAINER = {
  mp4: [...FRAGMENTS, '-frag_duration', '1000000'],
  webm: ['-cluster_time_limit', '1000', '-dash', '1'],
};

const CODECS = { avc_aac: 'AVC, AAC', av1_opus: 'AV1, Opus', vp9_opus: 'VP9, Opus' };

/// Each has a `name`, the `codecs` and the `container` it is in, its `scheme`, and how many `keys`
/// its tracks have together. Where `unknown`, the license server has none of them; `license` says
/// whether the manifest names that server.
export const STREAMS = [
  stream('AVC cenc', 'avc_aac.mp4', 'cenc', { keys: 2 }),
  stream('AVC cbcs', 'avc_aac.mp4', 'cbcs'),
  stream('AVC cenc, one key', 'avc_aac.mp4', 'cenc'),
  stream('AVC cbcs, two keys', 'avc_aac.mp4', 'cbcs', { keys: 2 }),
  stream('AVC cenc, clear lead', 'avc_aac.mp4', 'cenc', { more: ['--clear-lead', '1.5'] }),
  stream('AVC cbcs, clear lead', 'avc_aac.mp4', 'cbcs', { more: ['--clear-lead', '1.5'] }),
  stream('AVC cenc, no license URL', 'avc_aac.mp4', 'cenc', { license: false }),
  stream('AVC cenc, unknown keys', 'avc_aac.mp4', 'cenc', { keys: 2, unknown: true }),
  stream('AV1 cenc', 'av1_opus.mp4', 'cenc', { keys: 2 }),
  stream('AV1 cbcs', 'av1_opus.mp4', 'cbcs'),
  stream('VP9 cenc', 'vp9_opus.mp4', 'cenc'),
  stream('VP9 cbcs', 'vp9_opus.mp4', 'cbcs', { keys: 2 }),
  stream('VP9 WebM', 'vp9_opus.webm', 'cenc', { keys: 2 }),
];

function stream(name, source, scheme, options = {}) {
  const folder = name.replaceAll(/\W+/g, '-').toLowerCase();
  const container = path.extname(source).slice(1);
  const codecs = CODECS[path.parse(source).name];
  const defaults = { keys: 1, unknown: false, license: true, more: [] };
  return { name, folder, source, container, codecs, scheme, ...defaults, ...options };
}

/// The manifests a stream has, by name, as paths below the folder of all streams.
export function manifests({ folder, container }) {
  const dash = { DASH: `${folder}/stream.mpd` };
  if (container === 'webm') return dash; // HLS knows no WebM
  return {
    ...dash,
    'HLS clearkey': `${folder}/stream.m3u8`,
    'HLS identity': `${folder}/identity/stream.m3u8`,
  };
}

/// New keys for each of the streams, as lists of KID:KEY, by their folders.
export function drawKeys(streams) {
  const draw = () => `${randomBytes(16).toString('hex')}:${randomBytes(16).toString('hex')}`;
  return Object.fromEntries(
    streams.map(({ folder, keys }) => [folder, Array.from({ length: keys }, draw)]),
  );
}

/// Makes a stream with all its manifests below `media`. What else is needed lies in `work`.
export async function makeStream(clearkey, stream, { media, work, keys, license }) {
  const folder = path.join(media, stream.folder);
  const tracks = await split(stream, work);
  const encrypt = (...more) =>
    run(clearkey, 'encrypt', '-q', ...tracks, '--scheme', stream.scheme, ...more);
  const common = [...(await keyArguments(stream, work, keys)), ...stream.more];
  await mkdir(path.join(folder, 'identity'), { recursive: true });

  const written = manifests(stream);
  const at = (name) => path.join(media, written[name]);
  const shown = ['--mpd', at('DASH')];
  if (stream.license) shown.push('--license-url', license);
  if (written['HLS clearkey']) {
    shown.push('--hls', at('HLS clearkey'), '--hls-keyformat', 'clearkey');
  }
  await encrypt('-o', folder, ...shown, ...common);
  if (!written['HLS identity']) return;
  const identity = ['--hls', at('HLS identity'), '--hls-keyformat', 'identity'];
  await encrypt('-o', path.join(folder, 'identity'), ...identity, ...common);
}

/// One key for all tracks comes in a file, two come as those of the tracks.
async function keyArguments({ folder }, work, keys) {
  if (keys.length > 1) return ['--track', `video=${keys[0]}`, '--track', `audio=${keys[1]}`];
  const file = path.join(work, `${folder}.keys`);
  await writeFile(file, `${keys[0]}\n`);
  return ['--keys-file', file];
}

/// Runs a program. What it says is all that is told if it fails: its arguments hold keys.
async function run(program, ...args) {
  try {
    await promisify(execFile)(program, args);
  } catch ({ code, stderr }) {
    throw new Error(`${path.basename(program)} ended with ${code}: ${stderr}`);
  }
}

/// A file for each track, with an index at its begin (MP4) or end (WebM).
async function split({ source, container }, work) {
  const folder = path.join(work, 'clear', path.parse(source).name + container);
  await mkdir(folder, { recursive: true });
  const files = ['video', 'audio'].map((kind) => path.join(folder, `${kind}.${container}`));
  for (const [place, file] of files.entries()) {
    const input = ['-v', 'error', '-y', '-i', path.join(CLEAR, source), '-map', `0:${'va'[place]}`];
    await run('ffmpeg', ...input, '-c', 'copy', ...CONTAINER[container], file);
  }
  return files;
}
