// Protected streams play: the page asks for what `encrypted` brings, and gets it.
import { equal, holds } from '../page/check.mjs';
import { context } from '../page/context.mjs';
import { answer } from '../page/license.mjs';
import { text } from '../page/octets.mjs';
import { Player, play } from '../page/player.mjs';
import { keyIds, request } from '../page/session.mjs';
import { streams } from '../page/streams.mjs';

const LENGTH = 3.6; // seconds of four; past the third change of keys

export const cases = [
  { ...plays('cenc: AVC and AAC', ['cencAvc', 'cencAac']), short: true, sound: true },
  { ...plays('cbcs: AVC 1:9 and AAC in whole samples', ['cbcsAvc', 'cbcsAac']), short: true },
  plays('cenc: AVC and AAC in one stream, IVs of 16 octets', ['cencBoth']),
  plays('cenc: AVC', ['cencAvc']),
  { ...plays('cenc: AAC', ['cencAac']), sound: true },
  plays('cenc: VP9', ['cencVp9']),
  { ...plays('cenc: Opus', ['cencOpus']), sound: true },
  plays('cenc: VP9 and Opus', ['cencVp9', 'cencOpus']),
  { ...plays('cbcs: AAC', ['cbcsAac']), sound: true },
  plays('cbcs: AV1', ['cbcsAv1']),
  { ...plays('cbcs: Opus', ['cbcsOpus']), sound: true },
  plays('cbcs: AV1 and Opus', ['cbcsAv1', 'cbcsOpus']),
  plays('cbcs: AVC 5:5', ['cbcs5to5']),
  plays('cbcs: AVC 5:5 and AAC in one stream', ['cbcs5to5Both']),
  plays('WebM: VP9', ['webmVp9']),
  plays('WebM: VP9 without subsamples', ['webmVp9Whole']),
  { ...plays('WebM: Opus', ['webmOpus']), sound: true },
  plays('WebM: VP9 and Opus', ['webmVp9', 'webmOpus']),
  plays('clear lead', ['clearLead'], 2.5),
  plays('key rotation: a session for each key', ['keyRotation'], LENGTH),
  plays('key rotation: one request for all keys', ['keyRotationBoth'], LENGTH),
  { name: 'key rotation: one license before the first frame', run: rotationFromOneLicense },
  { name: 'the request names the keys of the stream', run: namesKeys },
];

function plays(name, list, until) {
  return {
    name,
    seconds: 25,
    async run() {
      const wanted = list.map((one) => streams[one]);
      const sessions = await play(wanted, { until });
      holds(sessions.length > 0, 'the page never heard encrypted');
    },
  };
}

async function rotationFromOneLicense() {
  const player = new Player(streams.keyRotation);
  const mediaKeys = await player.makeMediaKeys();
  await player.attach(mediaKeys);
  const all = await request(mediaKeys, 'keyids', keyIds(...Object.keys(context.keys)));
  await all.session.update(answer(all.request));
  await player.start();
  await player.past(LENGTH);
  await player.judge();
  equal(player.waits, 0, 'waits for a key');
  await player.stop();
}

async function namesKeys() {
  const player = new Player(streams.cencAvc);
  const data = new Promise((heard) => player.video.addEventListener('encrypted', heard));
  await player.start();
  const { initDataType, initData } = await data;
  const opened = await request(await player.makeMediaKeys(), initDataType, initData);
  equal(initDataType, 'cenc', 'type of the initialization data');
  const expected =
    '{"kids":["EAAAABAAEAAQABAAAAAAAg","EAAAABAAEAAQABAAAAAAAQ"],"type":"temporary"}';
  equal(text(opened.request), expected, 'message');
}
