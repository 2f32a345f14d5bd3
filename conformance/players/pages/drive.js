// What the pages of all players have in common: `play` starts the player, watches until enough has
// played or something went wrong, and tells what was seen. It judges nothing.
import { delay } from '/eme/check.mjs';
import { pattern } from '/eme/picture.mjs';
import { listen } from '/eme/sound.mjs';

const PLAYED = 3; // seconds that are enough
const LEAD = 1.6; // seconds from which on nothing is clear
const PATIENCE = 20_000; // milliseconds for all of it
const AFTERMATH = 1_000; // milliseconds in which a player that gave up may still begin to play

/// Makes `window.play` out of what starts a player. `start({ video, manifest, license, fault })` may
/// be asynchronous and may throw; `license` is null where the manifest says where licenses are.
/// `fault` takes what the player calls an error.
export function drive(start) {
  window.play = async (manifest, license) => {
    const video = document.querySelector('video');
    const errors = [];
    const seen = { tone: null };
    const fault = (error) => errors.push(error);
    const watched = () => document.querySelector('video') ?? video;
    const ear = await listen(video);
    begin(start, { video, manifest, license, fault });
    await progress(watched, errors, ear, seen);
    if (errors.length) await delay(AFTERMATH);
    return { ...(await look(watched())), ...seen, errors };
  };
  window.ready = true;
}

/// An error of any kind as a text.
export function describe(error) {
  if (typeof error !== 'object' || error === null) return String(error);
  const { name, code, message } = error;
  return [name, code, message].filter((part) => part !== undefined && part !== '').join(' ');
}

async function progress(watched, errors, ear, seen) {
  const late = performance.now() + PATIENCE;
  const going = () => watched().currentTime <= PLAYED && !watched().ended && !errors.length;
  while (going() && performance.now() < late) {
    await delay(50);
    const { error, currentTime } = watched();
    if (error) errors.push(`media error ${error.code}: ${error.message}`);
    if (currentTime > LEAD) await hear(ear, seen);
  }
}

/// Keeps the purest tone that was heard; null where nobody can listen.
async function hear(ear, seen) {
  const share = await ear.purity();
  if (share !== null) seen.tone = Math.max(seen.tone ?? 0, share);
}

async function look(video) {
  const { totalVideoFrames, droppedVideoFrames } = video.getVideoPlaybackQuality();
  const shows = video.videoWidth > 0 && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA;
  return {
    currentTime: video.currentTime,
    ended: video.ended,
    frames: totalVideoFrames - droppedVideoFrames,
    picture: shows ? await pattern(video) : 0,
    byEme: video.mediaKeys !== null,
  };
}

/// Starts the player, whose promises may never be kept.
async function begin(start, call) {
  try {
    await start(call);
  } catch (error) {
    call.fault(describe(error));
  }
}
