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
    let Some(packing) = Packing::read(sample) else { return };
    let duration = packing.duration();
    tally.test(Rule::Length, misfits(packing.frames.len()), duration <= LONGEST && packing.fits());
    // One more, since 0 is none.
    let before = std::mem::replace(&mut tally.memory, u64::from(duration) + 1);
    if before != 0 {
        tally.test(Rule::Continuity, OTHER_DURATION, before == u64::from(duration) + 1);
    }
}

/// 120 ms in units of 2.5 ms.
const LONGEST: u32 = 48;
/// Bytes of a frame.
const LARGEST: usize = 1275;
/// How often two packets of random bytes last differently.
const OTHER_DURATION: f64 = 0.89;

/// How often random bytes break the rules, of which so many come behind the first.
fn misfits(len: usize) -> f64 {
    // A code of two bits. With 0 there is one frame.
    let one = f64::from(u8::from(len > LARGEST));
    // With 1 there are two alike.
    let alike = f64::from(u8::from(len % 2 == 1 || len / 2 > LARGEST));
    // With 2 the first has its length in a byte or, once in 64 times, in two.
    let short = len.min(252) as f64 / 256.0;
    let long = (len.saturating_sub(253) as f64 / 4.0).min(256.0) / 256.0 / 64.0;
    (one + alike + (1.0 - short - long) + MANY) / 4.0
}

/// How often packets of code 3 break them.
const MANY: f64 = 0.985;

/// The TOC byte, and what it says of the rest (RFC 6716, 3.1 and 3.2).
struct Packing<'s> {
    /// How long a frame lasts, in units of 2.5 ms.
    frame: u32,
    code: u8,
    /// All behind the TOC byte.
    frames: &'s [u8],
}

impl<'s> Packing<'s> {
    fn read(packet: &'s [u8]) -> Option<Self> {
        let (&toc, frames) = packet.split_first()?;
        let frame = match toc >> 3 {
            // SILK: 10, 20, 40, 60 ms.
            mode @ 0..12 => [4, 8, 16, 24][usize::from(mode & 3)],
            // Both: 10, 20 ms.
            mode @ 12..16 => [4, 8][usize::from(mode & 1)],
            // CELT: 2.5, 5, 10, 20 ms.
            mode => 1 << (mode & 3),
        };
        Some(Self { frame, code: toc & 3, frames })
    }

    /// How long the packet lasts, in units of 2.5 ms. It may be longer than is allowed.
    fn duration(&self) -> u32 {
        self.frame
            * match self.code {
                0 => 1,
                1 | 2 => 2,
                _ => u32::from(self.frames.first().copied().unwrap_or(0) & 63),
            }
    }

    /// Whether the frames fit into the packet, as the rules R2 to R7 demand.
    fn fits(&self) -> bool {
        match self.code {
            0 => self.frames.len() <= LARGEST,
            1 => are_alike(self.frames, 2),
            2 => do_fit(self.frames, 2),
            _ => many(self.frames).unwrap_or(false),
        }
    }
}

/// The same for a packet of code 3, whose number of frames comes first, then padding.
fn many(packet: &[u8]) -> Option<bool> {
    let (&count, mut rest) = packet.split_first()?;
    let frames = usize::from(count & 63);
    if count & 0x40 != 0 {
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
    Some(
        frames > 0
            && if count & 0x80 == 0 { are_alike(rest, frames) } else { do_fit(rest, frames) },
    )
}

/// Whether so many frames of one length fill the bytes.
fn are_alike(bytes: &[u8], frames: usize) -> bool {
    bytes.len().is_multiple_of(frames) && bytes.len() / frames <= LARGEST
}

/// Whether so many frames fit, all but the last of which have their lengths in front.
fn do_fit(mut bytes: &[u8], frames: usize) -> bool {
    let mut taken = 0;
    for _ in 1..frames {
        let Some((len, behind)) = frame_len(bytes) else { return false };
        bytes = behind;
        taken += len;
    }
    bytes.len().checked_sub(taken).is_some_and(|last| last <= LARGEST)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random;

    fn fits(packet: &[u8]) -> bool {
        let packing = Packing::read(packet).unwrap();
        packing.duration() <= LONGEST && packing.fits()
    }

    fn duration(packet: &[u8]) -> u32 {
        Packing::read(packet).unwrap().duration()
    }

    #[test]
    fn the_rules_of_packets_are_kept_or_broken() {
        let long = |len| [vec![0xf8], vec![0; len]].concat();
        // Code 0: R2.
        assert!(fits(&long(1275)) && !fits(&long(1276)));
        // Code 1: R3.
        assert!(fits(&[0xf9, 1, 2]) && !fits(&[0xf9, 1, 2, 3]));
        // Code 2: R4.
        assert!(fits(&[0xfa, 2, 1, 2, 3]) && !fits(&[0xfa, 5, 1, 2, 3]) && !fits(&[0xfa]));
        assert!(!fits(&[0xfa, 252]));
        // Code 3: R5, no frames and too long.
        assert!(!fits(&[0xfb, 0]) && !fits(&[0xfb]));
        assert!(fits(&[0xfb, 6]) && !fits(&[0xfb, 7]));
        // R6: four frames alike, with and without a byte of padding.
        assert!(fits(&[0xfb, 4, 1, 2, 3, 4]) && !fits(&[0xfb, 4, 1, 2, 3, 4, 5]));
        assert!(fits(&[0xfb, 0x44, 1, 1, 2, 3, 4, 0]) && !fits(&[0xfb, 0x44, 9, 1, 2, 3, 4, 0]));
        // R7: lengths of all frames but the last.
        assert!(fits(&[0xfb, 0x83, 1, 2, 0, 0, 0, 0]) && !fits(&[0xfb, 0x83, 1, 4, 0, 0, 0, 0]));
    }

    #[test]
    fn durations_are_those_of_table_2() {
        // Narrowband SILK of 60 ms, hybrid of 20 ms, CELT of 2.5 ms.
        assert_eq!([0x18, 0x68, 0x80].map(|toc| duration(&[toc])), [24, 8, 1]);
        assert_eq!([&[0x19][..], &[0x1a, 0], &[0x83, 5]].map(duration), [48, 48, 5]);
    }

    #[test]
    fn random_packets_break_the_rules_as_often_as_assumed() {
        for len in [20, 61, 100, 161, 240, 500] {
            let broken = random::broken(len + 1, fits);
            assert!((broken - misfits(len)).abs() < 0.01, "{len}: {broken}");
        }
        let mut before = 0;
        let broken = random::broken(2, |packet| {
            std::mem::replace(&mut before, duration(packet)) == duration(packet)
        });
        assert!((broken - OTHER_DURATION).abs() < 0.005, "{broken}");
    }

    #[test]
    fn packets_of_several_streams_are_told_by_their_head() {
        // From `dOps`: version, stereo, pre-skip, rate, gain, family 0.
        assert_eq!(Config::read(b"\0\x02\x01\x38\0\0\xbb\x80\0\0\0").streams, 1);
        let surround =
            b"OpusHead\x01\x06\x38\x01\x80\xbb\0\0\0\0\x01\x04\x02\0\x04\x01\x02\x03\x05";
        assert_eq!(Config::read(surround).streams, 4);
        assert_eq!(Config::read(b"").streams, 1);
    }
}
