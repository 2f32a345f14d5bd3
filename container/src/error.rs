//! What can be wrong with a file, and where.

use std::{fmt, io, ops::Range};

use clearkey::KeyId;

use crate::FourCc;

/// Where in the input something stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Box types or element names from the top of the file down, such as `moof/traf/senc` or
    /// `Segment/Cluster/SimpleBlock`.
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
    /// A box breaks the rules of ISO/IEC 14496-12 or 23001-7, or an element those of Matroska, WebM or EBML.
    #[error("{place}: {what}")]
    MalformedBox {
        /// The field, or the box.
        place: Place,
        /// What is wrong there.
        what: String,
    },
    /// A box or element says it is larger than what is left of the input or of its parent.
    #[error("{place}: a size of {size} bytes, but only {available} are left")]
    TruncatedBox {
        /// The box or element.
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
        /// The box or element.
        place: Place,
        /// What it uses.
        what: String,
    },
    /// A count or size is above a named limit of this crate.
    #[error("{place}: {what} is {value}, the limit is {limit}")]
    Limit {
        /// The box or element.
        place: Place,
        /// What is counted.
        what: &'static str,
        /// What the file says.
        value: u64,
        /// What is accepted.
        limit: u64,
    },
    /// An IV size, constant IV or pattern in `tenc` or `seig` is none of the standard's.
    #[error("{place}: {reason}")]
    Protection {
        /// The field.
        place: Place,
        /// What is wrong with it.
        reason: cenc::Error,
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
        /// The box or element.
        place: Place,
        /// What does not fit.
        what: String,
    },
    /// The subsamples of a sample contradict its size or scheme.
    #[error("{place}: sample {sample} of track {track}: {reason}")]
    Sample {
        /// Where its auxiliary information stands.
        place: Place,
        /// Track id.
        track: u32,
        /// Index of the sample in its track fragment or track, from 0.
        sample: u64,
        /// What is wrong.
        reason: cenc::Error,
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
    /// The input does not begin as files of any known format do.
    #[error("this is neither an MP4 nor a WebM file: {what}")]
    UnknownFormat {
        /// How it begins.
        what: String,
    },
    /// The input ended without a header or media data.
    #[error("no {header}: this is only a part of {file}")]
    NoHeader {
        /// The box or element that is missing.
        header: &'static str,
        /// What it would make of the input.
        file: &'static str,
    },
    /// A media segment came without the header that explains it.
    #[error("{place}: {what}: its init segment is needed first")]
    NoInit {
        /// The `moof` box or the cluster.
        place: Place,
        /// What came before what.
        what: &'static str,
    },
    /// No key was found for protected samples.
    #[error("no key for KID {kid} (track {track})")]
    NoKey {
        /// The key id.
        kid: KeyId,
        /// Track id.
        track: u32,
    },
    /// A track that is to be encrypted is encrypted, or has boxes that say so.
    #[error("{place}: track {track} is protected already")]
    AlreadyProtected {
        /// The box that says so.
        place: Place,
        /// Track id.
        track: u32,
    },
    /// The settings for encrypting contradict each other, the format, or the file.
    #[error("cannot be encrypted so: {what}")]
    Settings {
        /// What cannot be.
        what: String,
    },
    /// What a track's codec says does not tell which bytes may be protected.
    #[error("{place}: track {track}: what may be protected is not known")]
    Codec {
        /// The sample entry, or the sample.
        place: Place,
        /// Track id.
        track: u32,
        /// What is wrong with it.
        #[source]
        reason: codec::Error,
    },
    /// Reading failed.
    #[error("reading at byte {at}")]
    Read {
        /// Offset in the input.
        at: u64,
        /// Why.
        source: io::Error,
    },
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, sync::Arc};

    use super::*;
    use crate::{
        ReadAt, Window,
        encrypt::{Encryptor, IvSettings, Settings, TrackKey, TrackSettings},
        mp4::{
            Planner,
            testing::{
                Written, cenc_moov, encv, file, fragment, full, moof, moov, plain, plans, senc,
                sinf, tenc, trun,
            },
        },
    };

    /// Fails to compile when a variant is added, so that somebody adds it below.
    fn name(error: &Error) -> &'static str {
        match error {
            Error::MalformedBox { .. } => "MalformedBox",
            Error::TruncatedBox { .. } => "TruncatedBox",
            Error::UnsupportedScheme { .. } => "UnsupportedScheme",
            Error::Unsupported { .. } => "Unsupported",
            Error::Limit { .. } => "Limit",
            Error::Protection { .. } => "Protection",
            Error::MissingAuxInfo { .. } => "MissingAuxInfo",
            Error::SampleGroup { .. } => "SampleGroup",
            Error::Sample { .. } => "Sample",
            Error::SampleOutOfRange { .. } => "SampleOutOfRange",
            Error::UnknownFormat { .. } => "UnknownFormat",
            Error::NoHeader { .. } => "NoHeader",
            Error::NoInit { .. } => "NoInit",
            Error::NoKey { .. } => "NoKey",
            Error::AlreadyProtected { .. } => "AlreadyProtected",
            Error::Settings { .. } => "Settings",
            Error::Codec { .. } => "Codec",
            Error::Read { .. } => "Read",
        }
    }

    fn fragmented(boxes: &[Written]) -> Vec<u8> {
        let make = |offset| moof(&[[trun(offset, &[10])].as_slice(), boxes].concat());
        [cenc_moov().as_ref(), &fragment(make, &[0; 10])].concat()
    }

    #[test]
    fn every_error_tells_box_offset_and_fact() {
        let group = full(b"sbgp", 0, 0).put(b"seig").u32(1).u32(1).u32(3);
        let table = full(b"senc", 0, 2).u32(1).zeros(8).u16(1).u16(2).u32(7);
        let pattern = full(b"tenc", 1, 0).put([0, 0x19, 1, 8]).zeros(16);
        let cases = [
            (
                file(&[plain(b"free"), plain(b"moov").stating(3)]),
                "MalformedBox",
                "`top level` at byte 8: a box size of 3, less than its own header",
            ),
            (
                file(&[plain(b"moov").stating(9)]),
                "TruncatedBox",
                "`moov` at byte 0: a size of 9 bytes, but only 8 are left",
            ),
            (
                file(&[moov(&[plain(b"encv").zeros(78).put(sinf(b"adkm", &tenc(8)))])]),
                "UnsupportedScheme",
                "`moov/trak/mdia/minf/stbl/stsd/encv/sinf` at byte 186: unsupported protection scheme `adkm`",
            ),
            (
                fragmented(&[full(b"senc", 3, 0)]),
                "Unsupported",
                "`moof/traf/senc` at byte 414: version 3 is not supported",
            ),
            (
                file(&[cenc_moov(), moof(&[full(b"trun", 0, 0).u32(9999)])]),
                "Limit",
                "`moof/traf` at byte 366: the number of empty samples in a run is 9999, the limit is 1024",
            ),
            (
                file(&[moov(&[encv(b"cenc", &pattern)])]),
                "Protection",
                "`moov/trak/mdia/minf/stbl/stsd/encv/sinf/schi/tenc` at byte 234: pattern 1:9 with scheme cenc, which takes none",
            ),
            (
                fragmented(&[]),
                "MissingAuxInfo",
                "`moof/traf` at byte 366: sample 0 of track 1 is protected, but nothing holds its iv",
            ),
            (
                fragmented(&[senc(1), group]),
                "SampleGroup",
                "`moof/traf/sbgp` at byte 438: no `seig` entry has the group index 3",
            ),
            (
                fragmented(&[table]),
                "Sample",
                "`moof/traf/senc` at byte 414: sample 0 of track 1: subsamples cover 9 bytes of a 10-byte sample",
            ),
            (
                file(&[cenc_moov(), moof(&[trun(100, &[10])])]),
                "SampleOutOfRange",
                "`moof/traf` at byte 366: samples of track 1 at bytes 458..468 lie beyond the end of the input",
            ),
            (
                b"RIFF....WAVE".to_vec(),
                "UnknownFormat",
                "this is neither an MP4 nor a WebM file: it begins with `RIFF....`",
            ),
            (
                file(&[plain(b"ftyp")]),
                "NoHeader",
                "no `moov` box: this is only a part of an MP4 file",
            ),
            (
                file(&[moof(&[])]),
                "NoInit",
                "`moof` at byte 0: a fragment before any `moov`: its init segment is needed first",
            ),
        ];
        let mut reached = BTreeSet::new();
        for (bytes, variant, message) in cases {
            let error = plans(&bytes).unwrap_err();
            assert_eq!((name(&error), error.to_string().as_str()), (variant, message));
            reached.insert(variant);
        }
        let plan = plans(&fragmented(&[senc(1)])).unwrap().remove(1);
        let no_key = plan.resolve(&|_, _: &_| None, &BTreeSet::new()).unwrap_err();
        assert_eq!(no_key.to_string(), "no key for KID 30313233343536373839616263646566 (track 1)");
        let read = Planner::new().next_unit(&Absent, true).unwrap_err();
        assert_eq!(read.to_string(), "reading at byte 0");
        reached.extend([name(&no_key), name(&read)]);
        let file = file(&[cenc_moov()]);
        let encrypted = |track, scheme| {
            let iv = IvSettings::PerSample { size: 8, first: [0; 16] };
            let pattern = cenc::Pattern::NONE;
            let key = TrackKey { kid: [1; 16].into(), key: Arc::new(cenc::Key::new(&[2; 16])) };
            let tracks = vec![TrackSettings { track, keys: vec![key], pattern, iv }];
            let (pssh, clear_lead, rotate) = (Vec::new(), None, None);
            let piff = scheme == cenc::Scheme::Cbcs;
            let settings = Settings { scheme, tracks, pssh, piff, clear_lead, rotate };
            Encryptor::new(settings).next_unit(&Window::new(0, &file)).unwrap_err()
        };
        let twice = encrypted(1, cenc::Scheme::Cenc);
        assert_eq!(
            twice.to_string(),
            "`moov/trak/mdia/minf/stbl` at byte 76: track 1 is protected already"
        );
        let settings = encrypted(1, cenc::Scheme::Cbcs);
        assert_eq!(settings.to_string(), "cannot be encrypted so: PIFF has no scheme cbcs");
        let place = Place { path: "mdat".to_owned(), at: 9 };
        let reason = codec::Error::Missing { what: "avcC", value: 0 };
        let codec = Error::Codec { place, track: 1, reason };
        assert_eq!(
            codec.to_string(),
            "`mdat` at byte 9: track 1: what may be protected is not known"
        );
        reached.extend([name(&twice), name(&settings), name(&codec)]);
        assert_eq!(reached.len(), 18);
    }

    struct Absent;

    impl ReadAt for Absent {
        fn available(&self) -> Range<u64> {
            0..100
        }

        fn read_exact_at(&self, _: u64, _: &mut [u8]) -> io::Result<()> {
            Err(io::Error::other("gone"))
        }
    }

    /// Who prints an error prints its sources behind it, as `anyhow` does.
    #[test]
    fn no_cause_is_told_twice() {
        let sample = plans(&fragmented(&[full(b"senc", 0, 2).u32(1).zeros(10)])).unwrap_err();
        let pattern = full(b"tenc", 1, 0).put([0, 0x19, 1, 8]).zeros(16);
        let protection = plans(&file(&[moov(&[encv(b"cenc", &pattern)])])).unwrap_err();
        let read = Planner::new().next_unit(&Absent, true).unwrap_err();
        for error in [sample, protection, read] {
            let message = error.to_string();
            if let Some(source) = std::error::Error::source(&error) {
                assert!(!message.contains(&source.to_string()), "{message}: {source}");
            }
        }
    }
}
