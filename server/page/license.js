// Asks a license server, and reads what it answers (EME, section 9.1).
import { fromBase64, hex } from './octets.js';

const HIDDEN = '(hidden)';

/// Posts what a CDM's message holds: a license request, or a release. The result has the HTTP
/// `status`, the `octets` for `update`, the `text`, and in hex the key ids of the license or
/// acknowledgement. Throws if it is neither, and says why.
export async function askServer(server, message, signal) {
  const response = await fetch(server, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: message,
    signal,
  }).catch((error) => {
    if (signal.aborted) throw error;
    throw new Error(
      `the license server ${server} cannot be reached: ${error.message.replace(/\.$/, '')}`,
    );
  });
  const octets = await response.arrayBuffer();
  const text = new TextDecoder().decode(octets);
  const json = parse(text);
  if (!response.ok) {
    const why = json?.error ?? (text.slice(0, 200) || 'no reason was given');
    throw new Error(`the license server answered ${response.status}: ${why}`);
  }
  const kids = json?.keys?.map?.(({ kid }) => kid) ?? json?.kids;
  if (!Array.isArray(kids)) {
    throw new Error(`the license server answered ${response.status}, but neither keys nor kids`);
  }
  return { status: response.status, octets, text, kids: kids.map(kidOf) };
}

/// JSON as people read it. Keys are in it only if they are asked for.
export function pretty(text, showKeys = true) {
  const json = parse(text);
  if (json === undefined) return text;
  const replacer = (name, value) => (name === 'k' && !showKeys ? HIDDEN : value);
  return JSON.stringify(json, replacer, 2);
}

function kidOf(kid) {
  try {
    return hex(fromBase64(kid));
  } catch {
    return `${kid} (no base64url)`;
  }
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
