// Encrypted Media Extensions as a page uses them: each step is told to the log.
import { explain } from './init_data.js';
import { askServer, pretty } from './license.js';
import { base64url, fromHex, hex } from './octets.js';
import { statuses } from './session_table.js';

/// The schemes that browsers decrypt. They can be asked for by name.
export const SCHEMES = ['cenc', 'cbcs'];

/// Why there is no EME here; null if there is.
export function missing() {
  if (navigator.requestMediaKeySystemAccess) return null;
  return window.isSecureContext
    ? 'This browser has no Encrypted Media Extensions, or they are switched off: encrypted streams cannot play.'
    : 'Encrypted Media Extensions need a secure context: open this page by https, or at localhost or 127.0.0.1. Encrypted streams cannot play at this address.';
}

/// Gets keys for one stream in one video element.
export class Eme {
  #mediaKeys = null; // a promise, once it was asked for
  #asked = new Set(); // initialization data that has a session
  #sessions = [];

  /// `settings` are `{ server, keySystem, sessionType }`; `page` has `log`, `table`, and `fail(message)`.
  constructor(video, stream, settings, page, signal) {
    Object.assign(this, { video, stream, settings, page, signal });
    const listen = (name, act) => video.addEventListener(name, act, { signal });
    listen('encrypted', (event) => this.#try(() => this.#encrypted(event)));
    listen('waitingforkey', () => page.log.add('waitingforkey', this.#without()));
    if (stream.kids.length && !stream.hasInitData) this.#try(() => this.#manifestData());
  }

  /// Closes all sessions.
  async end() {
    await Promise.allSettled(this.#sessions.map(({ session }) => session.close()));
  }

  async #try(act) {
    try {
      await act();
    } catch (error) {
      if (!this.signal.aborted) this.page.fail(error.message);
    }
  }

  async #encrypted({ initDataType, initData }) {
    if (!initData) {
      this.page.log.add(
        'encrypted',
        'without initialization data: the media come from an origin that does not share them',
      );
      return this.#keyIds();
    }
    const { kids, systems } = explain(initDataType, new Uint8Array(initData));
    const known = this.#asked.has(`${initDataType} ${hex(initData)}`);
    const parts = [`initDataType ${initDataType}`, `${initData.byteLength} octets`];
    if (systems.length) parts.push(`pssh: ${systems.join(', ')}`);
    if (known) parts.push('the same as before, so no new session');
    const ids = kids.length ? kids.map((kid) => `key id ${kid}`) : ['no key ids in it'];
    this.page.log.add('encrypted', [parts.join(' · '), ...(known ? [] : ids)].join('\n'));
    if (!known) await this.#request(initDataType, initData);
  }

  /// What a stream without `pssh` boxes leaves: those of its manifest, or else its key ids.
  async #manifestData() {
    if (!this.stream.pssh) return this.#keyIds();
    this.page.log.add('no encrypted event', 'the media have no pssh box; that of the MPD is used');
    await this.#request('cenc', this.stream.pssh);
  }

  async #keyIds() {
    const kids = this.stream.kids.map((kid) => base64url(fromHex(kid)));
    if (!kids.length)
      throw new Error('No key id is known: neither initialization data nor tenc boxes have one.');
    this.page.log.add('initDataType keyids', 'made of the default_KID of the tracks');
    await this.#request('keyids', new TextEncoder().encode(JSON.stringify({ kids })));
  }

