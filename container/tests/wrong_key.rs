//! How soon a wrong key is found out, and that a right one never is, over all fixtures.
//!
//! `cargo test -p container --test wrong_key -- --nocapture` prints the table.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as the test may")]

mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use cenc::Key;
use clearkey::KeyId;
use common::{
    Fixture, fixtures,
    laws::{index, plans},
};
use container::{KeySource, Plan, Verdict, Verifier};

/// Wrong keys tried for each key of a fixture.
const KEYS: u8 = 20;

/// A fixture whose key `kid` is another one.
struct Wrong<'f> {
    fixture: &'f Fixture,
    kid: &'f KeyId,
    key: Arc<Key>,
}

impl KeySource for Wrong<'_> {
    fn key(&self, track: u32, kid: &KeyId) -> Option<Arc<Key>> {
        if kid == self.kid { Some(self.key.clone()) } else { self.fixture.key(track, kid) }
    }
}

/// Bytes of no meaning, which are others for each number.
fn noise(number: u8) -> [u8; 16] {
    let seed = u128::from(number) + 1;
    seed.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_le_bytes()
}

/// How samples are protected: track, key id, and a name for the table.
type Kind = (u32, KeyId, String);

/// The verdict on each track and key after each of its samples.
fn verdicts(
    fixture: &Fixture,
    plans: &[Plan],
    keys: &dyn KeySource,
) -> BTreeMap<Kind, Vec<Verdict>> {
    let verifier = Verifier::new();
    let mut verdicts = BTreeMap::<_, Vec<_>>::new();
    let mut bytes = fixture.bytes.clone();
    for plan in plans {
        let ready = plan.clone().resolve(keys, &BTreeSet::new()).unwrap();
        let unit = ready.plan().range();
        verifier.begin(&ready);
        ready.decrypt(unit.start, &mut bytes[index(&unit)]).unwrap();
        for sample in plan.samples() {
            let window = sample.at..sample.end();
            let _ = verifier.look(&ready, sample.at, &bytes[index(&window)]);
            let protection = &plan.protections()[sample.protection as usize];
            let track = plan.scopes()[protection.scope as usize].track;
            let codec = protection.codec.as_ref().map_or("none", |codec| codec.name());
            let finding = verifier.findings().into_iter();
            let mut finding =
                finding.filter(|found| found.track == track && found.kid == protection.kid);
            let name = format!("{codec:<6}{} {}", protection.scheme, protection.pattern);
            let kind = (track, protection.kid.clone(), name);
            verdicts.entry(kind).or_default().push(finding.next().unwrap().verdict);
        }
    }
    verdicts
}

#[test]
fn a_right_key_never_looks_wrong() {
    for fixture in fixtures() {
        let plans = plans(&fixture.bytes).unwrap();
        for ((track, ..), verdicts) in verdicts(&fixture, &plans, &fixture) {
            let wrong = verdicts.iter().position(|verdict| *verdict == Verdict::Wrong);
            assert_eq!(wrong, None, "{}: track {track}", fixture.name);
        }
    }
}

/// For each way to protect a codec: after how many samples each wrong key was found out for good.
fn found() -> BTreeMap<String, Vec<Option<usize>>> {
    let mut found = BTreeMap::<_, Vec<_>>::new();
    for fixture in fixtures() {
        let plans = plans(&fixture.bytes).unwrap();
        for (wrong, number) in fixture.keys.keys().flat_map(|kid| (0..KEYS).map(move |n| (kid, n)))
        {
            let key = Arc::new(Key::new(&noise(number)));
            let keys = Wrong { fixture: &fixture, kid: wrong, key };
            for ((_, kid, name), verdicts) in verdicts(&fixture, &plans, &keys) {
                let plausible = verdicts.iter().rposition(|verdict| *verdict != Verdict::Wrong);
                if kid == *wrong {
                    let after = plausible.map_or(1, |last| last + 2);
                    let after = Some(after).filter(|&after| after <= verdicts.len());
                    found.entry(name).or_default().push(after);
                } else {
                    assert!(
                        plausible.is_none_or(|last| last + 1 == verdicts.len()),
                        "{}: {kid} was right",
                        fixture.name
                    );
                }
            }
        }
    }
    found
}

