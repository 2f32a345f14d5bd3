// Serves files on localhost, with the byte ranges that media elements ask for. Localhost counts as
// secure, which EME asks of a page.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.mjs': 'text/javascript; charset=utf-8',
  '.mp4': 'video/mp4',
  '.webm': 'video/webm',
};

/// The content type of a file by its name.
export function typeOf(file) {
  return TYPES[path.extname(file)] ?? 'application/octet-stream';
}

/// Starts a server. `routes` says what a path in the address stands for; nothing else is
/// reachable. It is a Map, or a function (asynchronous or not). What it gives is the path of a
/// file, or `{ type, text }`.
export async function serve(routes) {
  const resolve = routes instanceof Map ? (address) => routes.get(address) : routes;
  const server = http.createServer((request, response) => {
    answer(resolve, request, response).catch((error) => response.destroy(error));
  });
  await new Promise((started) => server.listen(0, '127.0.0.1', started));
  return {
    origin: `http://localhost:${server.address().port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function answer(resolve, request, response) {
  const { pathname } = new URL(request.url, 'http://localhost');
  const found = await resolve(decodeURIComponent(pathname));
  if (!found) return response.writeHead(404).end();
  if (typeof found === 'string') return sendFile(found, request, response);
  response.writeHead(200, { 'cache-control': 'no-store', 'content-type': found.type });
  response.end(request.method === 'HEAD' ? undefined : found.text);
}

async function sendFile(file, request, response) {
  const { size } = await stat(file);
  const headers = {
    'accept-ranges': 'bytes',
    'cache-control': 'no-store',
    'content-type': typeOf(file),
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
