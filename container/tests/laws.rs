//! Laws that hold for every file, tried on all fixtures.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as the test may")]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use common::{
    Fixture, fixtures,
    laws::{assert_laws, index, plans},
    media, mp4_fixtures,
};
use container::{
    Change, Description, Error, KeyDemand, KeySource, Plan, Planner, ReadyPlan, Relocation, Sample,
    SegmentIndex, Step, Window,
};
use proptest::prelude::*;

#[test]
fn units_tile_the_input_and_hold_their_samples() {
    let fixtures = fixtures();
    for Fixture { name, bytes, .. } in &fixtures {
        let (mut at, mut samples) = (0, 0);
        for plan in plans(bytes).unwrap() {
            assert_eq!(plan.range().start, at, "{name}");
            assert_laws(&plan);
            at = plan.range().end;
            samples += plan.samples().len();
        }
        assert_eq!(at, bytes.len() as u64, "{name}");
        assert!(samples > 40, "{name}: {samples} samples");
    }
    assert_eq!(fixtures.len(), 31);
}

/// Plans an input of which the first byte comes alone and then as many at a time as `steps` says,
/// over and over. What came before the unit is forgotten.
fn streamed(input: &[u8], steps: &[usize]) -> Result<Vec<Plan>, Error> {
    let mut steps = steps.iter().cycle();
    let (mut planner, mut plans) = (Planner::new(), Vec::new());
    let (mut start, mut end, mut whole) = (0, 1, false);
    loop {
        let window = Window::new(start as u64, &input[start..end]);
        match planner.next_unit(&window, whole)? {
            Step::Unit(plan) => {
                start = index(&plan.range()).end;
                assert!(start <= end, "a unit that is not all there");
                plans.push(plan);
            }
            Step::More(until) => {
                assert!(until > end as u64 && !whole, "{until} of {end}");
                // The end is found by who asks for more and gets nothing.
                whole = end == input.len();
                end = input.len().min(end + steps.next().unwrap());
            }
            Step::Everything => {
                assert!(!whole);
                (end, whole) = (input.len(), true);
            }
            Step::End => {
                assert!(whole);
                return Ok(plans);
            }
        }
    }
}

/// What plans say, with what is passed on in pieces put together again.
fn said(plans: &[Plan]) -> Vec<String> {
    let mut said: Vec<(Range<u64>, Option<&Plan>)> = Vec::new();
    for plan in plans {
        let range = plan.range();
        let speaks = !plan.scopes().is_empty() || !plan.init_data().is_empty();
        match said.last_mut() {
            Some((last, None)) if !speaks => last.end = range.end,
            _ => said.push((range, speaks.then_some(plan))),
        }
    }
    said.iter().map(|unit| format!("{unit:?}")).collect()
}

