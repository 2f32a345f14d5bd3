// What the player page has to do with a CDM library that has persistent licenses. Each case gets
// `{ name, keySystem, visit, servers }`.
import assert from 'node:assert/strict';

const KIDS = ['10000000100010001000100000000001', '10000000100010001000100000000002'];

export const LIBRARY_CASES = [
  { name: 'a persistent license plays and is released', run: releases },
];

/// How to launch a browser so that the library has all that it can do.
export function withLibrary(library) {
  return { library, preferences: { 'media.clearkey.persistent-license.enabled': true } };
}

async function releases({ name: browser, keySystem, visit, servers }) {
  const page = await visit(servers.right);
  await page.page.select('#key-system', keySystem);
  await page.page.select('#session-type', 'persistent-license');
  await page.play('film.mpd');
  await page.moving();
  assert.deepEqual(
    (await page.look()).keys,
    KIDS.map((kid) => [kid, 'usable']),
  );
  await page.tabTo('button[aria-label="Remove session 1"]');
  await page.page.keyboard.press('Enter');
  // Chromium refuses the acknowledgement before a CDM sees it; elsewhere it closes the session.
  const end = browser === 'chromium' ? ['update()', 'TypeError'] : ['closed', 'session 1'];
  const logged = (what, text) =>
    [...document.querySelectorAll('#entries li')].some(
      (item) => item.dataset.name === what && item.innerText.includes(text),
    );
  await page.until(logged, `${end} is logged`, ...end);
  const { entries } = await page.look();
  const text = (what, wanted) =>
    entries.find((entry) => entry.name === what && entry.text.includes(wanted))?.text ?? '';
  assert.match(text('message', 'license-request'), /license-request/);
  assert.match(text('message', 'license-release'), /license-release/);
  assert.match(text('release', 'HTTP'), /HTTP 200/);
  for (const kid of KIDS) {
    assert.ok(text('release', 'HTTP').includes(kid), `${kid} is not acknowledged`);
    assert.ok(text('keystatuseschange', 'released').includes(`${kid} released`), kid);
  }
}
