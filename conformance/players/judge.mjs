// What is demanded of what a page and the license server saw.

const PLAYED = 3; // seconds
const FRAMES = 40; // decoded at least, of 25 a second
const PATTERN = 0.6; // the share of the picture that must be as it should
const PURE = 0.8; // the share of the tone in all that sounds

/// Everything that speaks against a case, as one text; undefined if nothing does. `hears` says that
/// the browser lets a page hear what it plays.
export function faults(one, seen, asked, { hears }) {
  const found = one.plays ? ofPlaying(one, seen, asked, hears) : ofRefusal(seen, asked);
  return found.length ? found.join('; ') : undefined;
}

function ofPlaying({ asks, stream }, seen, asked, hears) {
  const found = [...seen.errors];
  if (!seen.ended && seen.currentTime <= PLAYED) found.push(`stands at ${seconds(seen)}`);
  if (seen.frames < FRAMES) found.push(`${seen.frames} frames were decoded`);
  if (seen.picture < PATTERN) found.push(`not the test pattern (${share(seen.picture)})`);
  if (hears && !(seen.tone >= PURE)) found.push(`not the tone (${share(seen.tone ?? 0)})`);
  if (!seen.byEme) found.push('no MediaKeys are set: it was not the CDM that decrypted');
  if (asked.refused) found.push(`${asked.refused} license requests were refused`);
  if (asks && asked.known < stream.keys) found.push(`asked the server for ${asked.known} keys`);
  if (!asks && asked.given) found.push('asked the server for keys that the playlist has');
  return found;
}

/// A server without the keys: an error must come, and no picture.
function ofRefusal(seen, asked) {
  const found = [];
  if (!seen.errors.length) found.push('the player says nothing of an error');
  if (seen.currentTime > 0.5 || seen.frames) {
    found.push(`plays without keys: ${seconds(seen)}, ${seen.frames} frames`);
  }
  if (!asked.unknown || !asked.refused) found.push('no license request was refused');
  return found;
}

function seconds({ currentTime }) {
  return `${currentTime.toFixed(2)} s`;
}

function share(value) {
  return `share ${value.toFixed(2)}`;
}