#[test]
fn a_plan_does_not_depend_on_when_its_bytes_come() {
    for Fixture { name, bytes, .. } in fixtures() {
        let expected = said(&plans(&bytes).unwrap());
        for steps in [&[64 << 10], &[4096], &[usize::MAX - bytes.len()]] {
            assert_eq!(said(&streamed(&bytes, steps).unwrap()), expected, "{name}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn a_plan_does_not_depend_on_how_its_bytes_come(
        fixture in prop::sample::select(fixtures()),
        steps in prop::collection::vec(1_usize..9000, 1..9),
    ) {
        let expected = said(&plans(&fixture.bytes).unwrap());
        prop_assert_eq!(said(&streamed(&fixture.bytes, &steps).unwrap()), expected);
    }

    #[test]
    fn window_by_window_is_all_at_once(
        fixture in prop::sample::select(fixtures()),
        size in 200_u64..30_000,
    ) {
        let mut bytes = fixture.bytes.clone();
        for ready in resolved(&fixture, &bytes) {
            let mut at = ready.plan().range().start;
            for window in ready.plan().windows(size) {
                prop_assert_eq!(window.start, at);
                ready.apply(window.start, &mut bytes[index(&window)]).unwrap();
                at = window.end;
            }
            prop_assert_eq!(at, ready.plan().range().end);
        }
        prop_assert!(bytes == decrypted(&fixture));
    }
}

/// All plans with all keys.
fn resolved(fixture: &Fixture, input: &[u8]) -> Vec<ReadyPlan> {
    let plans = plans(input).unwrap().into_iter();
    plans.map(|plan| plan.resolve(fixture, &BTreeSet::new()).unwrap()).collect()
}

fn apply(plans: &[ReadyPlan], bytes: &mut [u8]) {
    for ready in plans {
        let range = ready.plan().range();
        ready.apply(range.start, &mut bytes[index(&range)]).unwrap();
    }
}

/// The fixture in the clear, with all lengths as they were.
fn decrypted(fixture: &Fixture) -> Vec<u8> {
    let mut bytes = fixture.bytes.clone();
    apply(&resolved(fixture, &bytes), &mut bytes);
    bytes
}

#[test]
fn only_samples_and_edits_change() {
    for fixture in fixtures() {
        let name = &fixture.name;
        let after = decrypted(&fixture);
        let mut may_change = vec![false; after.len()];
        for plan in plans(&fixture.bytes).unwrap() {
            for edit in plan.edits() {
                may_change[index(&edit.range())].fill(true);
            }
            for sample in plan.samples() {
                may_change[index(&(sample.at..sample.end()))].fill(true);
            }
        }
        let pairs = fixture.bytes.iter().zip(&after).zip(&may_change);
        let changed = pairs.clone().filter(|((before, after), _)| before != after).count();
        let elsewhere = pairs.filter(|((before, after), may)| before != after && !*may).count();
        assert_eq!(elsewhere, 0, "{name}");
        assert!(changed > 3000, "{name}: {changed} bytes have changed");
    }
}

#[test]
fn what_is_decrypted_needs_nothing_more() {
    for fixture in fixtures() {
        let plans = plans(&decrypted(&fixture)).unwrap();
        for plan in &plans {
            assert!(plan.is_verbatim(), "{}: {plan:?}", fixture.name);
            assert!(plan.init_data().is_empty(), "{}", fixture.name);
            assert!(plan.scopes().iter().all(|scope| scope.protected == 0));
        }
        assert_eq!(samples(&plans), samples(&self::plans(&fixture.bytes).unwrap()));
    }
}

/// The number of samples of each track, clear and protected.
fn samples(plans: &[Plan]) -> Vec<(u32, u64)> {
    let scopes = plans.iter().flat_map(Plan::scopes);
    scopes.map(|scope| (scope.track, scope.protected + scope.clear)).collect()
}

/// Takes pieces out of a file and corrects it, as the plans' discards are taken out.
fn cut(bytes: &[u8], edited: &mut [u8], relocation: &Relocation) -> Vec<u8> {
    let (mut planner, mut cut) = (Planner::new(), Vec::new());
    let input = Window::new(0, bytes);
    while let Step::Unit(plan) = planner.next_unit(&input, true).unwrap() {
        let range = plan.range();
        for edit in planner.relocate(&input, range.clone(), relocation).unwrap() {
            edit.write(0, edited);
        }
        for kept in relocation.kept(range.clone()) {
            cut.extend_from_slice(&edited[index(&kept)]);
        }
        assert_eq!(cut.len() as u64, relocation.moved(range.end));
    }
    cut
}

#[test]
fn a_file_without_its_discards_is_clear_and_has_its_samples() {
    for fixture in fixtures() {
        let name = &fixture.name;
        let mut relocation = Relocation::new();
        discards(&fixture).into_iter().for_each(|piece| relocation.remove(piece));
        assert!(!relocation.is_empty(), "{name}");
        let clear = decrypted(&fixture);
        let compact = cut(&fixture.bytes, &mut clear.clone(), &relocation);
        let plans = plans(&compact).unwrap();
        assert!(plans.iter().all(Plan::is_verbatim), "{name}");
        assert_eq!(samples(&plans), samples(&self::plans(&fixture.bytes).unwrap()), "{name}");
        for clear_at in self::plans(&fixture.bytes).unwrap().iter().flat_map(places) {
            let moved = relocation.moved(clear_at.start)..relocation.moved(clear_at.end);
            assert_eq!(compact[index(&moved)], clear[index(&clear_at)], "{name}");
        }
    }
}

/// Where the protected samples of a unit are once they are clear.
fn places(plan: &Plan) -> Vec<Range<u64>> {
    let shifts: BTreeMap<_, _> = plan
        .edits()
        .iter()
        .filter_map(|edit| match &edit.change {
            Change::Shift { head, .. } => Some((edit.range().end, edit.at + head.len() as u64)),
            _ => None,
        })
        .collect();
    let place = |sample: &Sample| {
        let start = shifts.get(&sample.end()).copied().unwrap_or(sample.at);
        start..start + u64::from(sample.len)
    };
    plan.samples().iter().map(place).collect()
}

/// The planner finds protected samples by the offsets in the file. So a file that stays encrypted,
/// but loses boxes that the planner does not need, shows whether these offsets were corrected.
#[test]
fn offsets_lead_to_the_same_samples_after_others_are_taken_out() {
    let mut kinds = BTreeSet::new();
    for fixture in mp4_fixtures() {
        let name = &fixture.name;
        let mut relocation = Relocation::new();
        for (kind, piece) in needless(&fixture.bytes) {
            kinds.insert(kind);
            relocation.remove(piece);
        }
        let cut = cut(&fixture.bytes, &mut fixture.bytes.clone(), &relocation);
        assert!(cut.len() + 100 < fixture.bytes.len(), "{name}");
        let (before, after) = (plans(&fixture.bytes).unwrap(), plans(&cut).unwrap());
        let list = |plans: &[Plan], moved: &dyn Fn(u64) -> u64| {
            let samples =
                plans.iter().flat_map(|plan| plan.samples().iter().map(move |s| (plan, s)));
            samples.map(|(plan, s)| (moved(s.at), s.len, plan.iv(s))).collect::<Vec<_>>()
        };
        assert_eq!(list(&after, &|at| at), list(&before, &|at| relocation.moved(at)), "{name}");
        for (before, after) in before.iter().zip(&after) {
            let range = before.range();
            assert_eq!(after.range(), relocation.moved(range.start)..relocation.moved(range.end));
        }
        for sample in before.iter().flat_map(Plan::samples) {
            let range = sample.at..sample.end();
            let moved = relocation.moved(range.start)..relocation.moved(range.end);
            assert_eq!(cut[index(&moved)], fixture.bytes[index(&range)], "{name}");
        }
    }
    assert!(kinds.len() >= 8, "{kinds:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whatever is taken out, a unit's corrections are as many other bytes in it, each corrected once.
    #[test]
    fn corrections_do_not_overlap(
        fixture in prop::sample::select(fixtures()),
        is_out in prop::collection::vec(any::<bool>(), 1..40),
    ) {
        let relocation = without(loose(&fixture), &is_out);
        let (mut planner, input) = (Planner::new(), Window::new(0, &fixture.bytes));
        while let Step::Unit(plan) = planner.next_unit(&input, true).unwrap() {
            let unit = plan.range();
            let mut taken = unit.start;
            for edit in planner.relocate(&input, unit.clone(), &relocation).unwrap() {
                prop_assert!(matches!(edit.change, Change::Overwrite(_)), "{edit:?}");
                let range = edit.range();
                prop_assert!(taken <= range.start, "{edit:?} begins before {taken}");
                taken = range.end;
            }
            prop_assert!(taken <= unit.end);
        }
    }

    /// Read back, the index of a file is the one that it had, with all offsets moved.
    #[test]
    fn an_index_leads_to_the_same_segments(
        fixture in prop::sample::select(indexed()),
        is_out in prop::collection::vec(any::<bool>(), 1..40),
    ) {
        // A description has a look at some of them.
        let needed = ["mvhd", "mdhd", "dinf", "vmhd", "smhd", "stts"];
        let needless = needless(&fixture.bytes).into_iter();
        let needless = needless.filter(|(kind, _)| !needed.contains(&kind.as_str()));
        let relocation = without(needless.map(|(_, piece)| piece).collect(), &is_out);
        let cut = cut(&fixture.bytes, &mut fixture.bytes.clone(), &relocation);
        let moved = |range: Range<u64>| relocation.moved(range.start)..relocation.moved(range.end);
        let mut expected = index_of(&fixture.bytes).unwrap();
        expected.range = moved(expected.range);
        for segment in &mut expected.segments {
            segment.range = moved(segment.range.clone());
        }
        prop_assert_eq!(index_of(&cut), Some(expected));
    }
}

/// The index of a file's segments, if it has one.
fn index_of(bytes: &[u8]) -> Option<SegmentIndex> {
    let input = Window::new(0, bytes);
    SegmentIndex::read(&input, &Description::read(&input).unwrap()).unwrap()
}

/// The fixtures that have one, in front of what it leads to.
fn indexed() -> Vec<Fixture> {
    let mut fixtures = mp4_fixtures();
    fixtures.retain(|fixture| index_of(&fixture.bytes).is_some());
    assert!(fixtures.len() > 10, "{} have an index", fixtures.len());
    fixtures
}

/// Takes out some of these pieces, which are in order.
fn without(pieces: Vec<Range<u64>>, is_out: &[bool]) -> Relocation {
    let mut relocation = Relocation::new();
    for (piece, _) in pieces.into_iter().zip(is_out.iter().cycle()).filter(|(_, is_out)| **is_out) {
        relocation.remove(piece);
    }
    relocation
}

/// What decrypting takes out of a fixture, and boxes that say nothing.
fn loose(fixture: &Fixture) -> Vec<Range<u64>> {
    let mut pieces = discards(fixture);
    if !fixture.is_webm() {
        let needless = needless(&fixture.bytes).into_iter().map(|(_, piece)| piece);
        // Some of them are discards too.
        let apart = |piece: &Range<u64>| {
            pieces.iter().all(|other| piece.end <= other.start || other.end <= piece.start)
        };
        let more: Vec<_> = needless.filter(apart).collect();
        pieces.extend(more);
        pieces.sort_by_key(|piece| piece.start);
    }
    pieces
}

/// What is taken out of a fixture when it is decrypted.
fn discards(fixture: &Fixture) -> Vec<Range<u64>> {
    resolved(fixture, &fixture.bytes).iter().flat_map(ReadyPlan::discards).collect()
}

/// The boxes that say nothing of where samples lie or how they are protected.
fn needless(bytes: &[u8]) -> Vec<(String, Range<u64>)> {
    fn walk(bytes: &[u8], range: Range<usize>, found: &mut Vec<(String, Range<u64>)>) {
        let mut at = range.start;
        while at + 8 <= range.end {
            let size = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
            let end = at + usize::try_from(size).unwrap();
            let kind = String::from_utf8_lossy(&bytes[at + 4..at + 8]).into_owned();
            match kind.as_str() {
                "moov" | "trak" | "mdia" | "minf" | "stbl" | "moof" | "traf" => {
                    walk(bytes, at + 8..end, found);
                }
                "pssh" | "mvhd" | "mdhd" | "mfhd" | "tfdt" | "edts" | "udta" | "dinf" | "vmhd"
                | "smhd" | "stts" | "ctts" | "stss" => {
                    found.push((kind, at as u64..end as u64));
                }
                _ => {}
            }
            at = end;
        }
    }
    let mut found = Vec::new();
    walk(bytes, 0..bytes.len(), &mut found);
    found
}

/// Decrypts the tracks that have all their keys and leaves the others; tells which.
fn leaving(input: &[u8], keys: &dyn KeySource) -> (Vec<u8>, BTreeSet<u32>) {
    let mut demand = KeyDemand::new();
    plans(input).unwrap().iter().for_each(|plan| demand.add(plan));
    let leave = demand.missing(keys).into_keys().collect();
    let plans = plans(input).unwrap().into_iter();
    let ready: Vec<_> = plans.map(|plan| plan.resolve(keys, &leave).unwrap()).collect();
    let mut bytes = input.to_vec();
    apply(&ready, &mut bytes);
    (bytes, leave)
}

#[test]
fn without_keys_nothing_changes() {
    for fixture in fixtures() {
        let (bytes, leave) = leaving(&fixture.bytes, &|_, _: &_| None);
        assert!(bytes == fixture.bytes, "{}", fixture.name);
        assert!(!leave.is_empty(), "{}", fixture.name);
    }
}

/// A header that says "clear" before a fragment that has to be left would be the end of it.
#[test]
fn what_is_left_can_be_decrypted_later() {
    let mut left = 0;
    for fixture in fixtures() {
        for kid in fixture.keys.keys() {
            let others =
                |_, wanted: &_| fixture.keys.get(wanted).filter(|_| wanted != kid).cloned();
            let (mut bytes, leave) = leaving(&fixture.bytes, &others);
            left += leave.len();
            apply(&resolved(&fixture, &bytes.clone()), &mut bytes);
            assert!(bytes == decrypted(&fixture), "{} without {kid} first", fixture.name);
        }
    }
    assert!(left >= 45, "{left} tracks were left");
}

#[test]
fn segments_are_pieces_of_a_file() {
    let [init, segments @ ..] = ["init.mp4", "1.m4s", "2.m4s", "3.m4s", "4.m4s"]
        .map(|end| media(&format!("segments/a_{end}")));
    let file = [init.as_slice(), &segments.concat()].concat();
    let fixture = mp4_fixtures().remove(0);
    let mut whole = file.clone();
    apply(&resolved(&fixture, &file), &mut whole);
    let planner = Planner::with_init(&Window::new(0, &init)).unwrap();
    let mut at = init.len();
    for segment in segments {
        let mut planner = planner.clone();
        let mut bytes = segment.clone();
        let mut samples = 0;
        while let Step::Unit(plan) = planner.next_unit(&Window::new(0, &segment), true).unwrap() {
            samples += plan.samples().len();
            let ready = plan.resolve(&fixture, &BTreeSet::new()).unwrap();
            apply(&[ready], &mut bytes);
        }
        assert!(samples > 0 && bytes == whole[at..at + bytes.len()]);
        at += bytes.len();
    }
    assert_eq!(at, whole.len());
}
