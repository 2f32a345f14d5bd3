//! What someone who encrypts asks for.

use std::{sync::Arc, time::Duration};

use cenc::{Iv, Key, Pattern, Scheme};
use clearkey::KeyId;

/// How a file is to be encrypted.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Scheme; WebM has `cenc` only.
    pub scheme: Scheme,
    /// The tracks that are to be protected; the others stay clear.
    pub tracks: Vec<TrackSettings>,
    /// Whole `pssh` boxes for the movie header, as they are to stand there; WebM has none.
    pub pssh: Vec<Vec<u8>>,
    /// Boxes of PIFF 1.1 in place of those of ISO/IEC 23001-7; for `cenc` and `cbc1`.
    pub piff: bool,
    /// Samples of the first so many seconds stay clear.
    pub clear_lead: Option<Duration>,
    /// After so many seconds the next key of a track takes its turn; MP4 only.
    pub rotate: Option<Duration>,
}

/// How a track is to be encrypted.
#[derive(Clone, Debug)]
pub struct TrackSettings {
    /// Track id.
    pub track: u32,
    /// Its keys: one, or those that take turns. Not empty.
    pub keys: Vec<TrackKey>,
    /// Pattern; 0:0 for the schemes without one.
    pub pattern: Pattern,
    /// Where IVs come from.
    pub iv: IvSettings,
}

/// A key and its id.
#[derive(Clone, Debug)]
pub struct TrackKey {
    /// Key id; MP4 has 16 octets for it.
    pub kid: KeyId,
    /// The key.
    pub key: Arc<Key>,
}

/// Where the IVs of a track come from. Nothing here is random: who calls brings what is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IvSettings {
    /// One for all samples, in `tenc` and `seig`: for `cbcs`.
    Constant(Iv),
    /// One for each sample: this one, then the next ones, which no two samples share.
    PerSample {
        /// Bytes of each IV in the file: 8 or 16.
        size: u8,
        /// The first sample's. Of 8 bytes, the rest is 0.
        first: [u8; 16],
    },
}
