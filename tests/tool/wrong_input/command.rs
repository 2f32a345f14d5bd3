//! A few of each kind through the command, each in another way.

use std::collections::BTreeMap;

use crate::{
    samples,
    support::{Way, assert_same, key_args},
    wrong_input::{Victim, cuts, has_clear_samples, sizes},
};

/// How many of each kind and file.
const EACH: usize = 3;

#[test]
fn cuts() {
    for (victim, ways) in Victim::all().iter().zip(ways()) {
        let places: Vec<_> = cuts::places(&victim.protected).into_iter().collect();
        for (number, way) in (0..2 * EACH).zip(ways) {
            // Never twice the same, and spread over the file.
            let cut = places[(number * 7919 + victim.name.len() * 104_729) % places.len()];
            let what = format!("cut at {cut}");
            run(victim, way, &victim.protected[..cut], &what);
        }
    }
}

#[test]
fn sizes() {
    for (victim, mut ways) in Victim::all().iter().zip(ways()) {
        let mut kinds: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for (what, wrong) in sizes::wrong_sizes(&victim.protected) {
            let kind = what.split(" with").last().unwrap_or_default().to_owned();
            kinds.entry(kind).or_default().push((what, wrong));
        }
        assert_eq!(kinds.len(), 5, "{:?}", kinds.keys());
        for all in kinds.values() {
            for number in 0..EACH {
                let (what, wrong) = &all[(number * 7919 + victim.name.len() * 31) % all.len()];
                run(victim, ways.next().unwrap(), wrong, what);
            }
        }
    }
}

/// The ways in turn, for each file from another one on.
fn ways() -> impl Iterator<Item = impl Iterator<Item = Way>> {
    (0..).map(|first| Way::ALL.into_iter().cycle().skip(first % Way::ALL.len()))
}

fn run(victim: &Victim, way: Way, wrong: &[u8], what: &str) {
    let what = format!("{}: {what}, {way:?}", victim.name);
    let (run, input, output) = way.run(wrong, &key_args(&victim.keys));
    match run.code {
        0 if way.is_compact() => assert!(is_prefix(victim, &output.unwrap()), "{what}"),
        0 => {
            let output = output.unwrap();
            assert!(output.len() == wrong.len() && has_clear_samples(victim, &output), "{what}");
        }
        _ => {
            let run = run.refused(2, &[]);
            assert!(run.stderr.len() > "clearkey: \n".len(), "{what}");
            assert_same(&input, wrong, &what);
            assert!(!matches!(way, Way::Path | Way::Compact) || output.is_none(), "{what}");
        }
    }
}

/// Whether each track begins as that of the whole file does.
fn is_prefix(victim: &Victim, output: &[u8]) -> bool {
    let whole = samples::read(&victim.clear);
    samples::read(output)
        .iter()
        .all(|(id, track)| whole[id].data(&victim.clear).starts_with(&track.data(output)))
}
