// The license server: it answers a request with the keys that were asked for, and with no other.
import { context } from './context.mjs';
import { base64url, fromBase64url, fromHex, hex, text, utf8 } from './octets.mjs';

/// The answer to a request. `keys` maps key ids to keys (hex); ids that it lacks are left out.
export function answer(request, keys = context.keys) {
  const { kids, type } = JSON.parse(text(request));
  const known = kids.map((kid) => hex(fromBase64url(kid))).filter((kid) => keys[kid]);
  return license(Object.fromEntries(known.map((kid) => [kid, keys[kid]])), type);
}

/// A license with these keys.
export function license(keys, type = 'temporary') {
  const list = Object.entries(keys).map(([kid, key]) => ({
    kty: 'oct',
    kid: base64url(fromHex(kid)),
    k: base64url(fromHex(key)),
  }));
  return utf8(JSON.stringify({ keys: list, type }));
}

/// The acknowledgement of a release, which names the same keys.
export function acknowledgement(release) {
  return utf8(JSON.stringify({ kids: JSON.parse(text(release)).kids }));
}
