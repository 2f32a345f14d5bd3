// Keys that are wrong, missing, late, replaced or another page's.
import { delay, equal, holds } from '../page/check.mjs';
import { context } from '../page/context.mjs';
import { answer, license } from '../page/license.mjs';
import { Player, play } from '../page/player.mjs';
import { all, keyIds, request, statuses } from '../page/session.mjs';
import { streams } from '../page/streams.mjs';

const VIDEO = '10000000100010001000100000000001';
const AUDIO = '10000000100010001000100000000002';
const WRONG = 'ff'.repeat(16);

export const cases = [
  { name: 'two keys from two sessions', run: twoSessions },
  ...['cencAvc', 'cbcsAvc', 'cencVp9', 'webmVp9Whole', 'cencAac'].map(wrongKey),
  { name: 'a license that comes late', run: late },
  { name: 'a key that one of two tracks lacks', run: oneTrackLate },
  { name: 'an update replaces a key', run: replaced },
  { name: 'the key of a closed session is gone', run: closed },
  { name: 'the newest of two sessions with a key id counts', run: newest },
  { name: 'keys of other MediaKeys do not count', run: isolated },
];

async function twoSessions() {
  const { player, mediaKeys } = await prepare(streams.cencAvc, streams.cencAac);
  await give(mediaKeys, VIDEO);
  await give(mediaKeys, AUDIO);
  await finish(player);
}

/// The CDM cannot know that a key is wrong. The picture is noise, or the decoder gives up; and the
/// same MediaKeys go on to play.
function wrongKey(name) {
  return {
    name: `a wrong key: ${name}`,
    seconds: 30,
    async run() {
      const { player, mediaKeys } = await prepare(streams[name]);
      const wrong = await give(mediaKeys, VIDEO, AUDIO, (request) =>
        answer(request, { [VIDEO]: WRONG, [AUDIO]: WRONG }),
      );
      equal(statuses(wrong.session), all('usable', VIDEO, AUDIO), 'key statuses');
      await player.start();
      const what = await outcome(player);
      context.note(what);
      holds(what !== 'plays', 'it plays with a wrong key');
      await player.stop();
      await wrong.session.close();

      const again = new Player(streams[name]);
      await again.attach(mediaKeys);
      await give(mediaKeys, VIDEO, AUDIO);
      await finish(again);
    },
  };
}

/// What comes of a player with a wrong key within a few seconds.
async function outcome(player) {
  try {
    await player.past(0.5, 4);
  } catch (error) {
    return error.message;
  }
  await delay(100);
  if (player.video.error) return player.where();
  try {
    await player.judge();
  } catch (error) {
    return error.message;
  }
  return 'plays';
}

async function late() {
  const { player, mediaKeys } = await prepare(streams.cencAvc, streams.cencAac);
  await player.start();
  await player.waitsForKey();
  holds(player.video.currentTime === 0, `it played before there was a key: ${player.where()}`);
  await give(mediaKeys, VIDEO, AUDIO);
  await finish(player, { starts: false });
}

async function oneTrackLate() {
  const { player, mediaKeys } = await prepare(streams.cencAvc, streams.cencAac);
  await give(mediaKeys, AUDIO);
  await player.start();
  await player.waitsForKey();
  await delay(500);
  holds(player.video.currentTime < 0.5, `it played without the key: ${player.where()}`);
  await give(mediaKeys, VIDEO);
  await finish(player, { starts: false });
}

async function replaced() {
  const { player, mediaKeys } = await prepare(streams.cencAvc);
  const opened = await give(mediaKeys, VIDEO, (request) => answer(request, { [VIDEO]: WRONG }));
  await opened.session.update(license({ [VIDEO]: context.keys[VIDEO] }));
  equal(statuses(opened.session), all('usable', VIDEO), 'key statuses');
  await finish(player);
}

async function closed() {
  const { player, mediaKeys } = await prepare(streams.cencAvc);
  await (await give(mediaKeys, VIDEO)).session.close();
  await player.start();
  await player.waitsForKey();
  await give(mediaKeys, VIDEO);
  await finish(player, { starts: false });
}

async function newest() {
  const { player, mediaKeys } = await prepare(streams.cencAvc);
  const wrong = (request) => answer(request, { [VIDEO]: WRONG });
  await give(mediaKeys, VIDEO, wrong);
  await give(mediaKeys, VIDEO);
  const last = await give(mediaKeys, VIDEO, wrong);
  await last.session.close(); // the second counts again
  await finish(player);
}

async function isolated() {
  const { player } = await prepare(streams.cencAvc);
  const others = await player.makeMediaKeys();
  await give(others, VIDEO);
  await player.start();
  await player.waitsForKey();
  await player.stop();
  await play([streams.cencAvc]);
}

async function prepare(...list) {
  const player = new Player(...list);
  const mediaKeys = await player.makeMediaKeys();
  await player.attach(mediaKeys);
  return { player, mediaKeys };
}

/// Has a new session get these keys. The last argument may be another license server.
async function give(mediaKeys, ...rest) {
  const respond = typeof rest.at(-1) === 'function' ? rest.pop() : (message) => answer(message);
  const opened = await request(mediaKeys, 'keyids', keyIds(...rest));
  await opened.session.update(respond(opened.request));
  return opened;
}

async function finish(player, { starts = true } = {}) {
  if (starts) await player.start();
  await player.past(1.2);
  await player.judge();
  await player.stop();
}
