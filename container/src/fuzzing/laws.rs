//! What holds for every plan, whatever was planned.

use std::ops::Range;

use container::{Change, Edit, Error, Plan, Planner, Step, Window};

/// Plans a whole input.
pub(crate) fn plans(input: &[u8]) -> Result<Vec<Plan>, Error> {
    let (mut planner, mut plans) = (Planner::new(), Vec::new());
    loop {
        match planner.next_unit(&Window::new(0, input), true)? {
            Step::Unit(plan) => plans.push(plan),
            Step::End => return Ok(plans),
            step => panic!("{step:?} of a whole input"),
        }
    }
}

/// What holds for every plan: samples and edits are in order, lie in its range, and do not overlap; but a
/// sample that is moved ends where the edit ends that moves it. What goes in between bytes takes none.
pub(crate) fn assert_laws(plan: &Plan) {
    let range = plan.range();
    assert!(range.start < range.end);
    let samples: Vec<_> = plan.samples().iter().map(|sample| sample.at..sample.end()).collect();
    let edits: Vec<_> = plan.edits().iter().map(Edit::range).collect();
    let sorted = |ranges: &[Range<u64>]| ranges.is_sorted_by_key(|range| range.start);
    assert!(sorted(&samples) && sorted(&edits));
    let inserts = plan.edits().iter().filter(|edit| matches!(edit.change, Change::Insert { .. }));
    let empty = samples.iter().chain(&edits).filter(|range| range.is_empty());
    assert_eq!(empty.count(), inserts.count());
    let shifts = plan.edits().iter().filter(|edit| edit.is_shift()).map(Edit::range);
    let shifts: Vec<_> = shifts.collect();
    let is_moved = |sample: &Range<u64>| {
        let at = shifts.partition_point(|shift| shift.end < sample.end);
        shifts.get(at).is_some_and(|shift| shift.end == sample.end && shift.start < sample.start)
    };
    let still = samples.into_iter().filter(|sample| !is_moved(sample)).collect();
    let mut all = [still, edits].concat();
    all.sort_by_key(|range| (range.start, range.end));
    let mut taken = range.start;
    for next in all {
        assert!(taken <= next.start && next.start <= next.end, "{next:?} begins before {taken}");
        taken = next.end;
    }
    assert!(taken <= range.end);
    for sample in plan.samples() {
        let scope = plan.protections()[sample.protection as usize].scope;
        assert!(plan.scopes()[scope as usize].protected > 0);
    }
}

/// The bytes of an input at these offsets.
pub(crate) fn index(range: &Range<u64>) -> Range<usize> {
    usize::try_from(range.start).expect("it is in memory")
        ..usize::try_from(range.end).expect("it is in memory")
}
