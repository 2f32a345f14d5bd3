/* global shaka */
import { describe, drive } from './drive.js';

const SEVERITY = ['', 'recoverable', 'critical'];

drive(async ({ video, manifest, license, fault }) => {
  shaka.polyfill.installAll();
  const player = new shaka.Player();
  player.addEventListener('error', ({ detail }) => fault(tell(detail)));
  await player.attach(video);
  if (license) player.configure('drm.servers', { 'org.w3.clearkey': license });
  try {
    await player.load(manifest);
  } catch (error) {
    throw tell(error);
  }
  await video.play();
});

/// Shaka's errors are numbers, and data by number.
function tell(error) {
  if (!(error instanceof shaka.util.Error)) return describe(error);
  const data = error.data.map((one) => (typeof one === 'object' ? describe(one) : one));
  return `Shaka ${error.code} (${SEVERITY[error.severity]}) ${data.join(', ')}`;
}
