// Octets as text: hex, base64url without padding, four-character codes.

export function hex(octets) {
  return [...view(octets)].map((octet) => octet.toString(16).padStart(2, '0')).join('');
}

export function fromHex(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function base64url(octets) {
  const padded = btoa(latin1(octets));
  return padded.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

/// Octets of base64 in either alphabet, padded or not.
export function fromBase64(text) {
  const plain = atob(text.trim().replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}

export function latin1(octets) {
  return [...view(octets)].map((octet) => String.fromCharCode(octet)).join('');
}

/// A DataView on the same octets.
export function fields(octets) {
  return new DataView(octets.buffer, octets.byteOffset, octets.byteLength);
}

function view(octets) {
  return octets instanceof ArrayBuffer
    ? new Uint8Array(octets)
    : new Uint8Array(octets.buffer, octets.byteOffset, octets.byteLength);
}
