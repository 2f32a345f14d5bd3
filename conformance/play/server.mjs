// Serves a fixed set of files on localhost, with the byte ranges that media elements ask for.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mp4': 'video/mp4',
  '.webm': 'video/webm',
};

/// Starts a server. `routes` maps a path in the address to a file; nothing else is reachable.
export async function serve(routes) {
  const server = http.createServer((request, response) => {
    answer(routes, request, response).catch((error) => response.destroy(error));
  });
  await new Promise((started) => server.listen(0, '127.0.0.1', started));
  return {
    origin: `http://127.0.0.1:${server.address().port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function answer(routes, request, response) {
  const file = routes.get(new URL(request.url, 'http://localhost').pathname);
  if (!file) return response.writeHead(404).end();
  const { size } = await stat(file);
  const headers = {
    'accept-ranges': 'bytes',
    'cache-control': 'no-store',
    'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream',
  };
  const range = parseRange(request.headers.range, size);
  if (range === null) {
    return response.writeHead(416, { 'content-range': `bytes */${size}` }).end();
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  headers['content-length'] = end - start + 1;
  if (range) headers['content-range'] = `bytes ${start}-${end}/${size}`;
  response.writeHead(range ? 206 : 200, headers);
  if (request.method === 'HEAD' || size === 0) return response.end();
  const bytes = createReadStream(file, { start, end });
  response.on('close', () => bytes.destroy()); // a player leaves in the middle as a rule
  bytes.on('error', (error) => response.destroy(error));
  bytes.pipe(response);
}

/// The one range asked for; undefined without one, null if it lies outside the file.
function parseRange(header, size) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match || match[0] === 'bytes=-') return undefined;
  const [, first, last] = match;
  const start = first ? Number(first) : Math.max(0, size - Number(last));
  const end = first && last ? Math.min(Number(last), size - 1) : size - 1;
  return start <= end ? { start, end } : null;
}
