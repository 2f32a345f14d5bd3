// Watches which libraries a browser's processes load. CDM processes come and go, so /proc is read
// again and again.
import { readdirSync, readFileSync } from 'node:fs';

const PERIOD = 200; // milliseconds
const LIBRARY = /\s(\/\S*(?:clearkey|cdm)\S*\.so\S*)/g;
const STATUS = ['Seccomp', 'NoNewPrivs', 'Uid'];
/// The kinds of process that run a CDM in Chromium and in Firefox. To have the library mapped is
/// not enough: Chromium's zygote loads it ahead, and so every renderer has it.
const CDM_KINDS = ['media.mojom.CdmServiceBroker', 'gmplugin'];

/// Starts to watch `root` and all its descendants. Both lists say what was seen since then.
export function watch(root) {
  const libraries = new Set();
  const cdms = new Map(); // by pid
  const look = () => {
    for (const pid of descendants(root)) {
      const mapped = new Set([...read(pid, 'maps').matchAll(LIBRARY)].map(([, file]) => file));
      if (mapped.size === 0) continue;
      mapped.forEach((file) => libraries.add(file));
      const holder = { pid, ...describe(pid), libraries: [...mapped] };
      if (CDM_KINDS.includes(holder.kind)) cdms.set(pid, holder);
    }
  };
  const timer = setInterval(look, PERIOD);
  timer.unref();
  return {
    libraries: () => (look(), libraries),
    cdms: () => (look(), [...cdms.values()]),
    stop: () => clearInterval(timer),
  };
}

/// The process `root` and all that it brought forth, as far as their parents live.
function descendants(root) {
  const parents = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const fields = read(name, 'stat').replace(/^.*\) /s, '').split(' '); // after the name
    parents.set(Number(name), Number(fields[1]));
  }
  const within = (pid) => pid === root || (pid > 1 && within(parents.get(pid) ?? 0));
  return [...parents.keys()].filter(within);
}

/// What a process is for, and how it is confined: `Seccomp` 2 means that a filter is in force.
function describe(pid) {
  const status = read(pid, 'status');
  const fields = STATUS.map((name) => [name, new RegExp(`^${name}:\\s*(\\d+)`, 'm').exec(status)]);
  return {
    kind: kindOf(read(pid, 'cmdline')),
    ...Object.fromEntries(fields.map(([name, match]) => [name, match && Number(match[1])])),
  };
}

/// Chromium says the kind in a switch, Firefox in the last argument. A forked process has written
/// its command line itself, with blanks between the arguments.
function kindOf(command) {
  const words = command.split(/[\0 ]+/).filter(Boolean);
  const value = (name) => words.find((word) => word.startsWith(name))?.slice(name.length);
  return value('--utility-sub-type=') ?? value('--type=') ?? words.at(-1) ?? '';
}

/// A file of a process; empty if it has gone, or is not ours to look at.
export function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
