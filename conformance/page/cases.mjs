// What the player page has to do. Each case gets `{ name, browser, servers, axe, local }`, opens pages of
// its own by `visit`, and throws if something is not as it should be.
import assert from 'node:assert/strict';

import { LONG } from './media.mjs';

const KIDS = ['10000000100010001000100000000001', '10000000100010001000100000000002'];
const KEY = 'OiobaN0r2bLusl6ExHdmaA'; // of the first, as licenses have it
const CONTRAST = 16; // of 255
const LAST = LONG - 10; // seconds

/// Cases by name; `only` names the browser of those that need what others have not.
export const CASES = [
  { name: 'an MPD plays by keyboard alone', run: playsByKeyboard },
  { name: 'the log has each step in order', run: logsInOrder },
  { name: 'files play: cbcs, WebM, no pssh', run: playsFiles },
  { name: 'a pssh box of another system', run: playsForeign },
  { name: 'keys are hidden until they are asked for', run: hidesKeys },
  { name: 'a key that the server does not have', run: unknownKey },
  { name: 'a wrong key', run: wrongKey },
  { name: 'streams that cannot play', run: unplayable },
  { name: 'one stream after the other', run: oneAfterTheOther },
  { name: 'sessions are closed and removed by keyboard', run: closesSessions },
  { name: 'sessions that the CDM does not have', run: refusesPersistent },
  { name: 'a server without streams', run: noStreams },
  { name: 'an insecure address', run: insecure, only: 'chromium' },
  { name: 'an address that is typed', run: typedAddress },
  { name: 'seeking by sidx', run: (tools) => seeks(tools, 'long_index.mp4', true) },
  { name: 'seeking by Cues', run: (tools) => seeks(tools, 'long_cues.webm', true) },
  { name: 'seeking without an index', run: (tools) => seeks(tools, 'long.mpd', false) },
  { name: 'axe finds nothing', run: accessible },
  { name: 'axe finds nothing in the dark', run: accessibleInTheDark, only: 'chromium' },
  { name: 'nothing is cut off at 320 pixels, or at twice the size', run: fits },
];

async function playsByKeyboard({ visit, servers }) {
  const page = await visit(servers.right);
  await page.play('film.mpd');
  await page.moving();
  const before = await page.look();
  assert.equal(before.alert, null);
  assert.equal(before.status, 'Playing');
  assert.deepEqual(
    before.keys,
    KIDS.map((kid) => [kid, 'usable']),
  );
  assert.ok((await page.contrast()) > CONTRAST, 'the picture is blank');
  await page.until(
    (time) => document.querySelector('video').currentTime > time,
    'time goes on',
    before.currentTime,
  );
  await page.until(
    () => document.getElementById('status').textContent === 'Ended',
    'the stream ends',
  );
}

async function logsInOrder({ visit, servers }) {
  const page = await visit(servers.right);
  await page.play('film.mpd');
  await page.until(
    () => document.getElementById('status').textContent === 'Ended',
    'the stream ends',
  );
  const { entries } = await page.look();
  const steps = [
    'load',
    'track',
    'encrypted',
    'requestMediaKeySystemAccess()',
    'generateRequest()',
    'message',
    'license',
    'keystatuseschange',
    'first frame',
    'ended',
  ];
  const places = steps.map((step) => entries.findIndex(({ name }) => name === step));
  assert.ok(
    places.every((place) => place >= 0),
    `missing: ${steps.filter((_, at) => places[at] < 0)}`,
  );
  assert.deepEqual(
    places,
    places.toSorted((a, b) => a - b),
    await page.story(),
  );
  for (const name of ['update()', 'playing', 'loadedmetadata', 'Laurl']) {
    assert.ok(
      entries.some((entry) => entry.name === name),
      `no ${name}`,
    );
  }
  const times = entries.map(({ time }) => time);
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
    'times go on',
  );
  const text = (name) => entries.find((entry) => entry.name === name).text;
  for (const kid of KIDS) {
    for (const name of ['encrypted', 'license', 'keystatuseschange'])
      assert.ok(text(name).includes(kid), name);
  }
  assert.match(text('encrypted'), /initDataType cenc/);
  assert.match(text('requestMediaKeySystemAccess()'), /robustness none, encryptionScheme cenc/);
  assert.match(text('license'), /HTTP 200/);
  assert.deepEqual(
    entries.filter(({ error }) => error),
    [],
  );
}

async function playsFiles({ name: browser, visit, servers }) {
  const page = await visit(servers.right);
  const files = [
    'shaka_cbcs_avc_aac_video.mp4',
    'shaka_webm_vp9_nosubsample_video.webm',
    'mp4ff_cbcs_avc_aac_v.mp4',
  ];
  if (browser === 'chromium') files.push('b4_cenc_avc_aac_fragb4.mp4'); // Firefox does not open it, clear or not
  for (const file of files) {
    await page.play(file);
    await page.until(
      (wanted) => document.querySelector('#entries li')?.innerText.includes(wanted),
      'it is loaded',
      file,
    );
    await page.moving();
    const { alert, keys } = await page.look();
    assert.equal(alert, null, file);
    assert.ok(keys.length && keys.every(([, status]) => status === 'usable'), `${file}: ${keys}`);
    assert.ok((await page.contrast()) > CONTRAST, `${file}: the picture is blank`);
  }
}

