// What a case demands. A check that fails throws, and says what was expected and what came.

export function fail(message) {
  throw Object.assign(new Error(message), { check: true });
}

export function holds(condition, message) {
  if (!condition) fail(message);
}

/// Asks for equal values, compared as JSON; `undefined` and NaN count as themselves.
export function equal(actual, expected, what) {
  const [is, should] = [show(actual), show(expected)];
  if (is !== should) fail(`${what}: ${is}, expected ${should}`);
}

/// Asks that what `look` sees become this value within a few seconds.
export async function eventually(look, expected, what) {
  const late = performance.now() + 3000;
  while (show(look()) !== show(expected) && performance.now() < late) await delay(20);
  equal(look(), expected, what);
}

/// Asks that a promise be rejected with an exception of this name.
export async function rejects(promise, name, what) {
  let value;
  try {
    value = await soon(promise, what);
  } catch (error) {
    if (error.check) throw error;
    if (error.name !== name) fail(`${what}: ${error.name} (${error.message}), expected ${name}`);
    return error;
  }
  return fail(`${what}: fulfilled with ${show(value)}, expected ${name}`);
}

/// The value of a promise that has a few seconds to settle.
export async function soon(promise, what, seconds = 10) {
  let timer;
  const late = new Promise((_, reject) => {
    const error = Object.assign(new Error(`${what}: nothing after ${seconds} s`), { check: true });
    timer = setTimeout(() => reject(error), seconds * 1000);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function delay(milliseconds) {
  return new Promise((done) => setTimeout(done, milliseconds));
}

function show(value) {
  return JSON.stringify(value, (_, one) => {
    if (one === undefined) return 'undefined';
    return Number.isNaN(one) ? 'NaN' : one;
  });
}
