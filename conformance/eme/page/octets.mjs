// Octets as text: hex, base64url without padding, UTF-8.

export function hex(octets) {
  return [...view(octets)].map((octet) => octet.toString(16).padStart(2, '0')).join('');
}

export function fromHex(text) {
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
}

export function base64url(octets) {
  const padded = btoa(String.fromCharCode(...view(octets)));
  return padded.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

export function fromBase64url(text) {
  const plain = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(plain, (character) => character.charCodeAt(0));
}

export function utf8(text) {
  return new TextEncoder().encode(text);
}

export function text(octets) {
  return new TextDecoder('utf-8', { fatal: true }).decode(octets);
}

function view(octets) {
  return octets instanceof ArrayBuffer
    ? new Uint8Array(octets)
    : new Uint8Array(octets.buffer, octets.byteOffset, octets.byteLength);
}
