//! Encrypts any input with any settings, and decrypts it again.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use cenc::{Iv, Key, Pattern, Scheme, Subsample};
use clearkey::KeyId;
use container::{
    Plan, Planner, ReadyPlan, Relocation, Step, Window,
    encrypt::{IvSettings, Settings, TrackKey, TrackSettings},
};

use super::{
    laws::{index, plans},
    rewriting::{encrypted, planned},
};

/// Encrypts what follows the first twelve bytes, which are the settings. Whether it can be encrypted; then
/// it has been decrypted again, and is what it was.
pub(crate) fn encrypt(bytes: &[u8]) -> bool {
    let Some((options, input)) = bytes.split_first_chunk() else { return false };
    let clear = plans(input).ok().filter(|plans| plans.iter().all(Plan::is_verbatim));
    let settings = settings(options, clear.as_deref().unwrap_or_default());
    let Ok((units, relocation)) = planned(input, &settings) else { return false };
    let end = units.last().map_or(0, |unit| unit.plan().range().end);
    assert_eq!(end, input.len() as u64);
    let window = 1 + u64::from(options[10]) * 64;
    let output = encrypted(input, &settings, window);
    let Ok(output) = output else {
        // Moving reads what planning does not; it refuses whatever the windows.
        assert!(encrypted(input, &settings, u64::MAX).is_err());
        return false;
    };
    assert_eq!(output.len() as u64, relocation.moved(end));
    let whole = encrypted(input, &settings, u64::MAX).expect("it was encrypted in windows");
    assert!(output == whole, "in windows of {window} it differs");
    // What was protected before is a stranger's, and so are the edits that take it away.
    if let Some(clear) = clear {
        comes_back(input, &clear, &settings, &units, &output);
    }
    true
}

/// Settings out of some bytes; they may contradict themselves.
fn settings(options: &[u8; 12], clear: &[Plan]) -> Settings {
    let [kind, pattern, lead, rotate, tracks, first, kid, len, keys, ..] = *options;
    let scheme = [Scheme::Cenc, Scheme::Cens, Scheme::Cbc1, Scheme::Cbcs][usize::from(kind % 4)];
    let is = |bit: u8| kind >> bit & 1 == 1;
    let mut iv = [0; 16];
    iv[..8].fill(first);
    let iv = match (is(2), is(3)) {
        (true, true) => IvSettings::Constant(Iv::from([first; 16])),
        (true, false) => IvSettings::PerSample { size: 16, first: [first; 16] },
        (false, _) => IvSettings::PerSample { size: 8, first: iv },
    };
    let pattern = Pattern::new(pattern >> 4, pattern & 15).expect("each has four bits");
    // Of the file; of one that cannot be read, the first two.
    let mut found: Vec<u32> = clear.iter().flat_map(Plan::tracks).map(|track| track.id).collect();
    if found.is_empty() {
        found = vec![1, 2];
    }
    let chosen = found.into_iter().enumerate().filter(|(at, _)| tracks >> (at % 8) & 1 == 0);
    let key = |turn: u8| {
        let octet = kid.wrapping_add(turn);
        // WebM takes key ids of any length.
        let kid = vec![octet; if is(7) { 1 + usize::from(len) * 2 } else { 16 }];
        Some(TrackKey { kid: KeyId::new(kid).ok()?, key: Arc::new(Key::new(&[octet; 16])) })
    };
    let tracks = chosen.map(|(_, track)| TrackSettings {
        track,
        keys: (0..keys % 4).filter_map(key).collect(),
        pattern,
        iv,
    });
    let time = |units: u8| (units > 0).then(|| Duration::from_millis(u64::from(units) * 10));
    Settings {
        scheme,
        tracks: tracks.collect(),
        pssh: if is(5) { vec![b"\0\0\0\x0cpssh\0\0\0\0".to_vec()] } else { Vec::new() },
        piff: is(4),
        clear_lead: time(lead),
        rotate: time(rotate),
    }
}

/// What is encrypted and decrypted is what it was.
fn comes_back(
    input: &[u8],
    clear: &[Plan],
    settings: &Settings,
    units: &[ReadyPlan],
    output: &[u8],
) {
    let found = plans(output).unwrap_or_else(|error| panic!("what was made of it: {error}"));
    let was = samples(units.iter().map(ReadyPlan::plan), input);
    let (mut bytes, mut relocation) = (output.to_vec(), Relocation::new());
    let resolve = |plan: Plan| plan.resolve(settings, &BTreeSet::new()).expect("it has its keys");
    let ready: Vec<_> = found.into_iter().map(resolve).collect();
    ready.iter().flat_map(ReadyPlan::discards).for_each(|piece| relocation.remove(piece));
    for ready in &ready {
        let range = ready.plan().range();
        ready
            .decrypt(range.start, &mut bytes[index(&range)])
            .expect("planning finds what is wrong");
    }
    let is = samples(ready.iter().map(ReadyPlan::plan), &bytes);
    assert!(was == is, "samples differ");
    for ready in &ready {
        let range = ready.plan().range();
        ready.edit(range.start, &mut bytes[index(&range)]);
    }
    let (mut planner, window) = (Planner::new(), Window::new(0, output));
    while let Step::Unit(plan) = planner.next_unit(&window, true).expect("it was planned") {
        let edits = planner.relocate(&window, plan.range(), &relocation);
        edits.expect("what went in goes out").iter().for_each(|edit| edit.write(0, &mut bytes));
    }
    let kept = relocation.kept(0..bytes.len() as u64);
    let back: Vec<_> = kept.flat_map(|kept| bytes[index(&kept)].to_vec()).collect();
    let is_clear = plans(&back).is_ok_and(|plans| plans.iter().all(Plan::is_verbatim));
    assert!(is_clear || !settings.pssh.is_empty(), "something is left");
    // A lead leaves a second sample entry, PIFF its brand, WebM wider sizes; and `pssh` boxes go, whosever they are.
    let has_pssh = !settings.pssh.is_empty() || clear.iter().any(|it| !it.init_data().is_empty());
    let is_exact = settings.clear_lead.is_none() && !settings.piff && !has_pssh;
    assert!(!is_exact || planner.is_webm() || back == input, "all else differs");
}

/// The samples of which something is protected, of each track one behind the other. Where there is one table
/// for all samples, those of a lead are listed too.
fn samples<'p>(plans: impl Iterator<Item = &'p Plan>, bytes: &[u8]) -> BTreeMap<u32, Vec<u8>> {
    let mut samples = BTreeMap::new();
    for plan in plans {
        for sample in plan.samples() {
            let protects = |table: &[Subsample]| table.iter().any(|entry| entry.protected > 0);
            if !plan.subsamples(sample).is_none_or(protects) {
                continue;
            }
            let scope = plan.protections()[sample.protection as usize].scope;
            let track = plan.scopes()[scope as usize].track;
            let of_track: &mut Vec<u8> = samples.entry(track).or_default();
            of_track.extend_from_slice(&bytes[index(&(sample.at..sample.end()))]);
        }
    }
    samples.retain(|_, of_track| !of_track.is_empty());
    samples
}
