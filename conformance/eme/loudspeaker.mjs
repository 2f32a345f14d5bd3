// A sound device for Firefox, which plays no audio without one, and shows a page no sample of
// protected audio. ALSA makes one that takes everything at once, and can write it down.
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';

export const RATE = 48_000; // samples a second of each of two channels, as the fixtures have
const FRAME = 8; // octets: two numbers of 32 bits
const MOST = 20 * RATE * FRAME; // octets that are read back
const PIECE = RATE; // samples that are asked for
const ATTACK = RATE / 10; // samples after the first sound that are left out

/// Makes the device. `records` keeps what is played; a stream goes on with silence, some 50 MiB a
/// second, so that this is nothing for long.
export async function makeLoudspeaker({ records }) {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'eme-sound-'));
  const configuration = path.join(folder, 'asound.conf');
  const record = path.join(folder, 'record.raw');
  const device = records
    ? `{ type file slave.pcm { type null } file "${record}" format raw }`
    : '{ type null }';
  await writeFile(configuration, `pcm.!default ${device}\nctl.!default { type null }\n`);
  return {
    variables: { ALSA_CONFIG_PATH: configuration },
    preferences: { 'media.cubeb.backend': 'alsa', 'media.volume_scale': '1.0' },
    /// A piece out of the first sound that was played; empty as long as all is silent, null if
    /// nothing is kept.
    samples: () => (records ? piece(record) : null),
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

async function piece(record) {
  let file;
  try {
    file = await open(record);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(MOST), 0, MOST, 0);
    const left = Array.from({ length: Math.floor(bytesRead / FRAME) }, (_, place) =>
      buffer.readFloatLE(place * FRAME),
    );
    const start = left.findIndex((sample) => Math.abs(sample) > 1e-6) + ATTACK;
    return start >= ATTACK && start + PIECE <= left.length ? left.slice(start, start + PIECE) : [];
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  } finally {
    await file?.close();
  }
}
