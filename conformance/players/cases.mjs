// Which player plays what, in which browser.
import { STREAMS, manifests } from './streams.mjs';

/// The players, by the names of their pages: the packages they come in, the kinds of manifest they
/// read, those they are known not to play (tried with a few streams), and whether they find the
/// license server in a DASH manifest themselves.
export const PLAYERS = {
  shaka: {
    packages: ['shaka-player'],
    reads: ['DASH', 'HLS identity'],
    fails: ['HLS clearkey'],
    finds: true,
  },
  dashjs: { packages: ['dashjs'], reads: ['DASH'], fails: [], finds: true },
  hlsjs: {
    packages: ['hls.js'],
    reads: ['HLS clearkey'],
    fails: ['HLS identity'],
    finds: false,
  },
  videojs: {
    packages: ['video.js', 'videojs-contrib-eme'],
    reads: ['DASH'],
    fails: ['HLS clearkey', 'HLS identity'],
    finds: false,
  },
};

const PLAIN = /^AVC (cenc|cbcs)$/;
const SHORT = {
  chromium: { players: Object.keys(PLAYERS), streams: PLAIN },
  firefox: { players: ['shaka', 'dashjs'], streams: /^AVC cenc$/ },
};

/// All cases of a browser: `name`, `player`, `stream`, `manifest` and its `file`; whether the `page`
/// tells the player where licenses are; whether the stream `plays` then, and the player `asks` for
/// licenses: of an `identity` playlist, which holds the keys, it need not.
export function casesOf(browser, { players, pattern, short }) {
  return players
    .flatMap((player) => STREAMS.flatMap((stream) => ofStream(player, stream)))
    .filter((one) => !short || isShort(browser, one))
    .filter(({ name }) => pattern.test(name));
}

function ofStream(player, stream) {
  const { reads, fails, finds } = PLAYERS[player];
  if (!stream.license && !finds) return []; // the page tells it anyway
  const tried = PLAIN.test(stream.name) ? [...reads, ...fails] : reads;
  const all = Object.entries(manifests(stream)).filter(([kind]) => tried.includes(kind));
  return all
    .map(([manifest, file]) => ({
      name: `${player}: ${stream.name}, ${manifest}`,
      player,
      stream,
      manifest,
      file,
      page: manifest !== 'HLS identity' && !(finds && stream.license),
      plays: !stream.unknown,
      asks: manifest !== 'HLS identity',
    }))
    .filter(({ asks }) => asks || (stream.license && !stream.unknown));
}

function isShort(browser, { player, stream, manifest }) {
  const { players, streams } = SHORT[browser];
  const isFirst = manifest === PLAYERS[player].reads[0];
  return isFirst && players.includes(player) && streams.test(stream.name);
}
