//! Clear files are encrypted, and the reader of protected files makes them what they were.

#![expect(clippy::unwrap_used, reason = "the helpers of a test may panic as the test may")]

mod clear;
mod common;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use cenc::{Iv, Key, Pattern, Scheme, Subsample};
use clear::{
    PER_SAMPLE_8, PER_SAMPLE_16, clear, key,
    rewriting::{encrypted, planned},
    seconds, settings,
};
use clearkey::KeyId;
use common::{
    Fixture, fixtures,
    laws::{index, plans},
};
use container::{
    Change, Edit, KeySource, Plan, ReadyPlan, Relocation, Window,
    encrypt::{IvSettings, Settings, TrackKey, TrackSettings},
    mp4::relocate,
};
use proptest::prelude::*;

/// The clear files, each with whether it is fragmented.
const CLEAR: [(&str, bool); 7] = [
    ("ac3.mp4", false),
    ("av1_opus.mp4", false),
    ("avc_aac.mp4", false),
    ("avc_aac_frag.mp4", true),
    ("flac.mp4", false),
    ("hevc_eac3.mp4", false),
    ("vp9_opus.mp4", false),
];

/// The input decrypted, and what protection leaves behind taken out.
fn decrypted(input: &[u8], keys: &dyn KeySource) -> Vec<u8> {
    let ready = plans(input).unwrap().into_iter().map(|plan| plan.resolve(keys, &BTreeSet::new()));
    let ready: Vec<_> = ready.collect::<Result<_, _>>().unwrap();
    let mut relocation = Relocation::new();
    ready.iter().flat_map(ReadyPlan::discards).for_each(|piece| relocation.remove(piece));
    let mut bytes = input.to_vec();
    for ready in &ready {
        let range = ready.plan().range();
        let corrections = relocate(&Window::new(0, input), range.clone(), &relocation).unwrap();
        let bytes = &mut bytes[index(&range)];
        ready.apply(range.start, bytes).unwrap();
        corrections.iter().for_each(|edit| edit.write(range.start, bytes));
    }
    let all = 0..bytes.len() as u64;
    relocation.kept(all).flat_map(|kept| bytes[index(&kept)].to_vec()).collect()
}

fn all_keys(_: u32, kid: &KeyId) -> Option<Arc<Key>> {
    Some(key(kid))
}

/// The bodies of all `mdat` boxes.
fn sample_data(file: &[u8]) -> Vec<&[u8]> {
    let (mut rest, mut found) = (file, Vec::new());
    while let [a, b, c, d, kind @ ..] = rest {
        let size = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        if kind.starts_with(b"mdat") {
            found.push(&rest[8..size]);
        }
        rest = &rest[size..];
    }
    found
}

fn assert_same(found: &[u8], expected: &[u8], what: &str) {
    let same = found.iter().zip(expected).take_while(|(found, expected)| found == expected);
    let at = same.count();
    assert!(found == expected, "{what}: they differ from byte {at} on");
}

fn count(plans: &[Plan]) -> (u64, u64) {
    let scopes = plans.iter().flat_map(Plan::scopes);
    scopes.fold((0, 0), |sum, scope| (sum.0 + scope.protected, sum.1 + scope.clear))
}

#[test]
fn what_is_encrypted_and_decrypted_is_what_it_was() {
    let constant = IvSettings::Constant(Iv::from([0x5a; 16]));
    let ways = [
        (Scheme::Cenc, PER_SAMPLE_8),
        (Scheme::Cenc, PER_SAMPLE_16),
        (Scheme::Cens, PER_SAMPLE_8),
        (Scheme::Cbc1, PER_SAMPLE_16),
        (Scheme::Cbcs, PER_SAMPLE_16),
        (Scheme::Cbcs, constant),
    ];
    for (name, is_fragmented) in CLEAR {
        let input = clear(name);
        for (scheme, iv) in ways {
            for (lead, rotate) in [
                (None, None),
                (None, seconds(1.3)),
                (seconds(1.5), None),
                (seconds(1.0), seconds(1.3)),
            ] {
                let what = format!("{name} {scheme} {iv:?} {lead:?} {rotate:?}");
                let settings =
                    Settings { clear_lead: lead, rotate, ..settings(&input, scheme, iv) };
                let output = encrypted(&input, &settings, 30_000).unwrap();
                let found = plans(&output).unwrap();
                let (protected, clear) = count(&found);
                assert!(protected > 40, "{what}: {protected}");
                // The entries of a progressive file's clear samples protect nothing.
                assert_eq!(clear > 0, lead.is_some() && is_fragmented, "{what}: {clear}");
                let kids: BTreeSet<_> =
                    found.iter().flat_map(Plan::protections).map(|p| p.kid.clone()).collect();
                let keys = if rotate.is_some() { 3 } else { 1 };
                assert_eq!(kids.len(), keys * settings.tracks.len(), "{what}");
                assert_ne!(sample_data(&output), sample_data(&input), "{what}");
                let back = decrypted(&output, &all_keys);
                assert!(sample_data(&back) == sample_data(&input), "{what}");
                if clear == 0 {
                    assert_same(&back, &input, &what);
                }
            }
        }
    }
}

