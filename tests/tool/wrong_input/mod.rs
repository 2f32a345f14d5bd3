//! Files that were cut off, and boxes with wrong sizes: each is refused with a message, or what is
//! whole of it is decrypted as in the whole file. Nothing panics.
//!
//! There are many thousands of them, so most go through the library in this process, and a few of
//! each kind through the command.

mod command;
mod cuts;
mod flips;
mod sizes;

use std::{collections::BTreeSet, panic::catch_unwind, sync::Arc};

use cenc::Key;
use clearkey::KeyId;
use container::{Planner, ReadyPlan, Relocation, Step, Window, mp4::relocate};

use crate::{
    make::{AuxAt, Base, Mdat, Movie, Protected, Senc, Setting, Track},
    samples,
    support::{Fixture, Way},
};

/// A file that is to be damaged.
struct Victim {
    name: String,
    protected: Vec<u8>,
    /// What the whole of it becomes.
    clear: Vec<u8>,
    keys: Vec<String>,
}

impl Victim {
    /// The fixtures that are MP4, and files that have what none of them has.
    fn all() -> Vec<Self> {
        let fixtures = Fixture::mp4().into_iter().map(|fixture| {
            let protected = fixture.bytes();
            let clear = Way::Path.decrypt(&protected, &fixture.keys);
            Self { name: fixture.file, protected, clear, keys: fixture.keys }
        });
        let made = movies().into_iter().map(|(name, movie)| {
            let made = movie.make();
            Self {
                name: name.to_owned(),
                protected: made.protected,
                clear: made.default,
                keys: made.keys,
            }
        });
        fixtures.chain(made).collect()
    }
}

fn movies() -> Vec<(&'static str, Movie)> {
    let in_data =
        |kid| Protected { senc: Senc::Absent, aux: AuxAt::EachRun, ..Protected::cenc(kid) };
    let rotating = Protected {
        groups: vec![Setting::new(3)],
        local: vec![vec![Setting::new(4)], vec![Setting::clear()]],
        ..Protected::cenc(1)
    };
    let tracks = [
        Track::video(1).protect(Protected::cenc(1)),
        Track::audio(3),
        Track::audio(2).protect(in_data(2)),
    ];
    let rotating = Track::video(1).protect(rotating).groups(&[0x1_0001, 1, 0, 0x1_0001, 1]);
    let fragmented = Movie::fragmented(tracks.clone());
    let progressive = Movie::progressive(tracks);
    vec![
        ("made: fragmented", fragmented.clone().with(|layout| layout.index = true)),
        ("made: 64-bit mdat", fragmented.clone().with(|layout| layout.mdat = Mdat::Large)),
        ("made: open mdat", fragmented.clone().with(|layout| layout.mdat = Mdat::ToEnd)),
        ("made: hybrid", fragmented.clone().with(|layout| layout.in_movie = 3)),
        ("made: paired", fragmented.clone().with(|layout| layout.paired = true)),
        ("made: absolute", fragmented.with(|layout| layout.base = Base::AbsoluteMoof)),
        ("made: groups", Movie::fragmented([rotating])),
        ("made: progressive", progressive.clone().with(|layout| layout.mdat = Mdat::Large)),
        ("made: mdat first", progressive.with(|layout| layout.mdat_first = true)),
    ]
}

/// What comes of a file.
type Outcome = Result<Vec<u8>, String>;

/// Decrypts a file in this process, and looks for the offsets that `--compact` would correct. Neither
/// may panic.
fn decrypt(file: &[u8], keys: &[String]) -> Outcome {
    let whole = catch_unwind(|| {
        let mut output = file.to_vec();
        let mut relocation = Relocation::new();
        for ready in plans(file, keys)? {
            for window in ready.plan().windows(64 << 10) {
                let bytes = &mut output[window.start as usize..window.end as usize];
                ready.apply(window.start, bytes)?;
            }
            ready.discards().for_each(|piece| relocation.remove(piece));
        }
        let all = 0..file.len() as u64;
        // A size or offset that decryption does not look at may be wrong.
        let _ = relocate(&Window::new(0, file), all, &relocation);
        Ok::<_, container::Error>(output)
    });
    let message = |error: container::Error| {
        let message = error.to_string();
        assert!(!message.is_empty());
        message
    };
    whole.expect("no panic").map_err(message)
}

fn plans(file: &[u8], keys: &[String]) -> Result<Vec<ReadyPlan>, container::Error> {
    let keys: Vec<(KeyId, Arc<Key>)> = keys.iter().map(|key| parse(key)).collect();
    let key = |_: u32, kid: &KeyId| {
        keys.iter().find(|(known, _)| known == kid).map(|(_, key)| key.clone())
    };
    let mut planner = Planner::new();
    let mut plans = Vec::new();
    while let Step::Unit(plan) = planner.next_unit(&Window::new(0, file), true)? {
        plans.push(plan.resolve(&key, &BTreeSet::new())?);
    }
    Ok(plans)
}

fn parse(key: &str) -> (KeyId, Arc<Key>) {
    let (kid, key) = key.split_once(':').unwrap();
    let key = data_encoding::HEXLOWER.decode(key.as_bytes()).unwrap();
    (kid.parse().unwrap(), Arc::new(Key::try_from(key.as_slice()).unwrap()))
}

/// Asks whether all samples that `victim` has within `output` are clear in it.
fn has_clear_samples(victim: &Victim, output: &[u8]) -> bool {
    let tracks = samples::read(&victim.protected).into_values();
    let mut ranges = tracks.flat_map(|track| track.samples).map(|sample| sample.range());
    ranges.all(|range| output.get(range.clone()).is_none_or(|bytes| bytes == &victim.clear[range]))
}
