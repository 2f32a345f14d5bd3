// The same short play again and again, while the runner watches the memory of the CDM's process.
import { soon } from '../page/check.mjs';
import { Player } from '../page/player.mjs';
import { makeMediaKeys } from '../page/session.mjs';
import { streams } from '../page/streams.mjs';

let anchor; // MediaKeys that are never let go, so that the process does not end between two plays

const PLAYS = [
  ['cencAvc', 'cencAac'],
  ['cbcsAvc', 'cbcsAac'],
];

export const cases = [{ name: 'soak: short plays', soak: true, short: true, steps: [hold, once] }];

async function hold() {
  anchor = await makeMediaKeys();
}

async function once(round) {
  const player = new Player(...PLAYS[round % PLAYS.length].map((name) => streams[name]));
  const mediaKeys = await player.makeMediaKeys();
  await player.attach(mediaKeys);
  const sessions = player.fetchLicenses(mediaKeys);
  await player.start();
  await player.past(0.8);
  await player.judge();
  await player.stop();
  for (const { session } of sessions) {
    await soon(session.close(), 'close');
    await soon(session.closed, 'closed');
  }
  return { anchored: Boolean(anchor) };
}
