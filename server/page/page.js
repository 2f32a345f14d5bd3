// Wires the page: what is chosen in the form is opened, fed to the video, and told to the log.
import { Eme, missing, SCHEMES } from './eme.js';
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
const figures = Object.fromEntries(
  ['time', 'frames', 'dropped', 'buffered'].map((id) => [id, $(id)]),
);
let current = null; // the stream that plays: `{ stop, eme }`
let turn = Promise.resolve(); // one load begins after the other

$('server').value = new URL('.', location.href).href;
$('load').addEventListener('submit', (event) => {
  event.preventDefault();
  turn = turn.then(load).catch((error) => fail(error.message));
});
$('address').addEventListener('input', () => ($('other').checked = true));
$('show-keys').addEventListener('change', ({ target }) => log.showKeys(target.checked));
await showStreams();

async function showStreams() {
  try {
    const streams = await fetchStreams();
    fillList($('streams'), streams);
    if (streams.length) say(streams.length === 1 ? 'One stream' : `${streams.length} streams`);
    else fail('This server has no streams: start it with --media DIR, or type an address.');
  } catch (error) {
    fail(`The list of streams cannot be read: ${error.message}`);
  }
  const why = missing();
  if (why) fail(why);
}

/// Lets what the form says play in place of what played before.
async function load() {
  await unload();
  const form = new FormData($('load'));
  const address = chosen(form);
  const settings = {
    server: absolute(form.get('server'), 'license server'),
    keySystem: form.get('key-system'),
    sessionType: form.get('session-type'),
  };
  current = { stop: new AbortController(), eme: null };
  log.restart();
  log.add('load', address);
  say('Loading');
  play(current, address, settings).catch((error) => fail(error.message));
}

/// Plays a stream until it is stopped. What fails ends it.
async function play(playing, address, settings) {
  const { signal } = playing.stop;
  const page = { log, table, say, fail };
  count(video, figures, signal);
  try {
    const stream = await openStream(address, signal);
    for (const track of stream.tracks) log.add('track', describe(track));
    noteServers(stream, settings.server);
    watch(video, caveat(stream), page, signal);
    playing.eme = new Eme(video, stream, settings, page, signal);
    const feeding = feed(video, stream, signal);
    video.play().catch((error) => {
      if (error.name === 'NotAllowedError') say('Ready: press play in the picture');
    });
    await feeding;
  } catch (error) {
    if (signal.aborted || video.error) return; // the element has told its own error
    playing.stop.abort();
    log.add('error', error.message, { kind: 'error' });
    fail(error.message);
  }
}

async function unload() {
  const [before] = [current, (current = null)];
  Object.assign($('alert'), { hidden: true, textContent: '' });
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
  if (!['http:', 'https:'].includes(url?.protocol))
    throw new Error(`The address of the ${what} is none: ${text}`);
  return url.href;
}

function describe({ url, type, scheme, kids, segments }) {
  const index = segments ? `index of ${segments.length} segments` : 'no index';
  const first = [url.split('/').at(-1), scheme ?? (kids.length ? 'encrypted' : 'clear'), index];
  return [first.join(' · '), type, ...kids.map((kid) => `default_KID ${kid}`)].join('\n');
}

/// What else than the media may be the reason if they do not play.
function caveat({ scheme, kids }) {
  if (scheme && !SCHEMES.includes(scheme)) {
    return `They are encrypted by the scheme ${scheme}; browsers decrypt only ${SCHEMES.join(' and ')}.`;
  }
  return kids.length ? 'A wrong key looks like this, too.' : '';
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
