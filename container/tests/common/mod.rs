//! The media of `fixtures/media`, each with the keys that its manifest tells.

use std::{collections::BTreeMap, fmt, fs, ops::Range, path::PathBuf, sync::Arc};

use cenc::Key;
use clearkey::KeyId;
use container::{Change, Edit, Error, KeySource, Plan, Planner, Step, Window};
use data_encoding::HEXLOWER;
use serde_json::Value;

#[derive(Clone)]
pub(crate) struct Fixture {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) keys: BTreeMap<KeyId, Arc<Key>>,
}

impl Fixture {
    #[allow(dead_code, reason = "as for the function that calls it")]
    pub(crate) fn is_webm(&self) -> bool {
        self.name.ends_with(".webm")
    }
}

/// A failed case tells the file, not its bytes.
impl fmt::Debug for Fixture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl KeySource for Fixture {
    fn key(&self, _: u32, kid: &KeyId) -> Option<Arc<Key>> {
        self.keys.get(kid).cloned()
    }
}

/// All files that the manifest lists.
pub(crate) fn fixtures() -> Vec<Fixture> {
    let manifest: Vec<Value> = serde_json::from_slice(&media("manifest.json")).unwrap();
    manifest
        .iter()
        .map(|entry| {
            let name = entry["file"].as_str().unwrap().to_owned();
            let keys = entry["keys"].as_array().unwrap().iter().map(|pair| {
                let (kid, key) = pair.as_str().unwrap().split_once(':').unwrap();
                let key = HEXLOWER.decode(key.as_bytes()).unwrap();
                (kid.parse().unwrap(), Arc::new(Key::try_from(key.as_slice()).unwrap()))
            });
            Fixture { bytes: media(&name), keys: keys.collect(), name }
        })
        .collect()
}

/// Those that are MP4.
#[allow(dead_code, reason = "not every test asks for a format")]
pub(crate) fn mp4_fixtures() -> Vec<Fixture> {
    let mut fixtures = fixtures();
    fixtures.retain(|fixture| !fixture.is_webm());
    fixtures
}

/// The bytes of a file in `fixtures/media`.
pub(crate) fn media(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../fixtures/media");
    fs::read(folder.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

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
    usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()
}
