// Many sessions, their end, and calls in the wrong state.
import { equal, holds, rejects, soon } from '../page/check.mjs';
import { context } from '../page/context.mjs';
import { answer, license } from '../page/license.mjs';
import { Player } from '../page/player.mjs';
import { all, keyIds, makeMediaKeys, newSession, request, statuses } from '../page/session.mjs';
import { streams } from '../page/streams.mjs';

const VIDEO = '10000000100010001000100000000001';
const MANY = 50;

export const cases = [
  { name: '50 sessions', run: fifty, short: true },
  { name: '50 sessions, and one of them plays', run: oneOfFifty },
  { name: 'five MediaKeys with ten sessions each', run: fiveMediaKeys },
  { name: 'keys of several licenses add up', run: addUp, short: true },
  { name: 'close: keys and statuses are gone', run: close, short: true },
  { name: 'close: a second time', run: closeTwice, short: true },
  { name: 'close: nothing is left to be called', run: afterClose, short: true },
  { name: 'close: before a request', run: closeFirst },
  { name: 'remove: a temporary session', run: remove },
  { name: 'remove: a temporary session no longer plays', run: removedKeyIsGone },
  { name: 'remove: a closed session', run: removeClosed },
  { name: 'generateRequest: a second time', run: requestTwice },
  { name: 'generateRequest: after a failure', run: requestAfterFailure },
  { name: 'update: before a request', run: updateFirst },
];

async function fifty() {
  await closeAll(await openMany(await makeMediaKeys(), MANY));
}

async function fiveMediaKeys() {
  const five = [];
  for (let count = 0; count < 5; count += 1) five.push(await makeMediaKeys());
  const opened = await Promise.all(five.map((mediaKeys) => openMany(mediaKeys, 10)));
  for (const sessions of opened) await closeAll(sessions);
}

async function oneOfFifty() {
  const player = new Player(streams.cencAvc);
  const mediaKeys = await player.makeMediaKeys();
  await player.attach(mediaKeys);
  const before = await openMany(mediaKeys, MANY / 2);
  const playing = await request(mediaKeys, 'keyids', keyIds(VIDEO));
  await playing.session.update(answer(playing.request));
  const after = await openMany(mediaKeys, MANY / 2 - 1);
  await closeAll(before);
  await player.start();
  await player.past(1.2);
  await player.judge();
  await closeAll(after);
  await player.stop();
}

/// Sessions that are open at once, each with a key of its own.
async function openMany(mediaKeys, count) {
  const opened = await Promise.all(
    Array.from({ length: count }, async (_, place) => {
      const kid = (place + 1).toString(16).padStart(32, '5');
      const one = await request(mediaKeys, 'keyids', keyIds(kid));
      await soon(one.session.update(answer(one.request, { [kid]: kid })), 'update');
      return { ...one, kid };
    }),
  );
  const ids = new Set(opened.map(({ session }) => session.sessionId));
  equal(ids.size, count, 'different session ids');
  for (const { session, kid } of opened) equal(statuses(session), all('usable', kid), 'statuses');
  return opened;
}

async function closeAll(opened) {
  await soon(Promise.all(opened.map(({ session }) => session.close())), 'close');
  await soon(Promise.all(opened.map(({ session }) => session.closed)), 'closed');
  for (const { session } of opened) equal(statuses(session), [], 'statuses after close');
}

async function addUp() {
  const [first, second] = ['11'.repeat(16), '22'.repeat(16)];
  const { session } = await request(await makeMediaKeys(), 'keyids', keyIds(first));
  const changes = countChanges(session);
  await session.update(license({ [second]: second }));
  equal(statuses(session), all('usable', second), 'statuses after one license');
  await session.update(license({ [first]: first }));
  equal(statuses(session), all('usable', first, second), 'statuses after two');
  equal(session.expiration, NaN, 'expiration');
  await soon(changes.reach(2), 'second keystatuseschange');
}

async function close() {
  const { session } = await opened();
  const changes = countChanges(session);
  await soon(session.close(), 'close');
  const reason = await soon(session.closed, 'closed');
  context.note(`closed: ${reason}`);
  holds([undefined, 'closed-by-application'].includes(reason), `closed for ${reason}`);
  await soon(changes.reach(1), 'keystatuseschange');
  equal(statuses(session), [], 'statuses');
  equal(session.expiration, NaN, 'expiration');
}

async function closeTwice() {
  const { session } = await opened();
  await soon(Promise.all([session.close(), session.close()]), 'close, twice at once');
  await soon(session.closed, 'closed');
  await soon(session.close(), 'close of a closed session');
}

async function afterClose() {
  const { session, request: message } = await opened();
  await soon(session.close(), 'close');
  await rejects(session.update(answer(message)), 'InvalidStateError', 'update');
  const again = session.generateRequest('keyids', keyIds(VIDEO));
  await rejects(again, 'InvalidStateError', 'generateRequest');
}

async function closeFirst() {
  const { session } = newSession(await makeMediaKeys());
  await rejects(session.close(), 'InvalidStateError', 'close');
}

async function remove() {
  const { session, unread } = await opened();
  const changes = countChanges(session);
  await soon(session.remove(), 'remove');
  await soon(changes.reach(1), 'keystatuseschange');
  equal(statuses(session), all('released', VIDEO), 'statuses');
  equal(unread(), 0, 'messages');
  await soon(session.close(), 'close');
}

async function removeClosed() {
  const { session } = await opened();
  await soon(session.close(), 'close');
  await rejects(session.remove(), 'InvalidStateError', 'remove');
}

async function removedKeyIsGone() {
  const player = new Player(streams.cencAvc);
  const mediaKeys = await player.makeMediaKeys();
  await player.attach(mediaKeys);
  const one = await request(mediaKeys, 'keyids', keyIds(VIDEO));
  await one.session.update(answer(one.request));
  await soon(one.session.remove(), 'remove');
  await player.start();
  await player.waitsForKey();
  await player.stop();
}

async function requestTwice() {
  const { session } = await opened();
  const again = session.generateRequest('keyids', keyIds(VIDEO));
  await rejects(again, 'InvalidStateError', 'generateRequest');
  equal(statuses(session), all('usable', VIDEO), 'statuses');
}

async function requestAfterFailure() {
  const { session } = newSession(await makeMediaKeys());
  await rejects(session.generateRequest('keyids', new Uint8Array()), 'TypeError', 'no data');
  const again = session.generateRequest('keyids', keyIds(VIDEO));
  await rejects(again, 'InvalidStateError', 'generateRequest');
}

async function updateFirst() {
  const { session } = newSession(await makeMediaKeys());
  await rejects(session.update(license({ [VIDEO]: VIDEO })), 'InvalidStateError', 'update');
}

async function opened() {
  const one = await request(await makeMediaKeys(), 'keyids', keyIds(VIDEO));
  await one.session.update(answer(one.request));
  return one;
}

/// Counts `keystatuseschange` from now on.
function countChanges(session) {
  let [count, tell] = [0, () => {}];
  session.addEventListener('keystatuseschange', () => {
    count += 1;
    tell();
  });
  const reach = (wanted) =>
    new Promise((done) => {
      tell = () => count >= wanted && done();
      tell();
    });
  return { reach };
}