#[test]
fn piff_is_read_back() {
    for name in ["avc_aac.mp4", "avc_aac_frag.mp4"] {
        let input = clear(name);
        for (scheme, iv) in [(Scheme::Cenc, PER_SAMPLE_8), (Scheme::Cbc1, PER_SAMPLE_16)] {
            for rotate in [None, seconds(1.0)] {
                let settings = Settings { piff: true, rotate, ..settings(&input, scheme, iv) };
                let output = encrypted(&input, &settings, 1 << 20);
                if rotate.is_some() && name == "avc_aac.mp4" {
                    let message = output.unwrap_err().to_string();
                    assert!(
                        message.ends_with("PIFF has no keys that take turns in one sample table")
                    );
                    continue;
                }
                let output = output.unwrap();
                let found = plans(&output).unwrap();
                let entries =
                    found.iter().flat_map(|plan| plan.tracks()).flat_map(|track| &track.entries);
                for entry in entries {
                    assert_eq!(entry.protection.as_ref().unwrap().scheme_type, *b"piff");
                }
                assert!(sample_data(&decrypted(&output, &all_keys)) == sample_data(&input));
                // The brand stays; all else is as it was.
                let mut back = decrypted(&output, &all_keys);
                let brand = back.windows(4).position(|bytes| bytes == b"piff").unwrap();
                back.drain(brand..brand + 4);
                back[3] -= 4;
                assert_eq!(back.len(), input.len());
            }
        }
    }
}

/// The settings with which another tool has encrypted a file.
fn settings_of(fixture: &Fixture) -> Settings {
    let plans = plans(&fixture.bytes).unwrap();
    let tracks = plans.iter().flat_map(|plan| plan.tracks());
    let mut scheme = Scheme::Cenc;
    let tracks = tracks.filter_map(|track| {
        let protection = track.entries[0].protection.as_ref()?;
        scheme = protection.scheme;
        let first = plans.iter().find_map(|plan| {
            let sample = plan.samples().iter().find(|sample| {
                let protection = &plan.protections()[sample.protection as usize];
                plan.scopes()[protection.scope as usize].track == track.id
            })?;
            Some(*plan.iv(sample).as_bytes())
        });
        let iv = match (protection.iv_size, protection.constant_iv) {
            (Some(size), _) => IvSettings::PerSample { size, first: first.unwrap() },
            (None, iv) => IvSettings::Constant(iv.unwrap()),
        };
        let kid = protection.kid.clone();
        let keys = vec![TrackKey { key: fixture.key(track.id, &kid).unwrap(), kid }];
        Some(TrackSettings { track: track.id, keys, pattern: protection.pattern, iv })
    });
    let tracks = tracks.collect();
    Settings { scheme, tracks, pssh: Vec::new(), piff: false, clear_lead: None, rotate: None }
}

/// Length, IV and subsamples of all protected samples of a file.
fn said(file: &[u8]) -> Vec<(u32, Iv, Option<Vec<Subsample>>)> {
    let plans = plans(file).unwrap();
    let of_plan = |plan: &Plan| {
        let samples = plan.samples().iter();
        let of_sample =
            |sample| (plan.iv(sample), plan.subsamples(sample).map(<[Subsample]>::to_vec));
        let all = samples.map(|sample| (sample.len, of_sample(sample)));
        all.map(|(len, (iv, subsamples))| (len, iv, subsamples)).collect::<Vec<_>>()
    };
    plans.iter().flat_map(of_plan).collect()
}

