// Reads a static MPD whose representations are whole files (ISO/IEC 23009-1, SegmentBase).
import { fromBase64 } from './octets.js';

/// What an MPD's text, found at `address`, leads to: `duration` in seconds or null; `laurls`, the
/// license servers it names; and `tracks`, the first video and the first audio, each as `{ url,
/// type, init, index, kids, pssh }`: `init` and `index` as `[first, last]` octets, `kids` in hex and
/// `pssh` as octets. Throws if it is of a kind that is not played here.
export function readMpd(text, address) {
  const document = new DOMParser().parseFromString(text, 'application/xml');
  const mpd = document.documentElement;
  if (document.querySelector('parsererror') || mpd.localName !== 'MPD') {
    throw new Error(
      `${address} is no MPD: its XML is not well-formed, or begins with another element`,
    );
  }
  if (mpd.getAttribute('type') === 'dynamic')
    throw new Error(`${address} is live; only static MPDs are played here`);
  const periods = children(mpd, 'Period');
  if (periods.length !== 1)
    throw new Error(`${address} has ${periods.length} periods instead of one`);
  const base = resolve(periods[0], resolve(mpd, address));
  const all = children(periods[0], 'AdaptationSet').flatMap((set) =>
    readSet(set, resolve(set, base)),
  );
  const first = (kind) => all.find(({ type }) => type.startsWith(`${kind}/`));
  const tracks = [first('video'), first('audio')].filter(Boolean);
  if (!tracks.length) throw new Error(`${address} has neither video nor audio`);
  return {
    duration: seconds(mpd.getAttribute('mediaPresentationDuration')),
    laurls: [...new Set(all.flatMap(({ laurls }) => laurls))],
    tracks,
  };
}

/// The first representation of an AdaptationSet; others would be the same at another rate.
function readSet(set, base) {
  const [representation] = children(set, 'Representation');
  if (!representation) return [];
  for (const name of ['SegmentTemplate', 'SegmentList']) {
    if ([set, representation].some((element) => children(element, name).length)) {
      throw new Error(`${name} is not played here, only SegmentBase: try a DASH player`);
    }
  }
  const attribute = (name) => representation.getAttribute(name) ?? set.getAttribute(name);
  const [segmentBase] = [representation, set].flatMap((one) => children(one, 'SegmentBase'));
  const [initialization] = segmentBase ? children(segmentBase, 'Initialization') : [];
  const protections = [set, representation].flatMap((one) => children(one, 'ContentProtection'));
  const codecs = attribute('codecs');
  return [
    {
      url: resolve(representation, base),
      type: attribute('mimeType') + (codecs ? `; codecs="${codecs}"` : ''),
      init: range(initialization?.getAttribute('range')),
      index: range(segmentBase?.getAttribute('indexRange')),
      ...readProtections(protections),
    },
  ];
}

function readProtections(protections) {
  const inside = (name) => protections.flatMap((one) => children(one, name));
  const texts = (name) => inside(name).map((one) => one.textContent.trim());
  const kids = protections.flatMap((one) =>
    [...one.attributes]
      .filter(({ localName }) => localName === 'default_KID')
      .flatMap(({ value }) =>
        value
          .trim()
          .split(/\s+/)
          .map((kid) => kid.replaceAll('-', '').toLowerCase()),
      ),
  );
  return {
    kids: [...new Set(kids)],
    pssh: texts('pssh').map(fromBase64)[0] ?? null,
    laurls: texts('Laurl').filter(Boolean),
  };
}

function children(element, name) {
  return [...element.children].filter(({ localName }) => localName === name);
}

function resolve(element, base) {
  const [own] = children(element, 'BaseURL');
  return own ? new URL(own.textContent.trim(), base).href : base;
}

function range(text) {
  const [, first, last] = /^(\d+)-(\d+)$/.exec(text?.trim() ?? '') ?? [];
  return last ? [Number(first), Number(last)] : undefined;
}

/// An ISO 8601 duration without years and months, whose lengths vary.
function seconds(text) {
  const match = /^P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?)?$/.exec(text ?? '');
  if (!match) return null;
  const [days, hours, minutes, rest] = match.slice(1).map((part) => Number(part ?? 0));
  return ((days * 24 + hours) * 60 + minutes) * 60 + rest;
}
