// The table of key sessions: their key ids, the statuses, and buttons to remove and close them.
import { hex } from './octets.js';

export class SessionTable {
  #bodies = new Map(); // by session

  /// `table` gets a `tbody` for each session; `empty` is shown while there is none.
  constructor(table, empty) {
    Object.assign(this, { table, empty });
    this.clear();
  }

  clear() {
    for (const body of this.#bodies.values()) body.remove();
    this.#bodies.clear();
    this.#toggle();
  }

  /// Adds a session by its name and type, and what its buttons do.
  add(session, name, type, { remove, close }) {
    const body = this.table.createTBody();
    const row = body.insertRow();
    row.className = 'session';
    const title = document.createElement('th');
    Object.assign(title, { scope: 'rowgroup', colSpan: 2, textContent: `${name} · ${type}` });
    row.append(title);
    const buttons = body.insertRow().insertCell();
    buttons.colSpan = 2;
    buttons.append(button('Remove', name, remove), ' ', button('Close', name, close));
    this.#bodies.set(session, body);
    this.#toggle();
  }

  /// Shows the key statuses that a session has now.
  update(session) {
    const body = this.#bodies.get(session);
    if (!body) return;
    while (body.rows.length > 2) body.deleteRow(1);
    for (const [kid, status] of statuses(session)) {
      const row = body.insertRow(body.rows.length - 1);
      const id = document.createElement('th');
      Object.assign(id, { scope: 'row', className: 'kid', textContent: kid });
      const cell = document.createElement('td');
      const mark = document.createElement('span');
      Object.assign(mark, { className: 'status', textContent: status });
      mark.dataset.status = status;
      cell.append(mark);
      row.append(id, cell);
    }
  }

  /// Says of a session that it is closed. Its buttons go.
  closed(session) {
    this.update(session);
    const buttons = [...(this.#bodies.get(session)?.rows ?? [])].at(-1)?.cells[0];
    if (!buttons) return;
    const focused = buttons.contains(document.activeElement);
    buttons.textContent = 'closed';
    if (focused) Object.assign(buttons, { tabIndex: -1 }).focus(); // or it would be lost
  }

  #toggle() {
    this.empty.hidden = this.#bodies.size > 0;
    this.table.hidden = this.#bodies.size === 0;
  }
}

/// The key ids of a session in hex, each with its status.
export function statuses(session) {
  return [...session.keyStatuses].map(([kid, status]) => [hex(kid), status]);
}

function button(text, name, press) {
  const made = document.createElement('button');
  Object.assign(made, { type: 'button', textContent: text, ariaLabel: `${text} ${name}` });
  made.addEventListener('click', press);
  return made;
}
