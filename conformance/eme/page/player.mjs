// A page's player: it appends streams to a MediaSource, and tells whether what comes out is the
// test pattern and the tone.
import { delay, fail, holds, soon } from './check.mjs';
import { context } from './context.mjs';
import { answer } from './license.mjs';
import { hex } from './octets.mjs';
import { pattern } from './picture.mjs';
import { makeMediaKeys, request } from './session.mjs';
import { isTone, listen } from './sound.mjs';

const FRAMES = 10; // decoded at least
const PATTERN = 0.6; // the share of the picture that must be as it should

export class Player {
  video = document.createElement('video');
  waits = 0; // how often it waited for a key
  fault = null; // what went wrong while a license was fetched

  constructor(...streams) {
    this.streams = streams;
    this.video.addEventListener('waitingforkey', () => (this.waits += 1));
    document.body.append(this.video);
  }

  /// MediaKeys that can play these streams.
  makeMediaKeys(options = {}) {
    const [video, audio] = ['video', 'audio'].map((kind) => this.capabilities(kind));
    return makeMediaKeys({ video, audio, ...options });
  }

  capabilities(kind) {
    return this.streams.flatMap(({ capabilities }) => capabilities[kind] ?? []);
  }

  attach(mediaKeys) {
    return soon(this.video.setMediaKeys(mediaKeys), 'setMediaKeys');
  }

  /// Has all initialization data that comes with `encrypted` make sessions, each of which gets the
  /// keys that it asks for. Yields these sessions as they come.
  fetchLicenses(mediaKeys) {
    const [sessions, seen] = [[], new Set()];
    this.video.addEventListener('encrypted', async ({ initDataType, initData }) => {
      if (seen.has(hex(initData))) return;
      seen.add(hex(initData));
      try {
        const opened = await request(mediaKeys, initDataType, initData);
        sessions.push(opened);
        context.note(`${initDataType}: ${new TextDecoder().decode(opened.request)}`);
        await soon(opened.session.update(answer(opened.request)), 'update');
      } catch (error) {
        this.fault ??= error;
      }
    });
    return sessions;
  }

  /// Appends all streams whole, and plays.
  async start() {
    if (this.capabilities('audio').length) this.ear = await listen(this.video);
    const source = new MediaSource();
    this.video.src = URL.createObjectURL(source);
    await soon(once(source, 'sourceopen'), 'sourceopen');
    const buffers = this.streams.map(({ type }) => source.addSourceBuffer(type));
    const append = async ({ file }, place) => {
      const bytes = await (await fetch(`/media/${file}`)).arrayBuffer();
      const ended = once(buffers[place], 'updateend');
      buffers[place].appendBuffer(bytes);
      await soon(ended, `append of ${file}`);
    };
    await Promise.all(this.streams.map(append));
    if (source.readyState === 'open') source.endOfStream();
    this.video.play().catch((error) => context.note(`play: ${error.name}`));
  }

  /// Waits until it has played for so long, or to the end.
  async past(seconds, within = 15) {
    const late = performance.now() + within * 1000;
    while (this.video.currentTime <= seconds && !this.video.ended) {
      if (this.fault) throw this.fault;
      if (this.video.error) fail(`${this.where()}: ${errorOf(this.video)}`);
      if (performance.now() > late) fail(`${this.where()} after ${within} s`);
      await delay(40);
    }
  }

  /// Waits until it has asked for a key that nobody gave.
  async waitsForKey(within = 10) {
    const late = performance.now() + within * 1000;
    while (this.waits === 0) {
      if (this.fault) throw this.fault;
      if (this.video.error) fail(`${this.where()}: ${errorOf(this.video)}`);
      if (performance.now() > late) fail(`no waitingforkey, ${this.where()} after ${within} s`);
      await delay(40);
    }
  }

  /// Asks for the real picture and the real sound.
  async judge() {
    if (this.capabilities('video').length) {
      const { totalVideoFrames } = this.video.getVideoPlaybackQuality();
      holds(totalVideoFrames >= FRAMES, `${totalVideoFrames} frames were decoded`);
      const share = await pattern(this.video);
      holds(share >= PATTERN, `the picture is not the test pattern (share ${share.toFixed(2)})`);
      context.note(`${totalVideoFrames} frames, pattern ${share.toFixed(2)}`);
    }
    if (this.ear) await this.judgeSound();
  }

  async judgeSound() {
    let share;
    for (let tries = 0; tries < 20; tries += 1) {
      share = await this.ear.purity();
      if (isTone(share)) break;
      await delay(50);
    }
    holds(isTone(share), `the sound is not the tone (share ${share?.toFixed(2)})`);
    if (share !== null) context.note(`tone ${share.toFixed(2)}`);
  }

  async stop() {
    this.video.pause();
    this.video.removeAttribute('src');
    this.video.load();
    await this.ear?.close();
    await soon(this.video.setMediaKeys(null), 'setMediaKeys(null)');
    this.video.remove();
  }

  where() {
    const { currentTime, readyState } = this.video;
    const more = `state ${readyState}, ${this.waits} waits for keys`;
    return `stands at ${currentTime.toFixed(2)} s (${more})`;
  }
}

/// Plays streams with keys from a license server, and judges what comes out. Yields the sessions.
export async function play(streams, { until = 1.2 } = {}) {
  const player = new Player(...streams);
  const mediaKeys = await player.makeMediaKeys();
  await player.attach(mediaKeys);
  const sessions = player.fetchLicenses(mediaKeys);
  await player.start();
  await player.past(until);
  await player.judge();
  await player.stop();
  return sessions;
}

export function errorOf({ error }) {
  return `media error ${error.code} ${error.message}`.trim();
}

function once(target, event) {
  return new Promise((done) => target.addEventListener(event, done, { once: true }));
}
