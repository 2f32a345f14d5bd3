// The list of streams that the server has, as radio buttons; the last is for any other address.

const NAMES = {
  'application/dash+xml': 'DASH',
  'audio/mp4': 'MP4, sound',
  'video/mp4': 'MP4',
  'video/webm': 'WebM',
};

/// Asks the server. Each stream is `{ name, url, type }`.
export async function fetchStreams() {
  const response = await fetch('streams', { cache: 'no-store' });
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  return (await response.json()).streams;
}

/// Fills the list, before its last item, and chooses the first.
export function fillList(list, streams) {
  list.replaceChildren(...streams.map(item), list.lastElementChild);
  list.querySelector('input').checked = true;
}

function item({ name, url, type }, place) {
  const radio = document.createElement('input');
  const id = `stream-${place}`;
  Object.assign(radio, { type: 'radio', name: 'stream', id, value: url });
  radio.dataset.name = name;
  const label = document.createElement('label');
  label.htmlFor = id;
  label.append(span('name', name), ' ', span('note', NAMES[type] ?? type));
  const made = document.createElement('li');
  made.append(radio, label);
  return made;
}

function span(className, textContent) {
  return Object.assign(document.createElement('span'), { className, textContent });
}
