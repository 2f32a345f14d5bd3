/* global videojs */
import { drive } from './drive.js';

const TYPES = { mpd: 'application/dash+xml', m3u8: 'application/x-mpegURL' };

drive(async ({ video, manifest, license, fault }) => {
  // Firefox would leave HLS to itself, where it thinks that it can.
  const player = videojs(video, { html5: { vhs: { overrideNative: true } } });
  await new Promise((done) => player.ready(done));
  player.on('error', () => fault(`video.js ${player.error()?.code} ${player.error()?.message}`));
  player.eme();
  player.src({
    src: manifest,
    type: TYPES[manifest.split('.').pop()],
    keySystems: license ? { 'org.w3.clearkey': license } : {},
  });
  await player.play();
});
