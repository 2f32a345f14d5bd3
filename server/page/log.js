// The list of events on the page, in their order, with the seconds since a stream was loaded.

const LIMIT = 1000; // entries; the oldest go

export class Log {
  #start = performance.now();
  #details = new Map(); // the `pre` of an entry, and what makes its text
  #showKeys = false;

  /// `list` is the element that gets an item for each entry.
  constructor(list) {
    this.list = list;
  }

  /// Begins anew: empty, and at zero seconds.
  restart() {
    this.#start = performance.now();
    this.#details.clear();
    this.list.replaceChildren();
  }

  /// Adds an entry: the name of an event or a call, and a sentence. `kind` is `error` or nothing.
  /// `detail` is shown on demand: `label` its name, and `text` a function of whether keys are shown.
  add(name, sentence = '', { kind = '', detail = null } = {}) {
    const item = document.createElement('li');
    const seconds = (performance.now() - this.#start) / 1000;
    item.append(element('time', `${seconds.toFixed(3)} s`), ' ', element('b', name));
    item.dataset.name = name;
    if (kind) item.classList.add(kind);
    if (sentence) item.append(' ', element('span', sentence));
    if (detail) item.append(this.#detail(detail));
    const { parentElement: box } = this.list;
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
    this.list.append(item);
    if (this.list.children.length > LIMIT) this.list.firstElementChild.remove();
    if (atEnd) box.scrollTop = box.scrollHeight; // whoever has scrolled up is reading
  }

  /// Shows keys in the details, or hides them. Hidden keys are not in the document at all.
  showKeys(show) {
    this.#showKeys = show;
    for (const [pre, text] of this.#details) pre.textContent = text(show);
  }

  #detail({ label, text }) {
    const details = element('details');
    const pre = element('pre', text(this.#showKeys));
    details.append(element('summary', label), pre);
    this.#details.set(pre, text);
    return details;
  }
}

function element(name, text = '') {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}
