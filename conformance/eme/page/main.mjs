// What the runner calls: one step of one case.
import { context } from './context.mjs';

const notes = [];
window.notes = notes; // read from outside when a step does not come to an end

/// Runs a step. Yields its value, or why it failed.
window.runStep = async ({ module, name, step, state, ...rest }) => {
  Object.assign(context, rest, { note: (text) => notes.push(text) });
  try {
    const { cases } = await import(`../cases/${module}`);
    const { run, steps = [run] } = cases.find((one) => one.name === name);
    return { value: (await steps[step](state)) ?? null, notes };
  } catch (error) {
    return { why: error.check ? error.message : `${error.name}: ${error.message}`, notes };
  }
};

window.ready = true;
