// Starts `clearkey serve` on a free port.
import { spawn } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';

/// Serves the streams of `media` (or none) with these keys, whose file goes into `folder`. The result
/// has the `address` and `close`.
export async function serve(clearkey, { folder, name, keys, media }) {
  const file = path.join(folder, `${name}.keys`);
  await writeFile(file, `${keys.join('\n')}\n`);
  const args = ['serve', '--bind', '127.0.0.1:0', '--keys-file', file, '--quiet'];
  if (media) args.push('--media', media);
  const child = spawn(clearkey, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const address = await new Promise((resolve, reject) => {
    lines.once('line', resolve);
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`${clearkey} serve ended with ${code}`)));
  });
  return {
    address,
    close: () =>
      new Promise((ended) => {
        child.once('exit', ended);
        child.kill('SIGTERM');
      }),
  };
}
