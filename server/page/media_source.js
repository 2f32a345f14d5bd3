// Feeds tracks to a video element by MediaSource, in pieces, and no further ahead than is needed.
import { read } from './ranges.js';
import { offsetAt } from './track.js';

const PIECE = 256 << 10; // octets of a request
const AHEAD = 20; // seconds that are buffered before the position
const SLACK = 0.5; // seconds by which a first frame may come late
const BEHIND = 10; // seconds that are kept behind it when the buffer is full

/// Plays tracks until `signal` ends it. Resolves never before that; rejects when something fails.
export async function feed(video, { tracks, duration }, signal) {
  const source = new MediaSource();
  const unsupported = tracks.find(({ type }) => !MediaSource.isTypeSupported(type));
  if (unsupported) throw new Error(`this browser's MediaSource does not take ${unsupported.type}`);
  const address = URL.createObjectURL(source);
  signal.addEventListener('abort', () => URL.revokeObjectURL(address));
  video.src = address;
  await heard([source], ['sourceopen'], signal);
  if (duration) source.duration = duration;
  const feeds = tracks.map((track) => new Feed(source, track, video, signal));
  const onEnd = () => {
    const over = feeds.every((one) => one.done) && feeds.every(({ buffer }) => !buffer.updating);
    if (over && source.readyState === 'open') source.endOfStream();
  };
  await Promise.all(feeds.map((one) => one.run(onEnd)));
}

class Feed {
  done = false;
  #position = 0;
  #sought = false;

  constructor(source, track, video, signal) {
    Object.assign(this, { source, track, video, signal });
    this.buffer = source.addSourceBuffer(track.type);
    video.addEventListener('seeking', () => (this.#sought = true), { signal });
  }

  async run(onEnd) {
    for (;;) {
      this.signal.throwIfAborted();
      if (this.#sought) this.#seek(this.video.currentTime);
      if (this.done || this.#ahead() > AHEAD) {
        await heard([this.video], ['seeking', 'timeupdate'], this.signal);
        continue;
      }
      const octets = await read(
        this.track.url,
        this.#position,
        this.#position + PIECE - 1,
        this.signal,
      );
      if (this.#sought) continue;
      if (octets.length && !(await this.#append(octets))) continue;
      this.#position += octets.length;
      this.done = octets.length < PIECE && !this.#sought;
      if (this.done) onEnd();
    }
  }

  /// Goes on where the buffer ends that holds `time`. Without an index it can only go on from here,
  /// or from the start again.
  #seek(time) {
    this.#sought = false;
    const here = this.#range(time);
    if (this.track.segments) this.#jump(offsetAt(this.track, here?.end ?? time));
    else if (!here && this.#ranges().some(({ start }) => start > time)) this.#jump(0);
  }

  #jump(position) {
    if (this.source.readyState === 'open') this.buffer.abort(); // half a segment may be in it
    this.#position = position;
    this.done = false;
  }

  /// Whether the octets were appended: not if the position was moved while there was no room.
  async #append(octets) {
    for (;;) {
      try {
        this.buffer.appendBuffer(octets);
        await heard([this.buffer], ['updateend'], this.signal);
        return true;
      } catch (error) {
        if (error.name !== 'QuotaExceededError') throw error;
        await this.#makeRoom();
        if (this.#sought) return false;
      }
    }
  }

  /// Removes what is far from the position, or waits until it has moved on.
  async #makeRoom() {
    const now = this.video.currentTime;
    const ranges = this.#ranges();
    const remove = async (start, end) => {
      this.buffer.remove(start, end);
      await heard([this.buffer], ['updateend'], this.signal);
    };
    if (ranges.some(({ start }) => start < now - BEHIND)) await remove(0, now - BEHIND);
    else if (ranges.some(({ end }) => end > now + 2 * AHEAD))
      await remove(now + 2 * AHEAD, Infinity);
    else await heard([this.video], ['seeking', 'timeupdate'], this.signal);
  }

  #ahead() {
    const { currentTime } = this.video;
    return (this.#range(currentTime)?.end ?? currentTime) - currentTime;
  }

  #range(time) {
    return this.#ranges().find(({ start, end }) => start - SLACK <= time && time < end);
  }

  #ranges() {
    const { buffered } = this.buffer;
    return Array.from(buffered, (_, at) => ({ start: buffered.start(at), end: buffered.end(at) }));
  }
}

/// The first of these events. Rejects when `signal` ends the waiting.
function heard(targets, names, signal) {
  return new Promise((resolve, reject) => {
    const waiting = new AbortController();
    const settle = (how) => (value) => {
      waiting.abort();
      how(value);
    };
    signal.throwIfAborted();
    signal.addEventListener('abort', () => settle(reject)(signal.reason), {
      signal: waiting.signal,
    });
    for (const target of targets) {
      for (const name of names)
        target.addEventListener(name, settle(resolve), { signal: waiting.signal });
    }
  });
}