/// ClearKey makes nothing of it, but the tracks have their key ids.
async function playsForeign({ visit, servers }) {
  const page = await visit(servers.right);
  await page.play('foreign.mp4');
  await page.moving();
  const { alert, entries, keys } = await page.look();
  assert.equal(alert, null);
  assert.match(entries.find(({ name }) => name === 'encrypted').text, /pssh: Widevine/);
  assert.ok(entries.some(({ name, error }) => name === 'generateRequest()' && error));
  assert.ok(entries.some(({ name }) => name === 'initDataType keyids'));
  assert.deepEqual(
    keys.map(([, status]) => status),
    ['usable'],
  );
}

async function hidesKeys({ visit, servers }) {
  const page = await visit(servers.right);
  await page.play('film.mpd');
  await page.moving();
  const shows = () =>
    page.page.evaluate((key) => document.documentElement.outerHTML.includes(key), KEY);
  assert.equal(await shows(), false);
  await page.tabTo('#show-keys');
  await page.page.keyboard.press(' ');
  assert.equal(await shows(), true);
  await page.page.keyboard.press(' ');
  assert.equal(await shows(), false);
}

async function unknownKey({ visit, servers }) {
  const page = await visit(servers.unknown);
  await page.play('film.mpd');
  const alert = await page.until(
    () => document.getElementById('alert').innerText,
    'the page says what is wrong',
  );
  assert.match(alert, /No license: the license server answered 404/);
  const { entries, status, keys, currentTime } = await page.look();
  assert.match(status, /^(Failed|Waiting for a key)$/); // as the last event has it
  assert.match(entries.find(({ name, error }) => name === 'license' && error).text, /404/);
  assert.deepEqual(keys, []);
  assert.equal(currentTime, 0);
  assert.ok((await page.contrast()) < CONTRAST, 'there is a picture without a key');
}

/// Whole frames are protected, so that a wrong key leaves nothing that could be decoded.
async function wrongKey({ visit, servers }) {
  const page = await visit(servers.wrong);
  await page.play('shaka_webm_vp9_nosubsample_video.webm');
  const alert = await page.until(
    () => document.getElementById('alert').innerText,
    'the page says what is wrong',
  );
  assert.match(alert, /The media cannot be played: .*A wrong key looks like this, too\./);
  const { entries, keys, error } = await page.look();
  assert.equal(error, 3); // MEDIA_ERR_DECODE
  assert.ok(entries.some(({ name, error }) => name === 'error' && error));
  assert.deepEqual(keys, [[KIDS[0], 'usable']]); // nothing tells a CDM
}

async function unplayable({ visit, servers }) {
  const page = await visit(servers.right);
  const cases = [
    ['gpac_cenc8_prog_avc_aac.mp4', /is progressive; MediaSource takes fragmented files only/],
    [
      'shaka_cens_avc_aac_video.mp4',
      /encrypted by the scheme cens; browsers decrypt only cenc and cbcs/,
    ],
  ];
  for (const [file, reason] of cases) {
    await page.play(file);
    const test = (source) => new RegExp(source).test(document.getElementById('alert').innerText);
    await page.until(test, `${file}: the page says why`, reason.source);
    assert.equal((await page.look()).status, 'Failed');
  }
}

async function oneAfterTheOther({ visit, servers }) {
  const page = await visit(servers.right);
  await page.play('long_index.mp4');
  await page.moving();
  await page.play('film.mpd');
  await page.play('film.mpd'); // at once, again
  await page.until(
    () => document.getElementById('status').textContent === 'Ended',
    'the stream ends',
  );
  const { entries, keys, alert } = await page.look();
  assert.equal(alert, null);
  assert.deepEqual(
    keys,
    KIDS.map((kid) => [kid, 'usable']),
  );
  assert.equal(entries.filter(({ name }) => name === 'load').length, 1);
  assert.ok(entries.every(({ text }) => !text.includes('long_index')));
}

async function closesSessions({ visit, servers }) {
  const page = await visit(servers.right);
  await page.play('long_index.mp4');
  await page.moving();
  await page.tabTo('button[aria-label="Remove session 1"]');
  await page.page.keyboard.press('Enter');
  const says = (name) =>
    [...document.querySelectorAll('#entries li')].some((item) => item.dataset.name === name);
  await page.until(says, 'remove() is logged', 'remove()');
  await page.tabTo('button[aria-label="Close session 1"]');
  await page.page.keyboard.press('Enter');
  await page.until(says, 'closed is logged', 'closed');
  await page.until(() => document.activeElement.innerText === 'closed', 'the focus is not lost');
  assert.deepEqual((await page.look()).keys, []);
}

