//! Clear WebM files are encrypted, and the reader of protected files makes them what they were.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as the test may")]

mod clear;
#[expect(dead_code, reason = "other tests have more use for it")]
mod common;

use std::{collections::BTreeSet, io::Cursor, sync::Arc, time::Duration};

use cenc::{Iv, Key, Pattern, Scheme};
use clear::{
    PER_SAMPLE_8, PER_SAMPLE_16, clear, key,
    rewriting::{encrypted, planned},
    seconds, settings,
};
use clearkey::KeyId;
use common::laws::{index, plans};
use container::{
    AuxInfo, Plan, Planner, ReadyPlan, Relocation, Step, Window,
    encrypt::{IvSettings, Settings, TrackKey},
};
use matroska_demuxer::{Frame, MatroskaFile};
use proptest::prelude::*;

/// The clear files, each with whether its video is cut into partitions.
const CLEAR: [(&str, bool); 2] = [("vp8_vorbis.webm", false), ("vp9_opus.webm", true)];

fn for_webm(input: &[u8], lead: Option<Duration>) -> Settings {
    let mut settings = settings(input, Scheme::Cenc, PER_SAMPLE_8);
    settings.clear_lead = lead;
    for (index, track) in (0_u64..).zip(&mut settings.tracks) {
        // Tracks share no IV, and key ids may have any length.
        let IvSettings::PerSample { first, .. } = &mut track.iv else { panic!() };
        first[0] = u8::try_from(index).unwrap();
        let kid = KeyId::new(vec![7; 1 + 511 * usize::try_from(index).unwrap()]).unwrap();
        track.keys = vec![TrackKey { key: key(&kid), kid }];
    }
    settings
}

fn all_keys(_: u32, kid: &KeyId) -> Option<Arc<Key>> {
    Some(key(kid))
}

/// The input decrypted: as it is, and with what protection leaves behind taken out.
fn decrypted(input: &[u8]) -> [Vec<u8>; 2] {
    let (mut planner, window) = (Planner::new(), Window::new(0, input));
    let mut bytes = input.to_vec();
    let resolve = |plan: Plan| plan.resolve(&all_keys, &BTreeSet::new()).unwrap();
    let ready: Vec<_> = plans(input).unwrap().into_iter().map(resolve).collect();
    let mut relocation = Relocation::new();
    ready.iter().flat_map(ReadyPlan::discards).for_each(|piece| relocation.remove(piece));
    for ready in &ready {
        let range = ready.plan().range();
        ready.apply(range.start, &mut bytes[index(&range)]).unwrap();
    }
    let mut edited = bytes.clone();
    while let Step::Unit(plan) = planner.next_unit(&window, true).unwrap() {
        let edits = planner.relocate(&window, plan.range(), &relocation).unwrap();
        edits.iter().for_each(|edit| edit.write(0, &mut edited));
    }
    let kept = relocation.kept(0..input.len() as u64);
    [bytes, kept.flat_map(|kept| edited[index(&kept)].to_vec()).collect()]
}

/// All frames, as another reader finds them: track, time and data.
fn frames(file: &[u8]) -> Vec<(u64, u64, Vec<u8>)> {
    let mut reader = MatroskaFile::open(Cursor::new(file)).unwrap();
    let next = || {
        let mut frame = Frame::default();
        let found = reader.next_frame(&mut frame).unwrap();
        found.then_some((frame.track, frame.timestamp, frame.data))
    };
    std::iter::from_fn(next).collect()
}

fn count(plans: &[Plan]) -> (u64, u64) {
    let scopes = plans.iter().flat_map(Plan::scopes);
    scopes.fold((0, 0), |sum, scope| (sum.0 + scope.protected, sum.1 + scope.clear))
}