/// Shaka Packager's files, decrypted and encrypted again with the same keys and IVs, have the same
/// encrypted samples, and say the same of them. Only AV1 with `cbcs` has other subsamples: it leaves bytes
/// that fill no block clear behind what is protected, and AV1's binding wants them before it.
#[test]
fn samples_are_encrypted_as_another_tool_encrypts_them() {
    let (mut same, mut differ) = (Vec::new(), Vec::new());
    for fixture in fixtures() {
        let name = fixture.name.clone();
        if !name.starts_with("shaka_") || name.contains("keyrot") || name.contains("webm") {
            continue;
        }
        let mut settings = settings_of(&fixture);
        settings.clear_lead = name.contains("clearlead").then_some(Duration::from_millis(1500));
        let input = decrypted(&fixture.bytes, &fixture);
        let output = encrypted(&input, &settings, 100_000);
        let output = output.unwrap_or_else(|error| panic!("{name}: {error}"));
        let (ours, theirs) = (said(&output), said(&fixture.bytes));
        let ivs =
            |said: &[(u32, Iv, _)]| said.iter().map(|&(len, iv, _)| (len, iv)).collect::<Vec<_>>();
        assert!(ivs(&ours) == ivs(&theirs), "{name}");
        let is_same = ours == theirs && sample_data(&output) == sample_data(&fixture.bytes);
        if is_same { &mut same } else { &mut differ }.push(name);
    }
    assert_eq!((same.len(), differ.len()), (10, 1), "{same:#?} {differ:#?}");
}

#[test]
fn initialization_data_go_into_the_movie_header() {
    let pssh = |last: u8| [&[0, 0, 0, 33], b"pssh".as_slice(), &[0; 23], &[1, last]].concat();
    for name in ["avc_aac.mp4", "avc_aac_frag.mp4"] {
        for piff in [false, true] {
            let input = clear(name);
            let boxes = vec![pssh(1), pssh(2)];
            let settings = Settings {
                pssh: boxes.clone(),
                piff,
                ..settings(&input, Scheme::Cenc, PER_SAMPLE_8)
            };
            let output = encrypted(&input, &settings, 1 << 20).unwrap();
            let found: Vec<_> =
                plans(&output).unwrap().iter().flat_map(|plan| plan.init_data().to_vec()).collect();
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].bytes, boxes.concat());
            assert!(sample_data(&decrypted(&output, &all_keys)) == sample_data(&input));
        }
    }
}

