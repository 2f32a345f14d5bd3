// Weighs a result against what is known of a browser.
import { readFile } from 'node:fs/promises';

/// Reads a list of `{ browser, cdm, case, says, reason }`: such a case must fail, with words that
/// `says` (a pattern, as is `case`) finds. It counts as skipped then. An entry without `browser` or
/// `cdm` is about all. A known failure that is none any more is a failure itself, so that the list
/// stays true.
export async function readExpectations(file) {
  const list = JSON.parse(await readFile(file, 'utf8'));
  return (result) => {
    const known = list.find(
      (one) =>
        (one.browser ?? result.browser) === result.browser &&
        (one.cdm ?? result.cdm) === result.cdm &&
        new RegExp(one.case).test(result.case),
    );
    const { why } = result;
    if (!known) return { ...result, outcome: why === undefined ? 'passed' : 'failed' };
    if (why === undefined) {
      const said = `passes, but was expected not to: ${known.reason}`;
      return { ...result, outcome: 'failed', why: said };
    }
    if (new RegExp(known.says).test(why)) {
      return { ...result, outcome: 'skipped', reason: known.reason };
    }
    return { ...result, outcome: 'failed', why: `${why} (expected: ${known.says})` };
  };
}
