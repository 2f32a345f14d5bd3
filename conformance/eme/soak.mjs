// Plays again and again in one page, and watches the memory of the process that has the CDM.
import { read } from '../browsers/processes.mjs';

const MIB = 1024; // in KiB
const BOUND = 4 * MIB; // of growth after the warm-up
const WARM_UP = 0.2; // of all rounds
const AVERAGE = 5; // samples, of which the middle one counts

/// Runs the case for its time. Throws if a play fails, if the process ends, or if it grows.
export async function soak(browser, { library, minutes }, page, one, notes) {
  await page.step(one, 0, null);
  const end = Date.now() + minutes * 60_000;
  const samples = [];
  let pid = null;
  let rounds = 0;
  for (; Date.now() < end || rounds < 2; rounds += 1) {
    await page.step(one, 1, rounds).catch((error) => {
      throw Object.assign(error, { message: `round ${rounds + 1}: ${error.message}` });
    });
    notes.length = 0; // those of a round are of no interest
    const processes = living(browser);
    if (processes.length !== 1 && library) {
      throw new Error(`${processes.length} processes have the library after round ${rounds + 1}`);
    }
    if (processes.length === 0) continue; // a ClearKey inside of the page's own process
    pid ??= processes[0];
    if (pid !== processes[0]) throw new Error(`another process in round ${rounds + 1}`);
    samples.push(memory(pid));
  }
  notes.push(`${rounds} rounds`);
  if (samples.length) judge(samples, notes);
}

function judge(samples, notes) {
  const warm = samples.slice(Math.floor(samples.length * WARM_UP));
  const [first, last] = [warm.slice(0, AVERAGE), warm.slice(-AVERAGE)].map(middle);
  const growth = last.resident - first.resident;
  notes.push(`resident after warm-up ${mib(first.resident)}, at the end ${mib(last.resident)}`);
  notes.push(`anonymous ${mib(first.anonymous)}, ${mib(last.anonymous)}`);
  notes.push(`threads ${first.threads}, ${last.threads}`);
  if (growth > BOUND) throw new Error(`memory grew by ${mib(growth)}, allowed ${mib(BOUND)}`);
  if (last.threads > first.threads + 2) throw new Error(`${last.threads} threads`);
}

/// The CDM's processes that are alive: those that have the library mapped now. A number alone may
/// be another process's by now.
function living(browser) {
  const isMapped = ({ pid, libraries }) =>
    libraries.some((library) => read(pid, 'maps').includes(library));
  return browser
    .cdmProcesses()
    .filter(isMapped)
    .map(({ pid }) => pid);
}

function memory(pid) {
  const { VmRSS, RssAnon, Threads } = status(pid);
  return { resident: VmRSS, anonymous: RssAnon, threads: Threads };
}

/// The numbers in /proc/PID/status; those of memory are in KiB.
function status(pid) {
  const numbers = [...read(pid, 'status').matchAll(/^(\w+):\s*(\d+)/gm)];
  return Object.fromEntries(numbers.map(([, name, value]) => [name, Number(value)]));
}

function middle(samples) {
  const by = (name) => samples.map((one) => one[name]).sort((a, b) => a - b)[samples.length >> 1];
  return { resident: by('resident'), anonymous: by('anonymous'), threads: by('threads') };
}

function mib(kib) {
  return `${(kib / MIB).toFixed(1)} MiB`;
}