/// The least share of wrong keys, in percent, that has to be found out at last; of those that the table
/// does not name it is all.
const WEAK: [(&str, f64); 5] = [
    // Where a packager leaves more than the slice header clear, only the ends of slices tell.
    ("AVC   cbc1 0:0", 20.0),
    ("AVC   cenc 0:0", 40.0),
    ("AVC   cens 1:9", 50.0),
    // Slice data begin and end as they have to, but for one time in 256.
    ("HEVC  cbcs 1:9", 40.0),
    // Any bytes are some tile, and the last ones are clear.
    ("AV1   cbcs 1:9", 0.0),
];

#[test]
fn a_wrong_key_is_found_out() {
    println!("codec scheme       keys  in 10  in 100  at last  samples (median)");
    for (name, mut after) in found() {
        after.sort_by_key(|after| after.unwrap_or(usize::MAX));
        let within = |limit| {
            let caught = after.iter().flatten().filter(|&&after| after <= limit);
            100.0 * caught.count() as f64 / after.len() as f64
        };
        let [ten, hundred, last] = [10, 100, usize::MAX].map(within);
        let median = after[after.len() / 2].map_or("-".to_owned(), |after| after.to_string());
        println!("{name:<18}{:>5}{ten:>6.0}%{hundred:>7.0}%{last:>8.0}%{median:>9}", after.len());
        let wanted = WEAK.iter().find(|(weak, _)| *weak == name).map_or(100.0, |(_, share)| *share);
        assert!(last >= wanted, "{name}: {last} %, not {wanted} %");
    }
}

/// The threads of the command look at windows in any order, at some of them at the same time.
#[test]
fn windows_in_any_order_show_the_same_samples() {
    let fixture =
        fixtures().into_iter().find(|it| it.name == "gpac_cenc8_prog_avc_aac.mp4").unwrap();
    let counts = |size, is_reversed| {
        let verifier = Verifier::new();
        let mut bytes = fixture.bytes.clone();
        for plan in plans(&bytes).unwrap() {
            let ready = plan.resolve(&fixture, &BTreeSet::new()).unwrap();
            verifier.begin(&ready);
            let mut windows: Vec<_> = ready.plan().windows(size).collect();
            if is_reversed {
                windows.reverse();
            }
            for window in windows {
                let bytes = &mut bytes[index(&window)];
                ready.decrypt(window.start, bytes).unwrap();
                assert!(!verifier.look(&ready, window.start, bytes));
            }
        }
        let findings = verifier.findings().into_iter();
        findings.map(|finding| (finding.track, finding.checked)).collect::<Vec<_>>()
    };
    let expected = vec![(1, 100), (2, 189)];
    for size in [1, 1000, 10_000, u64::MAX] {
        assert_eq!(counts(size, false), expected);
        assert_eq!(counts(size, true), expected);
    }
}

#[test]
fn overwhelming_evidence_is_told_at_once() {
    let name = "shaka_cenc_avc_aac_audio.mp4";
    let fixture = fixtures().into_iter().find(|fixture| fixture.name == name).unwrap();
    let wrong = |_, _: &KeyId| Some(Arc::new(Key::new(&noise(1))));
    for (keys, is_wrong) in [(&wrong as &dyn KeySource, true), (&fixture, false)] {
        let (verifier, mut bytes, mut looks) = (Verifier::new(), fixture.bytes.clone(), Vec::new());
        for plan in plans(&bytes).unwrap() {
            let ready = plan.resolve(keys, &BTreeSet::new()).unwrap();
            let unit = ready.plan().range();
            verifier.begin(&ready);
            ready.decrypt(unit.start, &mut bytes[index(&unit)]).unwrap();
            looks.push(verifier.look(&ready, unit.start, &bytes[index(&unit)]));
            assert!(!verifier.has_first(&ready, &(unit.end..unit.end)));
        }
        let first = looks.iter().position(|&overwhelming| overwhelming);
        assert_eq!(first.is_some_and(|first| first + 1 < looks.len()), is_wrong, "{looks:?}");
        let finding = verifier.findings().remove(0);
        assert_eq!((finding.checked, finding.verdict == Verdict::Wrong), (189, is_wrong));
        verifier.forget();
        assert_eq!(verifier.findings(), []);
    }
}
