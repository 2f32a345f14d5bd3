// `clearkey serve`, and what it says of the requests that reached it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const LOG_LIMIT = 1 << 16; // characters of stderr that are kept

/// Starts a server of the licenses in `keysFile` and of the streams in `media`.
export async function startServer(clearkey, { keysFile, media }) {
  const address = ['--bind', '127.0.0.1:0'];
  const child = spawn(clearkey, ['serve', ...address, '--keys-file', keysFile, '--media', media], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  process.once('exit', () => child.kill()); // whatever ends the run
  let log = '';
  child.stderr.on('data', (text) => (log = (log + text).slice(-LOG_LIMIT)));
  const ended = once(child, 'exit');
  const lines = createInterface(child.stdout);
  const first = await Promise.race([once(lines, 'line'), ended]);
  const url = /https?:\/\/[^\s/]+\//.exec(String(first[0]))?.[0];
  if (!url) throw new Error(`clearkey serve did not start: ${log}`);
  return {
    url,
    log: () => log,
    /// How many licenses it gave and refused until now, for how many known and unknown key ids.
    async count() {
      const text = await (await fetch(new URL('metrics', url))).text();
      const sum = (name, labels) => total(text, name, labels);
      return {
        given: sum('clearkey_requests_total', ['route="/"', 'status="200"']),
        refused: sum('clearkey_requests_total', ['route="/"', 'status="4']),
        preflights: sum('clearkey_requests_total', ['route="/"', 'status="204"']),
        known: sum('clearkey_kids_total', ['known="true"']),
        unknown: sum('clearkey_kids_total', ['known="false"']),
      };
    },
    async close() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/// What was counted between two counts.
export function difference(before, after) {
  return Object.fromEntries(Object.keys(after).map((name) => [name, after[name] - before[name]]));
}

function total(text, name, labels) {
  const lines = text.split('\n').filter((line) => line.startsWith(`${name}{`));
  const fit = lines.filter((line) => labels.every((label) => line.includes(label)));
  return fit.reduce((sum, line) => sum + Number(line.split('} ')[1].split(' ')[0]), 0);
}
