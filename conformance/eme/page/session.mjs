// Key sessions as a page uses them: a request comes in a message, a license goes back.
import { holds, soon } from './check.mjs';
import { context } from './context.mjs';
import { base64url, fromHex, hex, utf8 } from './octets.mjs';

const VIDEO = { contentType: 'video/mp4; codecs="avc1.4d401e"' };

/// MediaKeys for these capabilities, made after access was granted.
export async function makeMediaKeys({ video = [VIDEO], audio = [], persistent = false } = {}) {
  const configuration = {
    initDataTypes: ['cenc', 'keyids', 'webm'],
    ...(video.length && { videoCapabilities: video }),
    ...(audio.length && { audioCapabilities: audio }),
    ...(persistent && {
      persistentState: 'required',
      sessionTypes: ['temporary', 'persistent-license'],
    }),
  };
  const access = await navigator.requestMediaKeySystemAccess(context.keySystem, [configuration]);
  return soon(access.createMediaKeys(), 'createMediaKeys');
}

/// A session with a mailbox: `message` waits for its next message.
export function newSession(mediaKeys, type = 'temporary') {
  const session = mediaKeys.createSession(type);
  const [come, waiting] = [[], []];
  session.addEventListener('message', ({ messageType, message }) => {
    const one = { messageType, message };
    if (waiting.length) waiting.shift()(one);
    else come.push(one);
  });
  const next = () =>
    come.length ? Promise.resolve(come.shift()) : new Promise((hand) => waiting.push(hand));
  return { session, message: (what = 'message') => soon(next(), what), unread: () => come.length };
}

/// A session that has made its request, and the request.
export async function request(mediaKeys, initDataType, initData, type) {
  const opened = newSession(mediaKeys, type);
  await soon(opened.session.generateRequest(initDataType, initData), 'generateRequest');
  const { messageType, message } = await opened.message('license-request');
  holds(messageType === 'license-request', `a ${messageType} instead of a license-request`);
  return { ...opened, request: message };
}

/// Initialization data of type `keyids`.
export function keyIds(...kids) {
  return utf8(JSON.stringify({ kids: kids.map((kid) => base64url(fromHex(kid))) }));
}

/// The key statuses of a session as `[kid, status]`, the kids in hex.
export function statuses(session) {
  return [...session.keyStatuses].map(([kid, status]) => [hex(kid), status]);
}

/// What `statuses` gives of keys that all have this status.
export function all(status, ...kids) {
  return kids.map((kid) => [kid, status]);
}
