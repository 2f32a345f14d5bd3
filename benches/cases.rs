//! What is timed: streams, and what is done to them.

use std::fmt;

use cenc::Scheme::{self, Cbc1, Cbcs, Cenc, Cens};

use crate::{Buffer, Means, Run, Stream};

/// Something to be done, for which there are several means.
#[derive(Clone, Debug)]
pub struct Case {
    /// The part of the name before that of the means, as in `cbcs 1:9/vaes512/64KiB`.
    pub group: String,
    /// The part behind it.
    pub name: String,
    /// Samples.
    pub stream: Stream,
    /// What is done to them.
    pub direction: Direction,
    /// Their bytes before that.
    before: Buffer,
    /// Their bytes after that, as the portable kernel makes them.
    after: Buffer,
}

/// What is done to samples.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    /// Protected ones become clear.
    Decrypt,
    /// Clear ones become protected.
    Encrypt,
}

impl Case {
    fn new(
        group: impl fmt::Display,
        name: impl fmt::Display,
        direction: Direction,
        stream: Stream,
    ) -> Self {
        let clear = Buffer::noise(stream.bytes());
        let encrypted = stream.encrypted(&clear);
        let (before, after) = match direction {
            Direction::Decrypt => (encrypted, clear),
            Direction::Encrypt => (clear, encrypted),
        };
        let (group, name) = (group.to_string(), name.to_string());
        Self { group, name, stream, direction, before, after }
    }

    fn decrypt(name: impl fmt::Display, stream: Stream) -> Self {
        Self::new(label(&stream), name, Direction::Decrypt, stream)
    }

    /// Bytes to work on.
    #[must_use]
    pub fn buffer(&self) -> Buffer {
        self.before.clone()
    }

    /// The means that can do it.
    pub fn means(&self) -> impl Iterator<Item = Means> {
        Means::all().filter(|means| means.can(&self.stream, self.direction))
    }

    /// What does it by some means, and has shown that it gets all bytes right.
    ///
    /// # Panics
    /// If it gets them wrong.
    #[must_use]
    pub fn run(&self, means: Means) -> Run<'_> {
        let mut run = means.run(&self.stream, self.direction);
        let mut data = self.buffer();
        run(&mut data);
        let is_right = data.bytes() == self.after.bytes();
        assert!(is_right, "{}/{means}/{}: wrong bytes", self.group, self.name);
        run
    }
}

/// One sample, protected whole, of each size.
#[must_use]
pub fn whole() -> Vec<Case> {
    let sizes = [256, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 256 << 10, 1 << 20];
    let case = |group, scheme, size| {
        Case::new(group, bytes(size), Direction::Decrypt, Stream::whole(scheme, 1, size))
    };
    let ctr = sizes.map(|size| case("CTR", Cenc, size));
    let cbc = sizes.map(|size| case("CBC decryption", Cbc1, size));
    ctr.into_iter().chain(cbc).collect()
}

/// Many short samples, protected whole.
#[must_use]
pub fn short() -> Vec<Case> {
    vec![
        Case::decrypt("64 of 400B", Stream::whole(Cenc, 64, 400)),
        Case::decrypt("64 of 400B", Stream::whole(Cbcs, 64, 400)),
        Case::decrypt("64 of 200B to 700B", Stream::mixed(Cenc, 64, 200..=700)),
        Case::decrypt("64 of 200B to 700B", Stream::mixed(Cbcs, 64, 200..=700)),
        Case::decrypt("audio by Shaka Packager", Stream::of_file(SHAKA_CENC_AUDIO, AUDIO)),
        Case::decrypt("audio by Shaka Packager", Stream::of_file(SHAKA_CBCS_AUDIO, AUDIO)),
    ]
}

/// Video of `cenc` with the subsamples that packagers make.
#[must_use]
pub fn video() -> Vec<Case> {
    vec![
        Case::decrypt("video by Shaka Packager", Stream::of_file(SHAKA_CENC_VIDEO, VIDEO)),
        Case::decrypt("video by Bento4", Stream::of_file(B4_CENC, VIDEO)),
        Case::decrypt("video by GPAC", Stream::of_file(GPAC_CENC, VIDEO)),
    ]
}

/// Video of `cbcs` with pattern 1:9.
#[must_use]
pub fn cbcs() -> Vec<Case> {
    vec![
        Case::decrypt("video by Shaka Packager", Stream::of_file(SHAKA_CBCS_VIDEO, VIDEO)),
        slices(Cbcs, (1, 9)),
    ]
}

/// Slices of one sample, by other schemes and patterns than [`cbcs`].
#[must_use]
pub fn schemes() -> Vec<Case> {
    vec![slices(Cenc, (0, 0)), slices(Cens, (1, 9)), slices(Cbc1, (0, 0)), slices(Cbcs, (5, 5))]
}

/// Encryption of many chains. Those that lie at multiples of 4 KiB compete for the same places of
/// the first cache.
#[must_use]
pub fn cbc_encryption() -> Vec<Case> {
    let case = |name: String, stream| Case::new("CBC encryption", name, Direction::Encrypt, stream);
    let mut cases = Vec::new();
    for count in [16, 64] {
        for size in [400, 4000, 4 << 10, 16 << 10, 60_000, 64 << 10] {
            let name = format!("{count} of {}", bytes(size));
            cases.push(case(name, Stream::whole(Cbc1, count, size)));
        }
    }
    let video = Stream::of_file(SHAKA_CBCS_VIDEO, VIDEO);
    cases.push(case("cbcs 1:9 video by Shaka Packager".to_owned(), video));
    cases
}

fn slices(scheme: Scheme, pattern: (u8, u8)) -> Case {
    Case::decrypt("4 slices of 16KiB", Stream::slices(scheme, pattern, 16 << 10))
}

/// `cbcs 1:9`.
fn label(Stream { scheme, pattern, .. }: &Stream) -> String {
    match *pattern {
        cenc::Pattern::NONE => scheme.to_string(),
        pattern => format!("{scheme} {pattern}"),
    }
}

/// `64KiB`.
fn bytes(count: usize) -> String {
    match count.trailing_zeros() {
        20.. => format!("{}MiB", count >> 20),
        10.. => format!("{}KiB", count >> 10),
        _ => format!("{count}B"),
    }
}

const AUDIO: [u8; 4] = *b"soun";
const VIDEO: [u8; 4] = *b"vide";

const SHAKA_CENC_AUDIO: &[u8] = include_bytes!("../fixtures/media/shaka_cenc_avc_aac_audio.mp4");
const SHAKA_CENC_VIDEO: &[u8] = include_bytes!("../fixtures/media/shaka_cenc_avc_aac_video.mp4");
const SHAKA_CBCS_AUDIO: &[u8] = include_bytes!("../fixtures/media/shaka_cbcs_avc_aac_audio.mp4");
const SHAKA_CBCS_VIDEO: &[u8] = include_bytes!("../fixtures/media/shaka_cbcs_avc_aac_video.mp4");
const B4_CENC: &[u8] = include_bytes!("../fixtures/media/b4_cenc_avc_aac_fragb4.mp4");
const GPAC_CENC: &[u8] = include_bytes!("../fixtures/media/gpac_cenc16_frag_avc_aac.mp4");
