// Protection System Specific Header boxes (ISO/IEC 23001-7, 8.1).
import { fromHex } from './octets.mjs';

export const COMMON = '1077efecc0b24d02ace33c1e52e2fb4b';
export const WIDEVINE = 'edef8ba979d64acea3c827dcd51d21ed';

/// One box. `kids` makes it a box of version 1; `data` is hex.
export function pssh({ system = COMMON, kids = null, data = '' }) {
  const list = kids ? number(kids.length) + kids.join('') : '';
  const body = `${kids ? '01' : '00'}000000${system}${list}${number(data.length / 2)}${data}`;
  return fromHex(`${number(8 + body.length / 2)}70737368${body}`);
}

/// Several boxes in a row.
export function row(...boxes) {
  return new Uint8Array(boxes.flatMap((box) => [...box]));
}

function number(value) {
  return value.toString(16).padStart(8, '0');
}
