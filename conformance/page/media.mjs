// The streams that the player page is tested with: fixtures, an MPD over two of them, and longer
// ones that are made here.
import { execFileSync } from 'node:child_process';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { boxes } from '../../server/page/mp4.js';

const FIXTURES = fileURLToPath(new URL('../../fixtures/media/', import.meta.url));
const CLEAR = fileURLToPath(new URL('../../fixtures/clear/avc_aac_frag.mp4', import.meta.url));
const VIDEO = 'shaka_cenc_avc_aac_video.mp4';
const AUDIO = 'shaka_cenc_avc_aac_audio.mp4';
const COPIED = [
  VIDEO,
  AUDIO,
  'b4_cenc_avc_aac_fragb4.mp4',
  'gpac_cenc8_prog_avc_aac.mp4',
  'mp4ff_cbcs_avc_aac_v.mp4',
  'shaka_cbcs_avc_aac_video.mp4',
  'shaka_cens_avc_aac_video.mp4',
  'shaka_webm_vp9_nosubsample_video.webm',
];
/// Seconds of the longer streams: more than the page buffers ahead.
export const LONG = 90;
const SOURCE = ['-f', 'lavfi', '-i', `testsrc2=size=320x180:rate=25:duration=${LONG}`];
const AVC = ['-c:v', 'libx264', '-preset', 'veryfast', '-b:v', '300k', '-g', '50'];
const VP9 = [
  '-c:v',
  'libvpx-vp9',
  '-deadline',
  'realtime',
  '-cpu-used',
  '8',
  '-b:v',
  '300k',
  '-g',
  '50',
];
/// A file whose length only the MPD says, and of whose fragments there is no index.
const WHOLE = `
    <AdaptationSet mimeType="video/mp4" codecs="avc1.64000d">
      <Representation id="1" bandwidth="300000"><BaseURL>long_linear.mp4</BaseURL></Representation>
    </AdaptationSet>`;
const FRAGMENTS = 'frag_keyframe+empty_moov+default_base_moof';

/// Fills a folder. Returns the lines `KID:KEY` for all streams in it.
export async function makeStreams(folder, clearkey) {
  const manifest = JSON.parse(await readFile(path.join(FIXTURES, 'manifest.json'), 'utf8'));
  await Promise.all(
    COPIED.map((file) => copyFile(path.join(FIXTURES, file), path.join(folder, file))),
  );
  await writeFile(path.join(folder, 'film.mpd'), await mpd(folder));
  const keys = manifest.filter(({ file }) => COPIED.includes(file)).flatMap((one) => one.keys);
  const long = [
    ['index.mp4', [...AVC, '-movflags', `${FRAGMENTS}+global_sidx`]],
    ['linear.mp4', [...AVC, '-movflags', FRAGMENTS]],
    ['cues.webm', VP9],
  ];
  for (const [name, options] of long) keys.push(await makeLong(folder, name, options, clearkey));
  keys.push(await makeForeign(folder, clearkey));
  await writeFile(path.join(folder, 'long.mpd'), document(LONG, [WHOLE]));
  return [...new Set(keys)];
}

/// A file whose only `pssh` box, of version 0, is Widevine's.
async function makeForeign(folder, clearkey) {
  const pssh = path.join(folder, '.pssh');
  const box =
    '00000020' + '70737368' + '00000000' + 'edef8ba979d64acea3c827dcd51d21ed' + '00000000';
  await writeFile(pssh, Buffer.from(box, 'hex'));
  return encrypt(clearkey, folder, CLEAR, 'foreign.mp4', ['--pssh', pssh]);
}

async function makeLong(folder, name, options, clearkey) {
  const clear = path.join(folder, `.clear_${name}`); // names like this are not served
  execFileSync('ffmpeg', ['-v', 'error', ...SOURCE, ...options, clear]);
  return encrypt(clearkey, folder, clear, `long_${name}`, []);
}

/// Encrypts a file by a random key. Returns its `KID:KEY`.
async function encrypt(clearkey, folder, clear, name, options) {
  const [out, keys] = [path.join(folder, name), path.join(folder, '.keys')];
  execFileSync(clearkey, ['encrypt', clear, '-o', out, '--keys-out', keys, '--quiet', ...options]);
  return (await readFile(keys, 'utf8')).trim();
}

/// What a packager writes for the two files. The license server it names is not there: the page has
/// to ask the one in its form.
async function mpd(folder) {
  const sets = await Promise.all([
    set(folder, VIDEO, 'video/mp4', 'avc1.64000c', '10000000-1000-1000-1000-100000000001'),
    set(folder, AUDIO, 'audio/mp4', 'mp4a.40.2', '10000000-1000-1000-1000-100000000002'),
  ]);
  return document(4, sets);
}

function document(seconds, sets) {
  return `<?xml version="1.0" encoding="utf-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" xmlns:cenc="urn:mpeg:cenc:2013" xmlns:dashif="https://dashif.org/CPS"
    profiles="urn:mpeg:dash:profile:isoff-on-demand:2011" type="static" mediaPresentationDuration="PT${seconds}S" minBufferTime="PT2S">
  <Period>${sets.join('')}
  </Period>
</MPD>
`;
}

async function set(folder, file, mimeType, codecs, kid) {
  const list = [...boxes(await readFile(path.join(folder, file)))];
  const range = (kind) => {
    const { at, size } = list.find(({ type }) => type === kind);
    return [at, at + size - 1];
  };
  return `
    <AdaptationSet mimeType="${mimeType}">
      <ContentProtection schemeIdUri="urn:mpeg:dash:mp4protection:2011" value="cenc" cenc:default_KID="${kid}"/>
      <ContentProtection schemeIdUri="urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e" value="ClearKey1.0">
        <dashif:Laurl>http://127.0.0.1:9/</dashif:Laurl>
      </ContentProtection>
      <Representation id="${kid.at(-1)}" codecs="${codecs}" bandwidth="300000">
        <BaseURL>${file}</BaseURL>
        <SegmentBase indexRange="${range('sidx').join('-')}">
          <Initialization range="0-${range('moov')[1]}"/>
        </SegmentBase>
      </Representation>
    </AdaptationSet>`;
}