/// The CDMs that browsers bring have no persistent licenses.
async function refusesPersistent({ visit, servers }) {
  const page = await visit(servers.right);
  await page.tabTo('#session-type');
  await page.page.keyboard.type('persistent');
  assert.equal(
    await page.page.$eval('#session-type', (select) => select.value),
    'persistent-license',
  );
  await page.page.keyboard.down('Shift');
  await page.tabTo('input[name=stream]');
  await page.page.keyboard.up('Shift');
  await page.play('film.mpd');
  const alert = await page.until(
    () => document.getElementById('alert').innerText,
    'the page says what is wrong',
  );
  assert.match(
    alert,
    /org\.w3\.clearkey does not support persistent-license sessions for video\/mp4; codecs="avc1/,
  );
}

async function noStreams({ visit, servers }) {
  const page = await visit(servers.empty);
  const { alert } = await page.look();
  assert.match(alert, /This server has no streams: start it with --media DIR/);
}

/// The same server by a name that is not localhost.
async function insecure({ visit, servers, elsewhere }) {
  const page = await visit(servers.right.replace('127.0.0.1', elsewhere));
  assert.match(
    (await page.look()).alert,
    /need a secure context: open this page by https, or at localhost/,
  );
}

async function typedAddress({ visit, servers }) {
  const page = await visit(servers.right);
  await page.tabTo('#address');
  await page.page.keyboard.type('media/shaka_cenc_avc_aac_video.mp4');
  await page.page.keyboard.press('Enter');
  await page.moving();
  await page.tabTo('#address');
  for (const [typed, reason] of [
    ['/media/none.mpd', 'HTTP status 404'],
    ['ftp://x/', 'The address of the stream is none'],
  ]) {
    await page.page.keyboard.down('Control');
    await page.page.keyboard.press('a');
    await page.page.keyboard.up('Control');
    await page.page.keyboard.type(typed);
    await page.page.keyboard.press('Enter');
    await page.until(
      (text) => document.getElementById('alert').innerText.includes(text),
      reason,
      reason,
    );
  }
}

/// Not all is fetched at once, and to go to any time takes it there; with an index, past what lies between.
async function seeks({ visit, servers }, file, hasIndex) {
  const page = await visit(servers.right);
  await page.play(file);
  await page.moving();
  const { buffered } = await page.look();
  assert.ok(buffered.at(-1)[1] < LONG - 20, `${buffered.at(-1)[1]} s are buffered at the start`);
  for (const time of [LAST, 45.3, 1]) {
    await page.page.evaluate((to) => (document.querySelector('video').currentTime = to), time);
    await page.until(
      (to) => document.querySelector('video').currentTime > to + 0.5,
      `it plays on from ${time} s`,
      time,
    );
    const { alert, status, buffered } = await page.look();
    assert.deepEqual([alert, status], [null, 'Playing'], `after seeking to ${time} s`);
    if (time === LAST) assert.equal(buffered.length > 1, hasIndex, `buffered: ${buffered}`);
  }
}

async function accessible({ visit, servers, axe }) {
  const playing = await visit(servers.right);
  assert.deepEqual(await violations(playing, axe), [], 'before');
  await playing.play('film.mpd');
  await playing.moving();
  await playing.page.$$eval('details', (all) => all.forEach((one) => (one.open = true)));
  assert.deepEqual(await violations(playing, axe), [], 'while it plays');
  const failed = await visit(servers.unknown);
  await failed.play('film.mpd');
  await failed.until(
    () => document.getElementById('alert').innerText,
    'the page says what is wrong',
  );
  assert.deepEqual(await violations(failed, axe), [], 'after a failure');
}

async function accessibleInTheDark({ visit, servers, axe }) {
  const page = await visit(servers.unknown);
  await page.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
  assert.equal(
    await page.page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches),
    true,
  );
  await page.play('film.mpd');
  await page.until(() => document.getElementById('alert').innerText, 'the page says what is wrong');
  assert.deepEqual(await violations(page, axe), [], 'after a failure');
  const playing = await visit(servers.right);
  await playing.page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
  await playing.play('film.mpd');
  await playing.moving();
  assert.deepEqual(await violations(playing, axe), [], 'while it plays');
}

async function fits({ visit, servers, axe }) {
  for (const view of [
    { width: 320, height: 640 },
    { width: 600, height: 450, scale: 2 },
  ]) {
    const page = await visit(servers.right, view);
    await page.play('film.mpd');
    await page.moving();
    const wide = await page.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(wide <= 0, `${wide} pixels too wide at ${view.width}`);
    assert.deepEqual(await violations(page, axe), [], `at ${view.width}`);
  }
}

/// What axe-core finds. The page's policy allows no script from elsewhere, so it is evaluated.
async function violations({ page }, axe) {
  await page.evaluate(axe);
  return page.evaluate(async () => {
    const { violations } = await window.axe.run(document);
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id} at ${target}: ${failureSummary}`),
    );
  });
}
