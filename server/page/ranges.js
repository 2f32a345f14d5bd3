// Reads parts of a file over HTTP.

/// The octets `first` to `last` of a file, both included. Fewer come back where the file ends, and
/// none behind its end.
export async function read(url, first, last, signal) {
  const headers = { range: `bytes=${first}-${last}` };
  // A stream that was encrypted anew must not mix with what a cache has of the old one.
  const response = await fetch(url, { headers, signal, cache: 'no-store' }).catch((error) => {
    if (signal?.aborted) throw error;
    throw new Error(`${url} cannot be fetched: ${error.message}`);
  });
  if (response.status === 416) return new Uint8Array();
  if (!response.ok) throw new Error(`${url}: HTTP status ${response.status}`);
  const octets = new Uint8Array(await response.arrayBuffer());
  const wanted = last - first + 1;
  if (response.status !== 206 && (first > 0 || octets.length > wanted)) {
    throw new Error(`${url}: its server does not answer byte ranges`);
  }
  return octets;
}
