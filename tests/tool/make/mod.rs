//! MP4 files made in memory, each together with what has to become of it.
//!
//! A [`Movie`] says what is in a file, and is written in three [`Form`]s: protected, decrypted with
//! all lengths kept, and decrypted without the boxes that protection needed. The last two are what
//! the command has to answer, byte by byte.

mod boxes;
mod fragment;
mod movie;
mod track;
mod writer;

pub(crate) use {
    movie::{Base, Mdat, Movie, Sizes},
    track::{AuxAt, Entry, Iv, Protected, Sample, Senc, Setting, Track, key, noise},
    writer::{Form, Writer, write},
};

use std::collections::BTreeMap;

use crate::{
    samples,
    support::{Way, assert_same, key_args},
};

/// A file, and what has to become of it.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    pub(crate) protected: Vec<u8>,
    pub(crate) default: Vec<u8>,
    pub(crate) compact: Vec<u8>,
    /// `KID:KEY` for all that is protected.
    pub(crate) keys: Vec<String>,
    /// The clear samples of each track.
    pub(crate) clear: BTreeMap<u32, Vec<u8>>,
}

impl Made {
    /// One stream behind the other.
    pub(crate) fn joined(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut parts = parts.into_iter();
        let mut all = parts.next().unwrap();
        for part in parts {
            all.protected.extend(part.protected);
            all.default.extend(part.default);
            all.compact.extend(part.compact);
            all.keys.extend(part.keys);
            for (track, clear) in part.clear {
                all.clear.entry(track).or_default().extend(clear);
            }
        }
        all
    }

    /// Has the file decrypted in every way, and asks for exactly what has to become of it. That this
    /// holds the clear samples is for the independent reader to say.
    #[track_caller]
    pub(crate) fn check(&self) {
        for expected in [&self.default, &self.compact] {
            let tracks = samples::read(expected);
            let found: BTreeMap<_, _> =
                tracks.iter().map(|(id, track)| (*id, track.data(expected))).collect();
            assert!(found == self.clear, "the expected file does not hold the clear samples");
        }
        for way in Way::ALL {
            // Its samples are noise, as if the keys were wrong.
            let args = [key_args(&self.keys), vec!["--no-verify".to_owned()]].concat();
            let (run, _, output) = way.run(&self.protected, &args);
            run.done();
            let expected = if way.is_compact() { &self.compact } else { &self.default };
            assert_same(&output.unwrap(), expected, &format!("{way:?}"));
        }
    }

    /// Asks that no way decrypts it, that the message says all of this, and that the input stays.
    #[track_caller]
    pub(crate) fn refused(&self, says: &[&str]) {
        refused(&self.protected, &self.keys, says);
    }
}

/// Asks that no way decrypts a file: exit code 2, the message says all of this, the input stays, and
/// no output is left.
#[track_caller]
pub(crate) fn refused(file: &[u8], keys: &[String], says: &[&str]) {
    for way in Way::ALL {
        let (run, input, output) = way.run(file, &key_args(keys));
        run.refused(2, says);
        assert_same(&input, file, "a refused input");
        if matches!(way, Way::Path | Way::Compact) {
            assert_eq!(output, None, "{way:?}");
        }
    }
}
