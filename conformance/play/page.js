// Runs in the page: plays one file in a <video> and reports what was seen. Judges nothing.
'use strict';

const PLAYED = 1; // seconds that are enough
const PATIENCE = 30_000; // milliseconds for all of it
const AUDIO_LIMIT = 64 << 20; // octets; a longer file is not decoded to PCM at once

/// Plays `url` by `src`, or through MediaSource when `mime` is given.
async function play(url, mime) {
  const video = document.createElement('video');
  const seen = { keyEvents: [], error: null, contrast: 0 };
  video.muted = true;
  for (const name of ['encrypted', 'waitingforkey']) {
    video.addEventListener(name, () => seen.keyEvents.push(name));
  }
  video.addEventListener('error', () => (seen.error ??= mediaError(video)));
  document.body.append(video);
  try {
    const feeding = mime ? feed(video, url, mime) : (video.src = url);
    video.play().catch(() => {}); // a refusal shows as an error event, or as no progress
    await Promise.race([Promise.all([feeding, progress(video, seen)]), patience()]);
  } catch (error) {
    seen.error ??= String(error);
  }
  const quality = video.getVideoPlaybackQuality();
  const report = {
    ...seen,
    currentTime: video.currentTime,
    ended: video.ended,
    width: video.videoWidth,
    height: video.videoHeight,
    frames: quality.totalVideoFrames - quality.droppedVideoFrames,
    hasAudio: video.mozHasAudio ?? video.webkitAudioDecodedByteCount > 0,
  };
  video.remove();
  return { ...report, ...(report.hasAudio ? await decodeAudio(url) : {}) };
}

/// Waits until enough has played, looking at the frames meanwhile. Stops at the first bad sign.
async function progress(video, seen) {
  while (video.currentTime <= PLAYED && !video.ended && !seen.error && !seen.keyEvents.length) {
    await new Promise((tick) => setTimeout(tick, 50));
    seen.contrast = Math.max(seen.contrast, contrast(video));
  }
}

/// The difference between the lightest and the darkest pixel of the current frame, 0 to 255.
function contrast(video) {
  if (!video.videoWidth || video.readyState < HTMLMediaElement.HAVE_CURRENT_DATA) return 0;
  const canvas = Object.assign(document.createElement('canvas'), { width: 64, height: 36 });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  let [low, high] = [255, 0];
  for (let at = 0; at < data.length; at += 4) {
    const light = Math.round((data[at] + data[at + 1] + data[at + 2]) / 3);
    low = Math.min(low, light);
    high = Math.max(high, light);
  }
  return high - low;
}

/// Appends a whole fragmented file to a SourceBuffer.
async function feed(video, url, mime) {
  if (!MediaSource.isTypeSupported(mime)) throw new Error(`unsupported type ${mime}`);
  const source = new MediaSource();
  video.src = URL.createObjectURL(source);
  await event(source, 'sourceopen');
  const buffer = source.addSourceBuffer(mime);
  buffer.appendBuffer(await (await fetch(url)).arrayBuffer());
  await event(buffer, 'updateend');
  if (source.readyState === 'open') source.endOfStream();
}

/// Decodes the audio track to PCM, where no output device matters. Reports its loudest sample.
async function decodeAudio(url) {
  const response = await fetch(url);
  if (Number(response.headers.get('content-length')) > AUDIO_LIMIT) {
    await response.body.cancel();
    return { audioError: null, audioSkipped: 'the file is too long to decode at once' };
  }
  try {
    const context = new OfflineAudioContext(1, 1, 48_000);
    const pcm = await context.decodeAudioData(await response.arrayBuffer());
    const peak = pcm.getChannelData(0).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    return {
      audioError: null,
      audioSeconds: Number(pcm.duration.toFixed(3)),
      audioPeak: Number(peak.toFixed(3)),
    };
  } catch (error) {
    return { audioError: String(error) };
  }
}

function mediaError(video) {
  return `media error ${video.error.code}: ${video.error.message}`;
}

function event(target, name) {
  return new Promise((heard) => target.addEventListener(name, heard, { once: true }));
}

function patience() {
  return new Promise((_, fail) => setTimeout(() => fail(new Error('time is up')), PATIENCE));
}
