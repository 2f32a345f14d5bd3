// Which player plays what, in which browser.
import { STREAMS, manifests } from './streams.mjs';

/// The players, by the names of their pages: the packages they come in, the kinds of manifest they
/// read, and those in which they find the license server themselves. An `identity` playlist holds
/// the keys, and nobody asks a server for any.
export const PLAYERS = {
  shaka: { packages: ['shaka-player'], reads: ['DASH', 'HLS clearkey', 'HLS identity'], finds: true },
  dashjs: { packages: ['dashjs'], reads: ['DASH'], finds: true },
  hlsjs: { packages: ['hls.js'], reads: ['HLS clearkey', 'HLS identity'], finds: false },
  videojs: {
    packages: ['video.js', 'videojs-contrib-eme'],
    reads: ['DASH', 'HLS clearkey', 'HLS identity'],
    finds: false,
  },
};

const SHORT = {
  chromium: { players: Object.keys(PLAYERS), streams: /^AVC (cenc|cbcs)$/ },
  firefox: { players: ['shaka', 'dashjs'], streams: /^AVC cenc$/ },
};

/// All cases of a browser: `name`, `player`, `stream`, `manifest` and its `file`, whether the `page`
/// tells the player where licenses are, and what is expected to happen: `plays`, and `asks`.
export function casesOf(browser, { players, pattern, short }) {
  return players
    .flatMap((player) => STREAMS.flatMap((stream) => ofStream(player, stream)))
    .filter((one) => !short || isShort(browser, one))
    .filter(({ name }) => pattern.test(name));
}

function ofStream(player, stream) {
  const { reads, finds } = PLAYERS[player];
  const kinds = Object.entries(manifests(stream)).filter(([kind]) => reads.includes(kind));
  const all = kinds.map(([manifest, file]) => ({
    name: `${player}: ${stream.name}, ${manifest}`,
    player,
    stream,
    manifest,
    file,
    page: manifest !== 'HLS identity' && !(finds && stream.license),
    plays: !stream.unknown,
    asks: manifest !== 'HLS identity',
  }));
  // That a server has no key, or no address, is of no interest where nobody asks it.
  const needsServer = stream.unknown || !stream.license;
  return needsServer ? all.filter(({ asks }) => asks).slice(0, 1) : all;
}

function isShort(browser, { player, stream, manifest }) {
  const { players, streams } = SHORT[browser];
  const isFirst = manifest === PLAYERS[player].reads[0];
  return isFirst && players.includes(player) && streams.test(stream.name);
}
