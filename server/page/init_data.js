// What initialization data says (EME Initialization Data Format Registry).
import { fromBase64, hex } from './octets.js';
import { boxes } from './mp4.js';

const SYSTEMS = {
  '1077efecc0b24d02ace33c1e52e2fb4b': 'common',
  '9a04f07998404286ab92e65be0885f95': 'PlayReady',
  e2719d58a985b3c9781ab030af78d30e: 'ClearKey of DASH-IF',
  edef8ba979d64acea3c827dcd51d21ed: 'Widevine',
  '94ce86fb07ff4f43adb893d2fa968ca2': 'FairPlay',
};

/// The key ids in initialization data, in hex, and the systems that it is for. Of a `pssh` box of
/// version 0 nobody but its system knows the key ids.
export function explain(type, octets) {
  if (type === 'webm') return { kids: [hex(octets)], systems: [] };
  if (type === 'keyids') {
    const { kids } = JSON.parse(new TextDecoder().decode(octets));
    return { kids: kids.map((kid) => hex(fromBase64(kid))), systems: [] };
  }
  const all = [...boxes(octets)].filter((box) => box.type === 'pssh').map(readPssh);
  return {
    kids: [...new Set(all.flatMap(({ kids }) => kids))],
    systems: [...new Set(all.map(({ system }) => SYSTEMS[system] ?? system))],
  };
}

function readPssh({ body }) {
  const system = hex(body.subarray(4, 20));
  const view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  const count = view.getUint8(0) > 0 ? view.getUint32(20) : 0;
  const within = Math.min(count, Math.floor((body.length - 24) / 16)); // `count` may be a lie
  const kids = Array.from({ length: Math.max(within, 0) }, (_, at) =>
    hex(body.subarray(24 + 16 * at, 40 + 16 * at)),
  );
  return { system, kids };
}
