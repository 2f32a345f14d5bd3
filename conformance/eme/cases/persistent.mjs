// Sessions of type `persistent-license`. Between two steps of a case the browser starts anew, with
// the profile that it had.
import { eventually, equal, holds, rejects, soon } from '../page/check.mjs';
import { context } from '../page/context.mjs';
import { acknowledgement, answer, license } from '../page/license.mjs';
import { text } from '../page/octets.mjs';
import { Player } from '../page/player.mjs';
import { all, keyIds, makeMediaKeys, newSession, request, statuses } from '../page/session.mjs';
import { streams } from '../page/streams.mjs';

const VIDEO = '10000000100010001000100000000001';
const AUDIO = '10000000100010001000100000000002';
const RELEASE = '{"kids":["EAAAABAAEAAQABAAAAAAAQ","EAAAABAAEAAQABAAAAAAAg"]}';
const USABLE = all('usable', VIDEO, AUDIO);
const RELEASED = all('released', VIDEO, AUDIO);
const TYPE = 'persistent-license';

export const cases = [
  { name: 'persistent: a round trip', run: roundTrip, short: true },
  { name: 'persistent: the request', run: theRequest },
  { name: 'persistent: after a restart', steps: [store, loadAndPlay, loadAndRemove, loadRemoved] },
  { name: 'persistent: a release pends over a restart', steps: [storeAndRemove, loadRemoved] },
  { name: 'persistent: an acknowledged release', steps: [storeAndRelease, loadNothing] },
  {
    name: 'persistent: an acknowledged release after a restart',
    steps: [storeAndRemove, acknowledgeLoaded, loadNothing],
  },
  { name: 'persistent: what was never updated', steps: [storeNothing, loadNothing] },
  { name: 'persistent: an unknown id', run: unknownId },
  { name: "persistent: an unknown id does not become the session's", run: unknownIdIsNotKept },
  { name: 'persistent: an id of another form', run: strangeId },
  { name: 'persistent: load while open', run: loadWhileOpen },
  { name: 'persistent: a temporary license', run: temporaryLicense },
  { name: 'persistent: an acknowledgement of no release', run: strayAcknowledgement },
  { name: 'persistent: load of a temporary session', run: loadTemporary },
  { name: 'persistent: two licenses in one session', run: twoLicenses },
  { name: 'persistent: no license after remove', run: noLicenseAfterRemove },
].map((one) => ({ seconds: 30, ...one }));

async function roundTrip() {
  const mediaKeys = await makeMediaKeys({ persistent: true });
  const first = await licensed(mediaKeys);
  const id = first.session.sessionId;
  await shut(first.session);
  const loaded = await loadOpen(mediaKeys, id, USABLE);
  await remove(loaded);
  await shut(loaded.session);
  await released(await loadOpen(mediaKeys, id, RELEASED));
}

async function theRequest() {
  const mediaKeys = await makeMediaKeys({ persistent: true });
  const one = await request(mediaKeys, 'keyids', keyIds(VIDEO), TYPE);
  equal(text(one.request), `{"kids":["EAAAABAAEAAQABAAAAAAAQ"],"type":"${TYPE}"}`, 'message');
  equal(statuses(one.session), [], 'statuses');
}

async function store() {
  const { session } = await licensed(await makeMediaKeys({ persistent: true }));
  const id = session.sessionId;
  await shut(session);
  return { id };
}

async function loadAndPlay({ id }) {
  const player = new Player(streams.cencAvc, streams.cencAac);
  const mediaKeys = await player.makeMediaKeys({ persistent: true });
  await player.attach(mediaKeys);
  const { session, unread } = await loadOpen(mediaKeys, id, USABLE);
  equal(session.sessionId, id, 'session id');
  await player.start();
  await player.past(1.2);
  await player.judge();
  await player.stop();
  equal(unread(), 0, 'messages');
  await shut(session);
  return { id };
}

async function loadAndRemove({ id }) {
  await remove(await loadOpen(await makeMediaKeys({ persistent: true }), id, USABLE));
  return { id };
}

async function loadRemoved({ id }) {
  const player = new Player(streams.cencAvc);
  const mediaKeys = await player.makeMediaKeys({ persistent: true });
  await player.attach(mediaKeys);
  await released(await loadOpen(mediaKeys, id, RELEASED));
  await player.start();
  await player.waitsForKey();
  await player.stop();
}

async function storeAndRemove() {
  const one = await licensed(await makeMediaKeys({ persistent: true }));
  await remove(one);
  return { id: one.session.sessionId };
}

async function storeAndRelease() {
  const mediaKeys = await makeMediaKeys({ persistent: true });
  const one = await licensed(mediaKeys);
  const id = one.session.sessionId;
  await acknowledge(one, await remove(one));
  await loadNothing({ id });
  return { id };
}

async function acknowledgeLoaded({ id }) {
  const loaded = await loadOpen(await makeMediaKeys({ persistent: true }), id, RELEASED);
  await acknowledge(loaded, await released(loaded));
  return { id };
}

async function storeNothing() {
  const mediaKeys = await makeMediaKeys({ persistent: true });
  const { session } = await request(mediaKeys, 'keyids', keyIds(VIDEO), TYPE);
  const id = session.sessionId;
  await shut(session);
  return { id };
}

