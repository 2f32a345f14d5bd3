// The player page in a browser, as a user has it: looked at, and driven by keys alone.

const PATIENCE = 20_000; // milliseconds
const STEPS = 200; // presses of Tab that must be enough to reach anything

/// Opens the page. `requests` of the result are all addresses that were asked for meanwhile.
export async function open(browser, address, { width = 1200, height = 1000, scale = 1 } = {}) {
  const page = await browser.newPage();
  const requests = [];
  const problems = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', (error) => problems.push(error.message));
  await page.setViewport({ width, height, deviceScaleFactor: scale });
  await page.goto(address);
  const driver = new Driver(page, requests, problems);
  await driver.until(
    () => document.getElementById('status').textContent !== '',
    'the page is ready',
  );
  return driver;
}

class Driver {
  constructor(page, requests, problems) {
    Object.assign(this, { page, requests, problems });
  }

  /// Waits until a function in the page gives something true, and returns it.
  async until(test, what, ...values) {
    const end = Date.now() + PATIENCE;
    for (;;) {
      const found = await this.page.evaluate(test, ...values);
      if (found) return found;
      if (Date.now() > end)
        throw new Error(`${what}: not within ${PATIENCE / 1000} s\n${await this.story()}`);
      await new Promise((wait) => setTimeout(wait, 50));
    }
  }

  /// Presses Tab until an element has the focus.
  async tabTo(selector) {
    for (let step = 0; step < STEPS; step += 1) {
      if (await this.page.evaluate((one) => document.activeElement.matches(one), selector)) return;
      await this.page.keyboard.press('Tab');
    }
    throw new Error(`Tab does not lead to ${selector}`);
  }

  /// Chooses a stream by the arrow keys and plays it by Enter.
  async play(name) {
    await this.tabTo('input[name=stream]');
    for (let step = 0; step < STEPS; step += 1) {
      const at = await this.page.evaluate(
        () => document.activeElement.dataset.name ?? document.activeElement.value,
      );
      if (at === name) return this.page.keyboard.press('Enter');
      await this.page.keyboard.press('ArrowDown');
    }
    throw new Error(`the arrow keys do not lead to ${name}`);
  }

  /// Waits until pictures move.
  async moving() {
    await this.until(() => {
      const video = document.querySelector('video');
      return video.currentTime > 0.5 && video.getVideoPlaybackQuality().totalVideoFrames > 10;
    }, 'the picture moves');
  }

  /// What the page shows now.
  look() {
    return this.page.evaluate(() => {
      const text = (id) => document.getElementById(id).innerText;
      const { currentTime, buffered, error } = document.querySelector('video');
      return {
        status: text('status'),
        alert: document.getElementById('alert').hidden ? null : text('alert'),
        entries: [...document.querySelectorAll('#entries li')].map((item) => ({
          name: item.dataset.name,
          time: parseFloat(item.querySelector('time').innerText),
          text: item.innerText,
          error: item.classList.contains('error'),
        })),
        keys: [...document.querySelectorAll('#sessions tr:has(.kid)')].map((row) =>
          row.innerText.split(/\s+/),
        ),
        currentTime,
        error: error?.code ?? null,
        buffered: Array.from(buffered, (_, at) => [buffered.start(at), buffered.end(at)]),
      };
    });
  }

  /// The light of each pixel of the picture as it is on the screen, from 0 to 255: the difference
  /// between the lightest and the darkest. A blank picture has nearly none.
  async contrast() {
    const video = await this.page.$('video');
    const shot = await video.screenshot({ encoding: 'base64' });
    return this.page.evaluate(async (data) => {
      const octets = Uint8Array.from(atob(data), (one) => one.charCodeAt(0));
      const bitmap = await createImageBitmap(new Blob([octets], { type: 'image/png' }));
      const context = new OffscreenCanvas(64, 36).getContext('2d');
      // The controls at the bottom are no picture.
      context.drawImage(bitmap, 0, 0, bitmap.width, bitmap.height * 0.6, 0, 0, 64, 36);
      const pixels = context.getImageData(0, 0, 64, 36).data;
      const light = Array.from(
        { length: 64 * 36 },
        (_, at) => pixels[4 * at] + pixels[4 * at + 1] + pixels[4 * at + 2],
      );
      return (Math.max(...light) - Math.min(...light)) / 3;
    }, shot);
  }

  /// The log, for a message.
  async story() {
    const { entries, status, alert } = await this.look();
    return [
      `status: ${status}`,
      `alert: ${alert}`,
      ...entries.map(({ text }) => text.replaceAll(/\s+/g, ' ')),
    ].join('\n  ');
  }
}