  async #request(initDataType, initData) {
    this.#asked.add(`${initDataType} ${hex(initData)}`);
    this.#mediaKeys ??= this.#access();
    const mediaKeys = await this.#mediaKeys;
    const { log } = this.page;
    const session = this.#newSession(mediaKeys);
    try {
      log.add('generateRequest()', `${this.#name(session)} · ${initDataType}`);
      await session.generateRequest(initDataType, initData);
    } catch (error) {
      log.add('generateRequest()', `${this.#name(session)} · ${error.name}: ${error.message}`, {
        kind: 'error',
      });
      // Of `pssh` boxes that are for other systems ClearKey makes nothing.
      if (initDataType !== 'cenc' || !this.stream.kids.length) throw error;
      await this.#keyIds();
    }
  }

  async #access() {
    const why = missing();
    if (why) throw new Error(why);
    const { keySystem, sessionType } = this.settings;
    const [asked, log] = [configuration(this.stream, sessionType), this.page.log];
    const detail = (label, value) => ({ label, text: () => JSON.stringify(value, null, 2) });
    let access;
    try {
      access = await navigator.requestMediaKeySystemAccess(keySystem, [asked]);
    } catch (error) {
      log.add('requestMediaKeySystemAccess()', `${keySystem} · ${error.name}: ${error.message}`, {
        kind: 'error',
        detail: detail('Configuration asked for', asked),
      });
      const types = [...(asked.videoCapabilities ?? []), ...(asked.audioCapabilities ?? [])];
      const what = types.map(({ contentType }) => contentType).join(' and ');
      throw new Error(
        `This browser's ${keySystem} does not support ${sessionType} sessions for ${what}.`,
      );
    }
    const granted = access.getConfiguration();
    log.add('requestMediaKeySystemAccess()', `${keySystem}\n${summary(granted)}`, {
      detail: detail('Configuration granted', granted),
    });
    const mediaKeys = await access.createMediaKeys();
    await this.video.setMediaKeys(mediaKeys);
    return mediaKeys;
  }

  #newSession(mediaKeys) {
    const { log, table } = this.page;
    const session = mediaKeys.createSession(this.settings.sessionType);
    const name = `session ${this.#sessions.length + 1}`;
    this.#sessions.push({ session, name });
    const call = (method) => async () => {
      try {
        await session[method]();
        log.add(`${method}()`, `${name} · done`);
      } catch (error) {
        log.add(`${method}()`, `${name} · ${error.name}: ${error.message}`, { kind: 'error' });
      }
    };
    table.add(session, name, this.settings.sessionType, {
      remove: call('remove'),
      close: call('close'),
    });
    session.addEventListener('message', (event) => this.#try(() => this.#message(session, event)));
    session.addEventListener('keystatuseschange', () => {
      if (this.signal.aborted) return; // it was closed because another stream is loaded
      const list = statuses(session).map(([kid, status]) => `${kid} ${status}`);
      log.add('keystatuseschange', [name, ...(list.length ? list : ['no keys'])].join('\n'));
      table.update(session);
    });
    session.closed.then((reason) => {
      if (this.signal.aborted) return;
      log.add('closed', reason ? `${name} · ${reason}` : name);
      table.closed(session);
    });
    return session;
  }

  async #message(session, { messageType, message }) {
    const { log } = this.page;
    const name = this.#name(session);
    const text = new TextDecoder().decode(message);
    const what = messageType === 'license-release' ? 'release' : 'license';
    log.add('message', `${name} · ${messageType}`, {
      detail: {
        label: `The ${what === 'license' ? 'license request' : what}`,
        text: () => pretty(text),
      },
    });
    let answer;
    try {
      answer = await askServer(this.settings.server, message, this.signal);
    } catch (error) {
      if (this.signal.aborted) return;
      log.add(what, `${name} · ${error.message}`, { kind: 'error' });
      throw new Error(`No ${what === 'license' ? what : 'acknowledgement'}: ${error.message}.`);
    }
    const ids = answer.kids.length
      ? answer.kids.map((kid) => `key id ${kid}`)
      : ['no key ids in it'];
    log.add(what, [`${name} · HTTP ${answer.status}`, ...ids].join('\n'), {
      detail: { label: 'The answer', text: (showKeys) => pretty(answer.text, showKeys) },
    });
    await this.#update(session, answer.octets);
  }

  async #update(session, octets) {
    const name = this.#name(session);
    try {
      await session.update(octets);
      this.page.log.add('update()', `${name} · done`);
    } catch (error) {
      this.page.log.add('update()', `${name} · ${error.name}: ${error.message}`, { kind: 'error' });
      throw new Error(`The CDM refused the license server's answer: ${error.message}`);
    }
  }

  #without() {
    const held = this.#sessions.flatMap(({ session }) => statuses(session).map(([kid]) => kid));
    const lacking = this.stream.kids.filter((kid) => !held.includes(kid));
    return lacking.length ? `no session has a key for ${lacking.join(', ')}` : '';
  }

  #name(session) {
    return this.#sessions.find((one) => one.session === session).name;
  }
}

/// What is asked of the key system: what the tracks need, and no robustness, of which ClearKey has
/// none.
function configuration({ tracks, scheme }, sessionType) {
  const encryptionScheme = SCHEMES.includes(scheme) ? scheme : null;
  const of = (kind) =>
    tracks
      .filter(({ capabilities }) => capabilities[kind])
      .map(({ capabilities }) => ({
        contentType: capabilities[kind],
        robustness: '',
        encryptionScheme,
      }));
  const [video, audio] = [of('video'), of('audio')];
  return {
    initDataTypes: ['cenc', 'keyids', 'webm'],
    ...(video.length && { videoCapabilities: video }),
    ...(audio.length && { audioCapabilities: audio }),
    persistentState: sessionType === 'temporary' ? 'optional' : 'required',
    sessionTypes: [sessionType],
  };
}

function summary({ videoCapabilities = [], audioCapabilities = [], sessionTypes }) {
  const all = [...videoCapabilities, ...audioCapabilities];
  const each = all.map(({ contentType, robustness, encryptionScheme }) => {
    const scheme = encryptionScheme === undefined ? 'not known here' : (encryptionScheme ?? 'any');
    return `${contentType}, robustness ${robustness || 'none'}, encryptionScheme ${scheme}`;
  });
  return [...each, `sessionTypes ${sessionTypes?.join(', ')}`].join('\n');
}
