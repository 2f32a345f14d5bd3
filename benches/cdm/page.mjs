// Plays one protected stream to its end.
import { base64url, fromHex, utf8 } from './octets.mjs';

const TYPE = 'video/mp4; codecs="avc1.640028"';
const video = document.getElementById('video');

/// Media keys with the key.
window.prepare = async (keySystem, pair) => {
  const [kid, k] = pair.split(':').map((hex) => base64url(fromHex(hex)));
  const wanted = { initDataTypes: ['keyids'], videoCapabilities: [{ contentType: TYPE }] };
  const access = await navigator.requestMediaKeySystemAccess(keySystem, [wanted]);
  const keys = await access.createMediaKeys();
  await video.setMediaKeys(keys);
  const session = keys.createSession();
  await session.generateRequest('keyids', utf8(JSON.stringify({ kids: [kid] })));
  await session.update(utf8(JSON.stringify({ keys: [{ kty: 'oct', kid, k }] })));
};

/// Yields the octets of the stream and the frames that were decoded.
window.playAll = async (rate) => {
  const stream = await (await fetch('stream.mp4')).arrayBuffer();
  const source = new MediaSource();
  video.src = URL.createObjectURL(source);
  await new Promise((done) => source.addEventListener('sourceopen', done, { once: true }));
  const buffer = source.addSourceBuffer(TYPE);
  const octets = stream.byteLength;
  buffer.appendBuffer(stream);
  await new Promise((done) => buffer.addEventListener('updateend', done, { once: true }));
  source.endOfStream();
  video.playbackRate = rate;
  await video.play();
  await new Promise((done, failed) => {
    video.addEventListener('ended', done);
    video.addEventListener('error', () => failed(video.error.message));
  });
  return { octets, frames: video.getVideoPlaybackQuality().totalVideoFrames };
};
