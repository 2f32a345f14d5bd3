// Initialization data of each type, and the request that it leads to: exact to the octet.
import { equal, rejects } from '../page/check.mjs';
import { base64url, fromHex, text, utf8 } from '../page/octets.mjs';
import { COMMON, WIDEVINE, pssh, row } from '../page/pssh.mjs';
import { keyIds, makeMediaKeys, request } from '../page/session.mjs';

const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(32));
const other = pssh({ system: WIDEVINE, data: 'abcd' });
const otherWithKids = pssh({ system: WIDEVINE, kids: [A] });
const empty = pssh({ kids: [] });
const truncated = pssh({ kids: [A, B] }).slice(0, -20); // its size says more
const lengths = ['01', '0102030405', A + B];
const kid = base64url(fromHex(C));
const spacious = ` { "x" : [1, {"y": null}], "kids" : [ "${kid}" ], "z": "\\u00e9" } `;

export const cases = [
  asks('cenc: one common box of version 1', 'cenc', pssh({ kids: [A] }), [A]),
  asks('cenc: three key ids in the order of the box', 'cenc', pssh({ kids: [C, A, B] }), [C, A, B]),
  asks('cenc: a key id that stands twice', 'cenc', pssh({ kids: [B, B, A] }), [B, A]),
  asks('cenc: data after the key ids', 'cenc', pssh({ kids: [A], data: 'ffff' }), [A]),
  asks('cenc: another system first', 'cenc', row(other, pssh({ kids: [A, B] })), [A, B]),
  asks('cenc: another system last', 'cenc', row(pssh({ kids: [A, B] }), other), [A, B]),
  asks('cenc: two common boxes', 'cenc', row(pssh({ kids: [A] }), pssh({ kids: [B] })), [A]),
  asks('cenc: an empty common box first', 'cenc', row(empty, pssh({ kids: [B] })), [B]),
  asks('cenc: version 0, then version 1', 'cenc', row(pssh({}), pssh({ kids: [C] })), [C]),
  refuses('cenc: another system only', 'cenc', other, 'NotSupportedError'),
  refuses('cenc: version 0 only', 'cenc', pssh({}), 'NotSupportedError'),
  refuses('cenc: key ids of another system', 'cenc', otherWithKids, 'NotSupportedError'),
  refuses('cenc: truncated', 'cenc', truncated, 'TypeError'),
  refuses('cenc: not a box', 'cenc', fromHex(COMMON), 'TypeError'),
  asks('webm: 16 octets', 'webm', fromHex(A), [A]),
  asks('webm: 1 octet', 'webm', fromHex('07'), ['07']),
  asks('keyids: one', 'keyids', keyIds(A), [A]),
  asks('keyids: 1, 5 and 32 octets', 'keyids', keyIds(...lengths), lengths),
  asks('keyids: more members, white space', 'keyids', utf8(spacious), [C]),
  refuses('keyids: no kids', 'keyids', utf8('{}'), 'TypeError'),
  refuses('keyids: an empty list', 'keyids', utf8('{"kids":[]}'), 'TypeError'),
  refuses('keyids: no JSON', 'keyids', utf8('kids'), 'TypeError'),
  refuses('another type', 'none', fromHex(A), 'NotSupportedError'),
];

function asks(name, type, data, expected) {
  return {
    name,
    async run() {
      const opened = await request(await makeMediaKeys(), type, data);
      const list = expected.map((kid) => base64url(fromHex(kid)));
      equal(text(opened.request), JSON.stringify({ kids: list, type: 'temporary' }), 'message');
      equal(opened.session.keyStatuses.size, 0, 'key statuses');
      await opened.session.close();
    },
  };
}

function refuses(name, type, data, exception) {
  return {
    name,
    async run() {
      const session = (await makeMediaKeys()).createSession();
      await rejects(session.generateRequest(type, data), exception, 'generateRequest');
      equal(session.sessionId, '', 'session id');
    },
  };
}
