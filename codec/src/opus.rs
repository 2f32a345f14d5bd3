//! Opus packets (RFC 6716, 3).

use crate::{Protected, Rule, Tally};

/// How the packets of a track are framed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Streams in each packet: all but the last frame themselves (RFC 6716, appendix B). Packets of more
    /// than one stream have other rules and are not judged.
    pub streams: u8,
}

impl Config {
    /// Of the body of a `dOps` box or of an `OpusHead` (RFC 7845, 5.1), which begins with its magic.
    pub(crate) fn read(head: &[u8]) -> Self {
        /// Version, channels, pre-skip, input rate, gain, mapping family; then comes the stream count.
        const STREAMS: usize = 1 + 1 + 2 + 4 + 2 + 1;
        let head = head.strip_prefix(b"OpusHead").unwrap_or(head);
        match head.get(STREAMS - 1) {
            None | Some(0) => Self { streams: 1 },
            Some(_) => Self { streams: head.get(STREAMS).copied().unwrap_or(1) },
        }
    }
}

/// A packet's frames fit into it, and it lasts as long as the one before.
///
/// `tally.memory` is the duration of the last packet, in units of 2.5 ms; 0: none yet.
pub(crate) fn check(config: &Config, sample: &[u8], protected: &Protected<'_>, tally: &mut Tally) {
    if config.streams != 1 || !protected.contains(0) {
        return;
    }
    let duration = duration(sample);
    tally.test(Rule::Length, PACKING, duration.is_some());
    let Some(duration) = duration else { return };
    let before = std::mem::replace(&mut tally.memory, duration.into());
    if before != 0 {
        tally.test(Rule::Continuity, OTHER_DURATION, before == u64::from(duration));
    }
}

/// How often random bytes are no packet. A little more often if they are few.
const PACKING: f64 = 0.33;
/// How often two packets of random bytes last differently.
const OTHER_DURATION: f64 = 0.87;
/// 120 ms in units of 2.5 ms.
const LONGEST: u8 = 48;

/// How long a packet lasts, in units of 2.5 ms, if it keeps the rules R1 to R7.
fn duration(packet: &[u8]) -> Option<u8> {
    let (&toc, rest) = packet.split_first()?;
    let frame = match toc >> 3 {
        // SILK: 10, 20, 40, 60 ms.
        mode @ 0..12 => [4, 8, 16, 24][usize::from(mode & 3)],
        // Both: 10, 20 ms.
        mode @ 12..16 => [4, 8][usize::from(mode & 1)],
        // CELT: 2.5, 5, 10, 20 ms.
        mode => 1 << (mode & 3),
    };
    let frames = match toc & 3 {
        0 => (rest.len() <= LARGEST).then_some(1),
        1 => (rest.len() % 2 == 0 && rest.len() / 2 <= LARGEST).then_some(2),
        2 => {
            let (first, rest) = frame_len(rest)?;
            let second = rest.len().checked_sub(first)?;
            (second <= LARGEST).then_some(2)
        }
        _ => many(rest),
    }?;
    frames.checked_mul(frame).filter(|&duration| duration <= LONGEST)
}

/// Bytes of a frame.
const LARGEST: usize = 1275;

/// The number of frames of a packet with code 3.
fn many(packet: &[u8]) -> Option<u8> {
    let (&count, mut rest) = packet.split_first()?;
    let frames = count & 63;
    let has_padding = count & 0x40 != 0;
    if frames == 0 || frames > LONGEST {
        return None;
    }
    if has_padding {
        let mut padding = 0;
        loop {
            let (&len, behind) = rest.split_first()?;
            rest = behind;
            padding += usize::from(len.min(254));
            if len < 255 {
                break;
            }
        }
        rest = &rest[..rest.len().checked_sub(padding)?];
    }
    if count & 0x80 == 0 {
        let even = rest.len() % usize::from(frames) == 0;
        return (even && rest.len() / usize::from(frames) <= LARGEST).then_some(frames);
    }
    let mut taken = 0;
    for _ in 1..frames {
        let (len, behind) = frame_len(rest)?;
        rest = behind;
        taken += len;
    }
    let last = rest.len().checked_sub(taken)?;
    (last <= LARGEST).then_some(frames)
}

/// A frame length of one or two bytes (3.2.1), and what comes behind.
fn frame_len(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match *bytes {
        [first @ 0..252, ref rest @ ..] => Some((first.into(), rest)),
        [first, second, ref rest @ ..] => {
            Some((usize::from(second) * 4 + usize::from(first), rest))
        }
        _ => None,
    }
}
