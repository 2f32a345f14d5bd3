// A stream by its address: the tracks that it is made of, and how they are protected.
import { readMpd } from './mpd.js';
import { openTrack } from './track.js';

/// Opens the stream at an address: an MPD, or a file that is played by itself. The result has
/// `tracks` as `openTrack` gives them, `duration` in seconds or null, `laurls` that a manifest
/// names, and of the protection `kids` in hex, `scheme` or null, and `pssh` of the manifest or null.
export async function openStream(address, signal) {
  const { pathname } = new URL(address);
  if (/\.mpd$/i.test(pathname)) return openMpd(address, signal);
  if (/\.m3u8$/i.test(pathname))
    throw new Error('HLS is not played here, only .mpd, .mp4 and .webm');
  const track = await openTrack(address, {}, signal);
  return {
    tracks: [track],
    duration: track.duration,
    laurls: [],
    ...protection([track]),
    pssh: null,
  };
}

async function openMpd(address, signal) {
  const response = await fetch(address, { signal, cache: 'no-store' }).catch((error) => {
    if (signal.aborted) throw error;
    throw new Error(`${address} cannot be fetched: ${error.message}`);
  });
  if (!response.ok) throw new Error(`${address}: HTTP status ${response.status}`);
  const mpd = readMpd(await response.text(), response.url);
  const tracks = await Promise.all(mpd.tracks.map((known) => openTrack(known.url, known, signal)));
  const { kids, ...rest } = protection(tracks);
  return {
    tracks,
    duration: mpd.duration,
    laurls: mpd.laurls,
    ...rest,
    kids: [...new Set([...mpd.tracks.flatMap((track) => track.kids), ...kids])],
    pssh: mpd.tracks.map(({ pssh }) => pssh).find(Boolean) ?? null,
  };
}

function protection(tracks) {
  return {
    kids: [...new Set(tracks.flatMap(({ kids }) => kids))],
    scheme: tracks.map(({ scheme }) => scheme).find(Boolean) ?? null,
    hasInitData: tracks.some(({ hasInitData }) => hasInitData),
  };
}
