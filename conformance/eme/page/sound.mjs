// Whether a media element plays the tone of 440 Hz, and nothing else. Chromium lets Web Audio have
// the samples; what Firefox plays, the runner writes down for some cases.

const TONE = 440; // Hz
const PURE = 0.8; // the share of the tone in all that sounds
const PIECE = 4096; // samples

/// Starts to listen. Must come before the element plays. `purity` of the result is the share of the
/// tone in what sounds now, 0 if nothing does; null where nobody can listen.
export async function listen(element) {
  if (!('webkitAudioDecodedByteCount' in element)) {
    return { purity: async () => purity(await window.recorded(), 48_000), close: () => {} };
  }
  const audio = new AudioContext();
  await audio.resume();
  const ear = new AnalyserNode(audio, { fftSize: 8192 });
  audio.createMediaElementSource(element).connect(ear).connect(audio.destination);
  const samples = new Float32Array(ear.fftSize);
  const read = () => (ear.getFloatTimeDomainData(samples), samples);
  return { purity: async () => purity(read(), audio.sampleRate), close: () => audio.close() };
}

/// How much of the energy in a piece of the samples a sine of the tone's frequency explains, where
/// that is most. Between two pieces there may be a gap.
function purity(samples, rate) {
  if (samples === null) return null;
  const starts = Array.from({ length: Math.floor(samples.length / PIECE) }, (_, at) => at * PIECE);
  return Math.max(0, ...starts.map((at) => share(samples.slice(at, at + PIECE), rate)));
}

function share(samples, rate) {
  let [sine, cosine, energy] = [0, 0, 0];
  samples.forEach((sample, place) => {
    const angle = (2 * Math.PI * TONE * place) / rate;
    sine += sample * Math.sin(angle);
    cosine += sample * Math.cos(angle);
    energy += sample * sample;
  });
  return energy ? (2 * (sine * sine + cosine * cosine)) / (energy * samples.length) : 0;
}

export function isTone(share) {
  return share === null || share >= PURE;
}