async function loadNothing({ id }) {
  equal(await load(await makeMediaKeys({ persistent: true }), id), false, 'load');
}

async function unknownId() {
  const mediaKeys = await makeMediaKeys({ persistent: true });
  const { session } = newSession(mediaKeys, TYPE);
  equal(await soon(session.load('4294967295'), 'load'), false, 'load');
  await rejects(session.update(license({ [VIDEO]: VIDEO }, TYPE)), 'InvalidStateError', 'update');
}

async function unknownIdIsNotKept() {
  const { session } = newSession(await makeMediaKeys({ persistent: true }), TYPE);
  await soon(session.load('4294967295'), 'load');
  equal(session.sessionId, '', 'session id');
}

async function strangeId() {
  const mediaKeys = await makeMediaKeys({ persistent: true });
  for (const id of ['', '!@#$%^&*()', '-1']) {
    await rejects(newSession(mediaKeys, TYPE).session.load(id), 'TypeError', `load of "${id}"`);
  }
}

async function loadWhileOpen() {
  const mediaKeys = await makeMediaKeys({ persistent: true });
  const one = await licensed(mediaKeys);
  const id = one.session.sessionId;
  await rejects(load(mediaKeys, id), 'QuotaExceededError', 'load while the session is open');
  equal(statuses(one.session), USABLE, 'statuses of the open session');
  await shut(one.session);
  equal(await load(mediaKeys, id), true, 'load once it is closed');
}

async function temporaryLicense() {
  const mediaKeys = await makeMediaKeys({ persistent: true });
  const one = await request(mediaKeys, 'keyids', keyIds(VIDEO), TYPE);
  await rejects(one.session.update(license({ [VIDEO]: VIDEO })), 'TypeError', 'update');
  equal(statuses(one.session), [], 'statuses');
  await soon(one.session.update(answer(one.request)), 'update with a persistent license');
  equal(statuses(one.session), all('usable', VIDEO), 'statuses with a persistent license');
}

async function strayAcknowledgement() {
  const one = await licensed(await makeMediaKeys({ persistent: true }));
  const stray = new TextEncoder().encode(RELEASE);
  await rejects(one.session.update(stray), 'TypeError', 'update');
  equal(statuses(one.session), USABLE, 'statuses');
}

async function loadTemporary() {
  const mediaKeys = await makeMediaKeys({ persistent: true });
  await rejects(newSession(mediaKeys).session.load('1'), 'TypeError', 'load');
}

async function twoLicenses() {
  const mediaKeys = await makeMediaKeys({ persistent: true });
  const { session } = await request(mediaKeys, 'keyids', keyIds(VIDEO, AUDIO), TYPE);
  for (const kid of [AUDIO, VIDEO]) {
    await soon(session.update(license({ [kid]: context.keys[kid] }, TYPE)), 'update');
  }
  const id = session.sessionId;
  await shut(session);
  await remove(await loadOpen(mediaKeys, id, USABLE));
}

async function noLicenseAfterRemove() {
  const one = await licensed(await makeMediaKeys({ persistent: true }));
  await remove(one);
  const again = license({ [VIDEO]: context.keys[VIDEO] }, TYPE);
  await rejects(one.session.update(again), 'TypeError', 'update');
  equal(statuses(one.session), RELEASED, 'statuses');
}

/// An open session with both keys, which are stored by now.
async function licensed(mediaKeys) {
  const one = await request(mediaKeys, 'keyids', keyIds(VIDEO, AUDIO), TYPE);
  holds(/^\d+$/.test(one.session.sessionId), `session id ${one.session.sessionId}`);
  await soon(one.session.update(answer(one.request)), 'update');
  equal(statuses(one.session), USABLE, 'statuses');
  return one;
}

/// Loads a session, which has these statuses. Browsers hear of them after `load` is through.
async function loadOpen(mediaKeys, id, expected) {
  const loaded = newSession(mediaKeys, TYPE);
  equal(await soon(loaded.session.load(id), 'load'), true, 'load');
  await eventually(() => statuses(loaded.session), expected, 'statuses after load');
  return loaded;
}

async function load(mediaKeys, id) {
  const { session } = newSession(mediaKeys, TYPE);
  const found = await soon(session.load(id), 'load');
  if (found) await shut(session);
  return found;
}

async function remove(one) {
  await soon(one.session.remove(), 'remove');
  equal(statuses(one.session), RELEASED, 'statuses after remove');
  return released(one);
}

/// Waits for the message that says which keys are gone. Yields it.
async function released(one) {
  const { messageType, message } = await one.message('license-release');
  equal([messageType, text(message)], ['license-release', RELEASE], 'message');
  return message;
}

/// Acknowledges a release, and sees the session close. No browser learns the reason of it.
async function acknowledge({ session }, message) {
  await soon(session.update(acknowledgement(message)), 'update with the acknowledgement');
  context.note(`closed: ${await soon(session.closed, 'closed')}`);
  equal(statuses(session), [], 'statuses after the acknowledgement');
}

async function shut(session) {
  await soon(session.close(), 'close');
  await soon(session.closed, 'closed');
}
