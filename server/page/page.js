// Wires the page: what is chosen in the form is opened, fed to the video, and told to the log.
import { Eme, missing } from './eme.js';
import { Log } from './log.js';
import { feed } from './media_source.js';
import { count, watch } from './playback.js';
import { SessionTable } from './session_table.js';
import { openStream } from './stream.js';
import { fetchStreams, fillList } from './stream_list.js';

const $ = (id) => document.getElementById(id);
const video = $('video');
const log = new Log($('entries'));
const table = new SessionTable($('sessions'), $('no-sessions'));
const figures = Object.fromEntries(['time', 'frames', 'dropped', 'buffered'].map((id) => [id, $(id)]));
let current = null; // the stream that plays: `{ stop, eme }`

$('server').value = new URL('.', location.href).href;
$('load').addEventListener('submit', (event) => {
  event.preventDefault();
  load().catch((error) => fail(error.message));
});
$('address').addEventListener('input', () => ($('other').checked = true));
$('show-keys').addEventListener('change', ({ target }) => log.showKeys(target.checked));
await showStreams();

async function showStreams() {
  try {
    const streams = await fetchStreams();
    fillList($('streams'), streams);
    const usable = streams.filter(({ unplayable }) => !unplayable).length;
    if (!streams.length) fail('There are no streams in the folder that this server serves. Start it with --media DIR, or give an address.');
    else if (!usable) fail('None of the streams of this server can be played; the list says why.');
    else say(`${streams.length} ${streams.length === 1 ? 'stream' : 'streams'} to choose from`);
  } catch (error) {
    fail(`The list of streams cannot be read: ${error.message}`);
  }
  const why = missing();
  if (why) fail(why);
}

/// Plays what the form says, in place of what played before.
async function load() {
  await unload();
  const form = new FormData($('load'));
  const address = chosen(form);
  const settings = { server: absolute(form.get('server'), 'license server'), sessionType: form.get('session-type') };
  const stop = new AbortController();
  const { signal } = stop;
  const page = { log, table, say, fail };
  current = { stop, eme: null };
  log.restart();
  log.add('load', address);
  say('Loading');
  watch(video, page, signal);
  count(video, figures, signal);
  try {
    const stream = await openStream(address, signal);
    for (const track of stream.tracks) log.add('track', describe(track));
    noteServers(stream, settings.server);
    current.eme = new Eme(video, stream, settings, page, signal);
    const feeding = feed(video, stream, signal);
    video.play().catch((error) => {
      if (error.name === 'NotAllowedError') say('Ready: press play in the video');
    });
    await feeding;
  } catch (error) {
    if (signal.aborted || video.error) return; // the element has told its own error
    log.add('error', error.message, { kind: 'error' });
    fail(error.message);
  }
}

async function unload() {
  const [before] = [current, (current = null)];
  $('alert').hidden = true;
  table.clear();
  if (!before) return;
  before.stop.abort();
  await before.eme?.end();
  video.removeAttribute('src');
  video.load();
  await video.setMediaKeys?.(null);
}

function chosen(form) {
  const listed = form.get('stream');
  if (listed !== 'other') return absolute(listed, 'stream');
  const typed = $('address').value.trim();
  if (!typed) throw new Error('Choose a stream, or type an address.');
  return absolute(typed, 'stream');
}

function absolute(text, what) {
  const url = URL.canParse(text.trim(), location.href) ? new URL(text.trim(), location.href) : null;
  if (!['http:', 'https:'].includes(url?.protocol)) throw new Error(`The address of the ${what} is none: ${text}`);
  return url.href;
}

function describe({ url, type, scheme, kids, segments }) {
  const protection = kids.length ? `${scheme ?? 'encrypted'}, default_KID ${kids.join(', ')}` : 'clear';
  const index = segments ? `index of ${segments.length} segments` : 'no index';
  return `${url.split('/').at(-1)} · ${type} · ${protection} · ${index}`;
}

function noteServers({ laurls }, server) {
  for (const laurl of laurls.filter((one) => one !== server)) {
    log.add('Laurl', `the MPD names the license server ${laurl}; asked will be ${server}`);
  }
}

function say(text) {
  $('status').textContent = text;
}

function fail(text) {
  $('alert').textContent = text;
  $('alert').hidden = false;
  say('Failed');
}
