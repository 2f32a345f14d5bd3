// The list of streams that the server has, as radio buttons; the last is for any other address.

/// Asks the server. Each stream is `{ name, url, type, unplayable }`; `unplayable` is a reason.
export async function fetchStreams() {
  const response = await fetch('streams', { cache: 'no-store' });
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  return (await response.json()).streams;
}

/// Fills the list, before its last item, and chooses the first stream that can be played.
export function fillList(list, streams) {
  const other = list.lastElementChild;
  const items = streams.map(item);
  list.replaceChildren(...items, other);
  const first = list.querySelector('input:not(:disabled)');
  first.checked = true;
}

function item({ name, url, type, unplayable }, place) {
  const made = document.createElement('li');
  const radio = document.createElement('input');
  const id = `stream-${place}`;
  Object.assign(radio, { type: 'radio', name: 'stream', id, value: url, disabled: Boolean(unplayable) });
  radio.dataset.name = name;
  const label = document.createElement('label');
  label.htmlFor = id;
  const title = document.createElement('span');
  Object.assign(title, { className: 'name', textContent: name });
  const note = document.createElement('span');
  Object.assign(note, { className: 'note', textContent: unplayable ? `cannot play: ${unplayable}` : type });
  label.append(title, ' ', note);
  made.append(radio, label);
  return made;
}
