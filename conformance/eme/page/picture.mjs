// Whether a video shows the test pattern: six upright bars, with small things that move over them.
// Noise, or a picture of one colour, shows few of them. No canvas gets to see protected frames, so
// the runner photographs the page.

const BARS = [
  [255, 0, 0],
  [0, 255, 0],
  [255, 255, 0],
  [0, 0, 255],
  [255, 0, 255],
  [0, 255, 255],
];
const CLOSE = 60; // of 255 in each channel

/// The share of the picture that has the colour of its bar.
export async function pattern(video) {
  const { x, y, width, height } = video.getBoundingClientRect();
  const png = await window.photograph({ x, y, width, height });
  const photograph = await createImageBitmap(await (await fetch(png)).blob());
  const canvas = new OffscreenCanvas(photograph.width, photograph.height);
  const drawing = canvas.getContext('2d');
  drawing.drawImage(photograph, 0, 0);
  const { data } = drawing.getImageData(0, 0, canvas.width, canvas.height);
  let right = 0;
  for (let at = 0; at < data.length; at += 4) {
    const bar = BARS[Math.floor((((at / 4) % canvas.width) * BARS.length) / canvas.width)];
    if (bar.every((value, channel) => Math.abs(value - data[at + channel]) <= CLOSE)) right += 1;
  }
  return right / (data.length / 4);
}
