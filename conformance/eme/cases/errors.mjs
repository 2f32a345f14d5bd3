// Licenses that are none, and what MediaKeys say about certificates and policies.
import { equal, rejects, soon } from '../page/check.mjs';
import { answer } from '../page/license.mjs';
import { utf8 } from '../page/octets.mjs';
import { all, keyIds, makeMediaKeys, request, statuses } from '../page/session.mjs';

const KID = '10000000100010001000100000000001';
const [KID64, KEY64] = ['EAAAABAAEAAQABAAAAAAAQ', 'OiobaN0r2bLusl6ExHdmaA'];
const jwk = `{"kty":"oct","kid":"${KID64}","k":"${KEY64}"}`;

export const cases = [
  license('no JSON', '{"keys":'),
  license('no license', '{"kids":[]}'),
  license('an empty list of keys', '{"keys":[],"type":"temporary"}'),
  license('not ASCII in a key id', `{"keys":[{"kty":"oct","kid":"\u00e9AAA","k":"${KEY64}"}]}`),
  { name: 'update: not ASCII in a member that means nothing', run: accented },
  license('octets that are no UTF-8', Uint8Array.of(0xff, 0xfe, 0x00)),
  license('another type', `{"keys":[${jwk}],"type":"persistent-license"}`),
  license('an unknown type', `{"keys":[${jwk}],"type":"eternal"}`),
  license('a key of 3 octets', `{"keys":[{"kty":"oct","kid":"${KID64}","k":"AAAA"}]}`),
  license('a key with padding', `{"keys":[{"kty":"oct","kid":"${KID64}","k":"${KEY64}=="}]}`),
  license('a key that is not "oct"', `{"keys":[{"kty":"RSA","kid":"${KID64}","k":"${KEY64}"}]}`),
  license('a key without an id', `{"keys":[{"kty":"oct","k":"${KEY64}"}]}`),
  license('nothing', new Uint8Array()),
  license('more than 65536 octets', `{"keys":[${jwk}],"x":"${'x'.repeat(65536)}"}`),
  { name: 'setServerCertificate: false', run: certificate, short: true },
  { name: 'setServerCertificate: nothing', run: noCertificate },
  ...['', '1.0', '1.4', '2.0', '2.3'].map(policy),
  { name: 'getStatusForPolicy: no member', run: noPolicy },
];

/// Is refused, and leaves the session as it was.
function license(name, response) {
  return {
    name: `update: ${name}`,
    short: true,
    async run() {
      const one = await request(await makeMediaKeys(), 'keyids', keyIds(KID));
      const octets = typeof response === 'string' ? utf8(response) : response;
      await rejects(one.session.update(octets), 'TypeError', 'update');
      equal(statuses(one.session), [], 'statuses');
      await soon(one.session.update(answer(one.request)), 'update with a license');
      equal(statuses(one.session), all('usable', KID), 'statuses with a license');
    },
  };
}

async function accented() {
  const one = await request(await makeMediaKeys(), 'keyids', keyIds(KID));
  await soon(one.session.update(utf8(`{"keys":[${jwk}],"x":"\u00e9"}`)), 'update');
  equal(statuses(one.session), all('usable', KID), 'statuses');
}

async function certificate() {
  const mediaKeys = await makeMediaKeys();
  const supported = await soon(mediaKeys.setServerCertificate(new Uint8Array(200)), 'answer');
  equal(supported, false, 'setServerCertificate');
}

async function noCertificate() {
  const mediaKeys = await makeMediaKeys();
  await rejects(mediaKeys.setServerCertificate(new Uint8Array()), 'TypeError', 'certificate');
}

function policy(minHdcpVersion) {
  return {
    name: `getStatusForPolicy: HDCP ${minHdcpVersion || '(empty)'}`,
    short: true,
    async run() {
      const mediaKeys = await makeMediaKeys();
      const status = await soon(mediaKeys.getStatusForPolicy({ minHdcpVersion }), 'status');
      equal(status, 'usable', 'status');
    },
  };
}

async function noPolicy() {
  const mediaKeys = await makeMediaKeys();
  await rejects(mediaKeys.getStatusForPolicy({}), 'TypeError', 'getStatusForPolicy');
}