#[test]
fn tracks_without_settings_stay_clear() {
    let input = clear("avc_aac_frag.mp4");
    for kept in [1, 2] {
        let mut settings = settings(&input, Scheme::Cenc, PER_SAMPLE_8);
        settings.tracks.retain(|track| track.track == kept);
        let output = encrypted(&input, &settings, 1 << 20).unwrap();
        let found = plans(&output).unwrap();
        for scope in found.iter().flat_map(Plan::scopes) {
            assert_eq!(
                (scope.protected > 0, scope.clear > 0),
                (
                    scope.track == kept && scope.protected > 0,
                    scope.track != kept && scope.clear > 0
                )
            );
        }
        assert_same(&decrypted(&output, &all_keys), &input, "one track");
        // The other track can follow, and the first one cannot be encrypted twice.
        let message = encrypted(&output, &settings, 1 << 20).unwrap_err().to_string();
        assert!(message.ends_with(&format!(": track {kept} is protected already")), "{message}");
        settings.tracks[0].track = 3 - kept;
        let both = encrypted(&output, &settings, 1 << 20).unwrap();
        assert_same(&decrypted(&both, &all_keys), &input, "both tracks");
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    let input = clear("avc_aac.mp4");
    let right = settings(&input, Scheme::Cenc, PER_SAMPLE_8);
    let told = |change: &dyn Fn(&mut Settings)| {
        let mut settings = right.clone();
        change(&mut settings);
        encrypted(&input, &settings, 1 << 20).unwrap_err().to_string()
    };
    let constant = IvSettings::Constant(Iv::from([1; 16]));
    type Change<'c> = &'c dyn Fn(&mut Settings);
    let cases: [(Change<'_>, &str); 11] = [
        (&|all| all.rotate = seconds(0.0), "keys take turns after 0 seconds"),
        (
            &|all| all.pssh = vec![b"pssh".to_vec()],
            "what is given as `pssh` is not one whole box of that type",
        ),
        (&|all| (all.piff, all.scheme) = (true, Scheme::Cbcs), "PIFF has no scheme cbcs"),
        (&|all| all.tracks[1].track = 1, "track 1 has two settings"),
        (&|all| all.tracks[1].track = 9, "there is no track 9"),
        (&|all| all.tracks[0].keys.clear(), "track 1 has no key"),
        (
            &|all| all.tracks[0].pattern = Pattern::new(1, 9).unwrap(),
            "scheme cenc takes no pattern (track 1)",
        ),
        (&|all| all.tracks[0].iv = constant, "scheme cenc needs an IV for each sample"),
        (
            &|all| all.tracks[0].iv = IvSettings::PerSample { size: 4, first: [0; 16] },
            "an IV of 4 bytes, neither 8 nor 16",
        ),
        (
            &|all| all.tracks[0].iv = IvSettings::PerSample { size: 8, first: [1; 16] },
            "an IV of 8 bytes with more behind them",
        ),
        (
            &|all| all.tracks[0].keys[0].kid = KeyId::new([7; 4]).unwrap(),
            "key id 07070707 does not have 16 octets",
        ),
    ];
    for (change, message) in cases {
        assert_eq!(told(change), format!("cannot be encrypted so: {message}"));
    }
    let nothing = encrypted(b"RIFF....", &right, 1).unwrap_err().to_string();
    assert_eq!(nothing, "this is neither an MP4 nor a WebM file: it begins with `RIFF....`");
}

/// Makes all edits in a file that is in memory whole.
fn rewritten(input: &[u8], edits: &[Edit]) -> Vec<u8> {
    let mut output = input.to_vec();
    for edit in edits {
        if matches!(edit.change, Change::Overwrite(_)) {
            edit.write(0, &mut output);
        }
    }
    // From behind, so that offsets stay true; of those at one offset, the last one first.
    for edit in edits.iter().rev() {
        let range = index(&edit.range());
        match &edit.change {
            Change::Discard { .. } => drop(output.drain(range)),
            Change::Insert { bytes, .. } => drop(output.splice(range, bytes.iter().copied())),
            _ => {}
        }
    }
    output
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn pieces_of_windows_are_the_file_rewritten(
        file in 0..CLEAR.len(),
        window in 1_u64..60_000,
        lead in prop_oneof![Just(None), (0.1..3.0).prop_map(seconds)],
        rotate in prop_oneof![Just(None), (0.1..3.0).prop_map(seconds)],
    ) {
        let input = clear(CLEAR[file].0);
        let pssh = vec![[&[0, 0, 0, 12], b"pssh".as_slice(), &[0; 4]].concat()];
        let all = settings(&input, Scheme::Cenc, PER_SAMPLE_8);
        let settings = Settings { clear_lead: lead, rotate, pssh, ..all };
        let (units, relocation) = planned(&input, &settings).unwrap();
        let edits: Vec<_> = units.iter().flat_map(ReadyPlan::edits).cloned().collect();
        let mut output = Vec::new();
        let mut overwritten = input.clone();
        for edit in edits.iter().filter(|edit| matches!(edit.change, Change::Overwrite(_))) {
            edit.write(0, &mut overwritten);
        }
        for unit in &units {
            for window in unit.plan().windows(window) {
                let bytes = &overwritten[index(&window)];
                for (at, piece) in unit.pieces(&relocation, window.start, bytes) {
                    prop_assert_eq!(at, output.len() as u64);
                    output.extend_from_slice(piece);
                }
            }
        }
        prop_assert!(output == rewritten(&input, &edits));
        // Whatever the windows, the file is the same.
        let one = encrypted(&input, &settings, u64::MAX).unwrap();
        prop_assert!(encrypted(&input, &settings, window).unwrap() == one);
    }

    /// No byte is changed twice, be it by what encrypts a unit or by what corrects its offsets; and all
    /// offsets move in order, to where the output has room for them.
    #[test]
    fn edits_and_corrections_do_not_overlap(
        file in 0..CLEAR.len(),
        (scheme, iv, piff) in prop::sample::select(vec![
            (Scheme::Cenc, PER_SAMPLE_8, false),
            (Scheme::Cenc, PER_SAMPLE_16, true),
            (Scheme::Cens, PER_SAMPLE_8, false),
            (Scheme::Cbc1, PER_SAMPLE_16, true),
            (Scheme::Cbcs, PER_SAMPLE_16, false),
            (Scheme::Cbcs, IvSettings::Constant(Iv::from([0x5a; 16])), false),
        ]),
        lead in prop_oneof![Just(None), (0.1..3.0).prop_map(seconds)],
        rotate in prop_oneof![Just(None), (0.1..3.0).prop_map(seconds)],
        boxes in 0_usize..3,
    ) {
        let input = clear(CLEAR[file].0);
        let pssh = vec![[&[0, 0, 0, 12], b"pssh".as_slice(), &[0; 4]].concat(); boxes];
        // PIFF has no keys that take turns in a sample table.
        let rotate = rotate.filter(|_| !piff);
        let all = settings(&input, scheme, iv);
        let settings = Settings { clear_lead: lead, rotate, pssh, piff, ..all };
        let (units, relocation) = planned(&input, &settings).unwrap();
        let mut last = 0;
        for unit in &units {
            let range = unit.plan().range();
            let corrections = relocate(&Window::new(0, &input), range.clone(), &relocation).unwrap();
            let edits = unit.edits().chain(&corrections);
            let samples = unit.plan().samples().iter().map(|sample| sample.at..sample.end());
            let mut taken: Vec<_> = edits.map(Edit::range).chain(samples).collect();
            taken.sort_by_key(|range| (range.start, range.end));
            let mut end = range.start;
            for next in taken {
                prop_assert!(end <= next.start, "{next:?} begins before {end}");
                let moved = relocation.moved(next.start);
                prop_assert!(last <= moved, "{next:?} moves to {moved}, before {last}");
                (end, last) = (next.end, moved);
            }
            prop_assert!(end <= range.end);
        }
        let output = encrypted(&input, &settings, 1 << 20).unwrap();
        prop_assert_eq!(relocation.moved(input.len() as u64), output.len() as u64);
        // What is neither in a sample nor edited is as it was.
        let may_change: Vec<_> = units
            .iter()
            .flat_map(|unit| {
                let samples = unit.plan().samples().iter().map(|sample| sample.at..sample.end());
                let corrections =
                    relocate(&Window::new(0, &input), unit.plan().range(), &relocation).unwrap();
                let corrections: Vec<_> = corrections.iter().map(Edit::range).collect();
                unit.edits().map(Edit::range).chain(samples).chain(corrections).collect::<Vec<_>>()
            })
            .collect();
        let mut is_same = vec![true; input.len()];
        may_change.iter().for_each(|range| is_same[index(range)].fill(false));
        for (at, byte) in input.iter().enumerate().filter(|&(at, _)| is_same[at]) {
            let moved = usize::try_from(relocation.moved(at as u64)).unwrap();
            prop_assert_eq!(output[moved], *byte, "byte {}", at);
        }
    }

    /// Whatever a file says, nothing panics; and what can be encrypted can be written.
    #[test]
    fn broken_files_are_refused_or_encrypted(
        file in 0..CLEAR.len(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        is_led in any::<bool>(),
        is_fragment in any::<bool>(),
    ) {
        let mut input = clear(CLEAR[if is_fragment { 3 } else { file }].0);
        let all = settings(&input, Scheme::Cenc, PER_SAMPLE_8);
        let (clear_lead, rotate) = (seconds(1.0).filter(|_| is_led), seconds(1.3).filter(|_| is_led));
        let settings = Settings { clear_lead, rotate, ..all };
        // Where boxes are: all around each `moov` and `moof`.
        let headers = (4..input.len() - 4)
            .filter(|&at| [b"moov", b"moof"].iter().any(|kind| input[at..at + 4] == **kind));
        let places: Vec<_> = headers.flat_map(|at| at - 4..(at + 1500).min(input.len())).collect();
        for (index, byte) in changes {
            input[*index.get(&places)] = byte;
        }
        if let Ok((units, _)) = planned(&input, &settings) {
            let end = units.last().map(|unit| unit.plan().range().end);
            prop_assert_eq!(end, Some(input.len() as u64));
            let _ = encrypted(&input, &settings, 100_000);
        }
    }
}
