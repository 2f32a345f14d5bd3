//! What can be wrong with a file, and where.

use std::{fmt, io, ops::Range};

use clearkey::KeyId;

use crate::FourCc;

/// Where in the input something stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Box types from the top of the file down, such as `moof/traf/senc`.
    pub path: String,
    /// Offset from the start of the input, in bytes.
    pub at: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` at byte {}", self.path, self.at)
    }
}

/// Why a file could not be planned, decrypted or rewritten.
///
/// Malformed, unsupported and too large are different things, and so are different variants.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A box breaks the rules of ISO/IEC 14496-12 or 23001-7.
    #[error("{place}: {what}")]
    MalformedBox {
        /// The field, or the box.
        place: Place,
        /// What is wrong there.
        what: String,
    },
    /// A box says it is larger than what is left of the input or of its parent.
    #[error("{place}: the box says {size} bytes, but only {available} are left")]
    TruncatedBox {
        /// The box.
        place: Place,
        /// Its stated size, in bytes.
        size: u64,
        /// The bytes there are.
        available: u64,
    },
    /// `schm` names a protection scheme that is not one of Common Encryption.
    #[error("{place}: unsupported protection scheme `{scheme}`")]
    UnsupportedScheme {
        /// The `schm` box.
        place: Place,
        /// Its scheme type.
        scheme: FourCc,
    },
    /// The file is right, but uses something that is not built.
    #[error("{place}: {what} is not supported")]
    Unsupported {
        /// The box.
        place: Place,
        /// What it uses.
        what: String,
    },
    /// A count or size is above a named limit of this crate.
    #[error("{place}: {what} is {value}, the limit is {limit}")]
    Limit {
        /// The box.
        place: Place,
        /// What is counted.
        what: &'static str,
        /// What the file says.
        value: u64,
        /// What is accepted.
        limit: u64,
    },
    /// An IV size, constant IV or pattern in `tenc` or `seig` is none of the standard's.
    #[error("{place}: {source}")]
    Protection {
        /// The field.
        place: Place,
        /// What is wrong with it.
        source: cenc::Error,
    },
    /// A protected sample has no IV anywhere: neither constant, nor in `senc`, nor by `saio`.
    #[error("{place}: sample {sample} of track {track} is protected, but nothing holds its iv")]
    MissingAuxInfo {
        /// The track fragment or sample table.
        place: Place,
        /// Track id.
        track: u32,
        /// Index of the sample in its track fragment or track, from 0.
        sample: u64,
    },
    /// `sbgp` and `sgpd` do not fit each other or the samples.
    #[error("{place}: {what}")]
    SampleGroup {
        /// The box.
        place: Place,
        /// What does not fit.
        what: String,
    },
    /// The subsamples of a sample contradict its size or scheme.
    #[error("{place}: sample {sample} of track {track}: {source}")]
    Sample {
        /// Where its auxiliary information stands.
        place: Place,
        /// Track id.
        track: u32,
        /// Index of the sample in its track fragment or track, from 0.
        sample: u64,
        /// What is wrong.
        source: cenc::Error,
    },
    /// Sample data or auxiliary information lie where they cannot: outside of the input, before
    /// their fragment, or over each other.
    #[error("{place}: {what} at bytes {}..{} {why}", range.start, range.end)]
    SampleOutOfRange {
        /// The box that points there.
        place: Place,
        /// What it points to.
        what: String,
        /// Where it would lie.
        range: Range<u64>,
        /// What is wrong with that.
        why: &'static str,
    },
    /// The input ended without a movie header or a fragment.
    #[error("no `moov` box: this is not an MP4 file, or only a part of one")]
    NoMovie,
    /// A media segment came without the header that explains it.
    #[error("{place}: a fragment before any `moov`: its init segment is needed first")]
    NoInit {
        /// The `moof` box.
        place: Place,
    },
    /// No key was found for protected samples.
    #[error("no key for KID {kid} (track {track})")]
    NoKey {
        /// The key id.
        kid: KeyId,
        /// Track id.
        track: u32,
    },
    /// Reading failed.
    #[error("reading at byte {at}: {source}")]
    Read {
        /// Offset in the input.
        at: u64,
        /// Why.
        source: io::Error,
    },
}