#[test]
fn what_is_encrypted_and_decrypted_is_what_it_was() {
    for (name, is_partitioned) in CLEAR {
        let input = clear(name);
        let expected = frames(&input);
        for lead in [None, seconds(1.5), seconds(100.0)] {
            let what = format!("{name} {lead:?}");
            let output = encrypted(&input, &for_webm(&input, lead), 30_000).unwrap();
            let found = plans(&output).unwrap();
            let (protected, clear) = count(&found);
            assert_eq!(protected + clear, expected.len() as u64, "{what}");
            assert_eq!(protected > 0, lead != seconds(100.0), "{what}");
            assert_eq!(clear > 0, lead.is_some(), "{what}");
            let mut samples = found
                .iter()
                .flat_map(|plan| plan.samples().iter().map(move |sample| (plan, sample)));
            let any_partitions = samples.any(|(plan, sample)| plan.subsamples(sample).is_some());
            assert_eq!(any_partitions, is_partitioned && protected > 0, "{what}");
            assert!(
                found
                    .iter()
                    .flat_map(Plan::scopes)
                    .all(|scope| scope.protected == 0 || scope.aux_info == AuxInfo::Block)
            );
            for back in decrypted(&output) {
                assert!(frames(&back) == expected, "{what}");
                assert!(plans(&back).unwrap().iter().all(Plan::is_verbatim), "{what}");
            }
        }
    }
}

#[test]
fn no_two_frames_share_an_iv() {
    for (name, _) in CLEAR {
        let input = clear(name);
        let (units, _) = planned(&input, &for_webm(&input, None)).unwrap();
        let plans = units.iter().map(ReadyPlan::plan);
        let ivs: Vec<Iv> =
            plans.flat_map(|plan| plan.samples().iter().map(|sample| plan.iv(sample))).collect();
        let different: BTreeSet<_> = ivs.iter().map(|iv| *iv.as_bytes()).collect();
        assert_eq!(different.len(), ivs.len());
    }
}

#[test]
fn what_webm_cannot_say_is_refused() {
    let input = clear("vp9_opus.webm");
    let good = || for_webm(&input, None);
    let told = |change: &dyn Fn(&mut Settings)| {
        let mut settings = good();
        change(&mut settings);
        planned(&input, &settings).unwrap_err().to_string()
    };
    let cbcs = told(&|settings| settings.scheme = Scheme::Cbcs);
    assert_eq!(cbcs, "cannot be encrypted so: WebM has no scheme cbcs");
    let turns = told(&|settings| {
        let other = settings.tracks[1].keys[0].clone();
        settings.tracks[0].keys.push(other);
        settings.rotate = seconds(1.0);
    });
    assert_eq!(turns, "cannot be encrypted so: WebM has no keys that take turns");
    let piff = told(&|settings| settings.piff = true);
    assert_eq!(piff, "cannot be encrypted so: WebM has no boxes of PIFF");
    let pssh = told(&|settings| settings.pssh = vec![b"\0\0\0\x0cpssh\0\0\0\0".to_vec()]);
    assert_eq!(pssh, "cannot be encrypted so: WebM has no place for `pssh` boxes");
    let iv = told(&|settings| settings.tracks[0].iv = PER_SAMPLE_16);
    assert_eq!(iv, "cannot be encrypted so: WebM has IVs of 8 bytes and no others");
    let absent = told(&|settings| settings.tracks[0].track = 9);
    assert_eq!(absent, "cannot be encrypted so: there is no track 9");
    assert_eq!(good().tracks[0].pattern, Pattern::NONE);
    let once = encrypted(&input, &good(), 30_000).unwrap();
    let twice = planned(&once, &good()).unwrap_err().to_string();
    assert!(twice.ends_with(": track 1 is protected already"), "{twice}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever the bytes are, they are encrypted or refused, and plans keep their laws.
    #[test]
    fn changed_files_end(
        name in prop::sample::select(CLEAR.map(|(name, _)| name).to_vec()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        in_header in any::<bool>(),
    ) {
        let mut input = clear(name);
        let settings = for_webm(&input, None);
        let len = if in_header { 900 } else { input.len() };
        for (at, byte) in changes {
            input[at.index(len)] = byte;
        }
        let _ = encrypted(&input, &settings, 5000);
    }
}
