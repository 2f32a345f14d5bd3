//! Plans any input, decrypts what it can, and takes out what has lost its purpose.

use std::{collections::BTreeSet, ops::Range, sync::Arc};

use cenc::Key;
use clearkey::KeyId;
use container::{Error, KeyDemand, Plan, Planner, ReadyPlan, Relocation, Step, Verifier, Window};

use super::laws::{assert_laws, index, plans};

/// Whether an input can be planned: whole and in pieces alike.
pub(crate) fn is_planned(input: &[u8]) -> bool {
    // Any step will do, if it is another one for another input.
    let sum = input.iter().fold(7_u32, |sum, byte| sum.wrapping_mul(31) ^ u32::from(*byte));
    let step = 1 + (sum >> 8) as usize % 4096;
    match (run(input), stream(input, step)) {
        (Ok(whole), Ok(streamed)) => {
            assert_eq!(whole, streamed);
            true
        }
        (Err(_), Err(_)) => false,
        (whole, streamed) => panic!("{whole:?}, but in pieces of {step} {streamed:?}"),
    }
}

/// Plans a whole input. Decrypts it with some key, and takes out what can go, as the command does.
fn run(input: &[u8]) -> Result<Vec<String>, Error> {
    let (mut relocation, mut bytes) = (Relocation::new(), input.to_vec());
    let plans = plans(input)?;
    let said = plans.iter().filter_map(said).collect();
    let (mut demand, verifier) = (KeyDemand::new(), Verifier::new());
    let (mut at, mut samples) = (0, 0);
    for plan in plans {
        assert_eq!(plan.range().start, at);
        assert_laws(&plan);
        at = plan.range().end;
        samples += plan.samples().len();
        demand.add(&plan);
        wants_its_keys(&plan);
        let plan = plan.resolve(&some_key, &BTreeSet::new())?;
        decrypts_what_it_says(&plan, input, &mut bytes, &verifier);
        plan.discards().for_each(|piece| relocation.remove(piece));
    }
    assert_eq!((at, bytes.len()), (input.len() as u64, input.len()));
    assert!(demand.missing(&some_key).is_empty());
    let checked: u64 = verifier.findings().iter().map(|finding| finding.checked).sum();
    assert!(checked <= samples as u64);
    let mut is_moved = true;
    let (mut planner, input) = (Planner::new(), Window::new(0, input));
    while let Step::Unit(plan) = planner.next_unit(&input, true)? {
        let range = plan.range();
        // It reads what the planner does not, and may refuse it.
        match planner.relocate(&input, range.clone(), &relocation) {
            Ok(edits) => edits.iter().for_each(|edit| edit.write(0, &mut bytes)),
            Err(_) => is_moved = false,
        }
        let kept: u64 = relocation.kept(range.clone()).map(|kept| kept.end - kept.start).sum();
        assert_eq!(kept, relocation.len(range));
    }
    if is_moved {
        let kept = relocation.kept(0..bytes.len() as u64);
        let compact: Vec<_> = kept.flat_map(|kept| bytes[index(&kept)].to_vec()).collect();
        is_clear(&compact);
    }
    Ok(said)
}

fn some_key(_: u32, _: &KeyId) -> Option<Arc<Key>> {
    thread_local!(static KEY: Arc<Key> = Arc::new(Key::new(&[7; 16])));
    Some(KEY.with(Arc::clone))
}

/// Without keys, what is protected is refused, and what is not is not.
fn wants_its_keys(plan: &Plan) {
    let refused = plan.clone().resolve(&|_, _: &_| None, &BTreeSet::new()).err();
    assert_eq!(matches!(refused, Some(Error::NoKey { .. })), !plan.protections().is_empty());
    let all = plan.scopes().iter().map(|scope| scope.track).collect();
    let left = plan.clone().resolve(&|_, _: &_| None, &all).expect("all tracks are left");
    assert!(left.edits().all(|edit| edit.scope.is_none()));
}

/// Applies a plan window by window, which is what applying it all at once makes, and leaves all else as
/// it was. What is decrypted, encrypted again, is what it was.
fn decrypts_what_it_says(ready: &ReadyPlan, input: &[u8], bytes: &mut [u8], verifier: &Verifier) {
    let range = ready.plan().range();
    let old = &input[index(&range)];
    verifier.begin(ready);
    for window in ready.plan().windows(4096) {
        let new = &mut bytes[index(&window)];
        ready.decrypt(window.start, new).expect("planning finds what is wrong");
        let _ = verifier.look(ready, window.start, new);
        ready.edit(window.start, new);
    }
    let mut whole = old.to_vec();
    ready.decrypt(range.start, &mut whole).expect("planning finds what is wrong");
    let mut again = whole.clone();
    ready.encrypt(range.start, &mut again).expect("planning finds what is wrong");
    assert!(again == old, "decrypted and encrypted again, it differs");
    ready.edit(range.start, &mut whole);
    assert!(whole == bytes[index(&range)], "window by window it differs");

    let samples = ready.plan().samples().iter().map(|sample| sample.at..sample.end());
    let edits = ready.edits().map(container::Edit::range);
    let mut touched: Vec<Range<u64>> = samples.chain(edits).collect();
    touched.sort_by_key(|touched| touched.start);
    let mut at = range.start;
    for touched in touched.into_iter().chain(std::iter::once(range.end..range.end)) {
        let gap = at.min(touched.start)..touched.start;
        assert!(bytes[index(&gap)] == input[index(&gap)], "{gap:?} has changed");
        at = at.max(touched.end);
    }
}

/// What was decrypted is not protected any more.
fn is_clear(output: &[u8]) {
    let plans = plans(output).unwrap_or_else(|error| panic!("what was made of it: {error}"));
    assert!(plans.iter().all(|plan| plan.protections().is_empty()), "it is still protected");
}

/// What a plan says, if it is not of something that is passed on.
fn said(plan: &Plan) -> Option<String> {
    (!plan.scopes().is_empty()).then(|| format!("{plan:?}"))
}

/// Plans an input that comes in pieces of at least `step` bytes.
fn stream(input: &[u8], step: usize) -> Result<Vec<String>, Error> {
    let (mut planner, mut all_said) = (Planner::new(), Vec::new());
    let (mut start, mut end, mut whole) = (0, 0, false);
    // Every step but the last two brings a unit of at least a byte, or more of the input.
    for _ in 0..2 * input.len() + 4 {
        match planner.next_unit(&Window::new(start as u64, &input[start..end]), whole)? {
            Step::Unit(plan) => {
                assert_laws(&plan);
                assert_eq!(plan.range().start, start as u64);
                start = index(&plan.range()).end;
                assert!(start <= end);
                all_said.extend(said(&plan));
            }
            Step::More(until) => {
                assert!(until > end as u64 && !whole);
                whole = end == input.len();
                let until = usize::try_from(until).unwrap_or(usize::MAX);
                end = until.max(end + step).min(input.len());
            }
            Step::Everything => {
                assert!(!whole);
                (end, whole) = (input.len(), true);
            }
            Step::End => return Ok(all_said),
        }
    }
    panic!("it does not end");
}
