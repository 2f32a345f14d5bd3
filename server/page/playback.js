// What the video element itself does: told to the log, and counted.

/// Tells the log and the status line of playback until `signal` ends it. `caveat` is what may be the
/// reason if the media cannot be played.
export function watch(video, caveat, { log, say, fail }, signal) {
  const listen = (name, act) => video.addEventListener(name, act, { signal });
  listen('loadedmetadata', () => {
    const size = video.videoWidth ? `${video.videoWidth} × ${video.videoHeight}` : 'no pictures';
    const length = Number.isFinite(video.duration)
      ? `${video.duration.toFixed(3)} s`
      : 'of unknown length';
    log.add('loadedmetadata', `${size} · ${length}`);
  });
  listen('playing', () => {
    log.add('playing', `at ${video.currentTime.toFixed(3)} s`);
    say('Playing');
  });
  listen('pause', () => !video.ended && !video.error && say('Paused'));
  listen('waiting', () => !video.error && say('Waiting for data'));
  listen('waitingforkey', () => say('Waiting for a key'));
  listen('seeked', () => log.add('seeked', `to ${video.currentTime.toFixed(3)} s`));
  listen('ended', () => {
    log.add('ended', `at ${video.currentTime.toFixed(3)} s · ${frames(video)} frames decoded`);
    say('Ended');
  });
  listen('error', () => {
    const { code, message } = video.error;
    log.add('error', `code ${code} · ${message || 'no reason is given'}`, { kind: 'error' });
    fail(`The media cannot be played: ${message || `error ${code}`}. ${caveat}`.trim());
  });
  firstFrame(video, log, signal);
}

/// The frames that were decoded so far, those dropped included.
export function frames(video) {
  return video.getVideoPlaybackQuality().totalVideoFrames;
}

/// Keeps the list of figures up to date: `figures` has an element for each.
export function count(video, figures, signal) {
  const show = () => {
    const { totalVideoFrames, droppedVideoFrames } = video.getVideoPlaybackQuality();
    const { buffered } = video;
    const parts = Array.from(
      buffered,
      (_, at) => `${buffered.start(at).toFixed(1)} to ${buffered.end(at).toFixed(1)} s`,
    );
    figures.time.textContent = `${video.currentTime.toFixed(2)} s`;
    figures.frames.textContent = String(totalVideoFrames);
    figures.dropped.textContent = String(droppedVideoFrames);
    figures.buffered.textContent = parts.join(', ') || 'nothing';
  };
  const timer = setInterval(show, 250);
  signal.addEventListener('abort', () => clearInterval(timer));
  show();
}

function firstFrame(video, log, signal) {
  if (!video.requestVideoFrameCallback) return; // Firefox before 132
  const handle = video.requestVideoFrameCallback((_, { width, height, mediaTime }) => {
    log.add('first frame', `${width} × ${height} · of ${mediaTime.toFixed(3)} s`);
  });
  signal.addEventListener('abort', () => video.cancelVideoFrameCallback(handle));
}
