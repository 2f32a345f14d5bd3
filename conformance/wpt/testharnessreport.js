// Takes the place of the suite's file of that name: leaves the results where the runner finds them.
'use strict';

(() => {
  const OUTCOMES = ['PASS', 'FAIL', 'TIMEOUT', 'NOTRUN', 'PRECONDITION_FAILED'];
  const HARNESS = ['OK', 'ERROR', 'TIMEOUT', 'PRECONDITION_FAILED'];

  // The machine may be slow. A test that waits for nothing is not made longer by this.
  setup({ output: false, timeout_multiplier: 2 });

  add_completion_callback((tests, harness) => {
    window.w3c = {
      status: HARNESS[harness.status],
      message: harness.message,
      subtests: tests.map(({ name, status, message }) => ({
        name,
        status: OUTCOMES[status],
        message,
      })),
    };
  });
})();
