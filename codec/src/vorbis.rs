//! Vorbis packets (Vorbis I specification, 4).

use crate::{Error, Protected, Rule, Tally};

/// The modes of a track, whose numbers begin its packets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Modes, 1 to 64.
    modes: u32,
    /// Which of them have long blocks, a bit for each.
    long: u64,
}

impl Config {
    /// Of a CodecPrivate: three header packets behind their count and the lengths of the first two.
    ///
    /// # Errors
    /// Headers are missing, or the modes of the setup header are.
    pub(crate) fn read(codec_private: &[u8]) -> Result<Self, Error> {
        let truncated = Error::Truncated { what: "the Vorbis headers", at: codec_private.len() };
        let (&count, mut rest) = codec_private.split_first().ok_or(truncated)?;
        if count != 2 {
            return Err(Error::Invalid {
                what: "the number of Vorbis headers",
                value: count.into(),
            });
        }
        let mut skipped = 0_usize;
        for _ in 0..2 {
            loop {
                let (&len, behind) = rest.split_first().ok_or(truncated)?;
                rest = behind;
                skipped += usize::from(len);
                if len < 255 {
                    break;
                }
            }
        }
        let setup = rest.get(skipped..).ok_or(truncated)?;
        modes(setup).ok_or(Error::Missing { what: "Vorbis mode", value: 0 })
    }
}

/// Modes stand at the end of the setup header (4.2.4), behind what takes long to read. Each has 40 bits
/// of which 32 are zero, and before them stands their number: so they are found from behind.
fn modes(setup: &[u8]) -> Option<Config> {
    const MODE: usize = 1 + 16 + 16 + 8;
    let bits = Backwards { bytes: setup };
    // Behind the modes is the framing bit, and zeros up to the end of the byte.
    let mut start = setup.iter().rposition(|&byte| byte != 0)? * 8;
    start += setup.get(start / 8)?.checked_ilog2()? as usize;
    let (mut found, mut long) = (None, 0_u64);
    for modes in 1..=64 {
        start = start.checked_sub(MODE)?;
        let is_mode = bits.number(start + 1, 32)? == 0 && bits.number(start + 33, 8)? < 64;
        if !is_mode {
            break;
        }
        long = long << 1 | u64::from(bits.number(start, 1)?);
        // vorbis_mode_count is one less. Modes that look like a count before others are the more.
        if bits.number(start.checked_sub(6)?, 6)? == modes - 1 {
            found = Some(Config { modes, long });
        }
    }
    found
}

/// Numbers whose least significant bit comes first, as Vorbis packs them.
struct Backwards<'b> {
    bytes: &'b [u8],
}

impl Backwards<'_> {
    fn number(&self, at: usize, bits: usize) -> Option<u32> {
        (at..at + bits).rev().try_fold(0, |number, at| {
            let byte = self.bytes.get(at / 8)?;
            Some(number << 1 | u32::from(byte >> (at % 8) & 1))
        })
    }
}

/// A packet's first bit is 0, its mode exists, and its window fits those of its neighbours.
///
/// `tally.memory` has the last packet's block: bit 0 that there was one, bit 1 whether it was long, and
/// if so bit 2 whether it said that this one is.
pub(crate) fn check(config: &Config, sample: &[u8], protected: &Protected<'_>, tally: &mut Tally) {
    let Some(&[first, second]) = sample.first_chunk::<2>() else { return };
    if !protected.contains(0) {
        return;
    }
    tally.test(Rule::Header, 0.5, first & 1 == 0);
    if first & 1 == 1 {
        return;
    }
    let bits = u32::from(first) | u32::from(second) << 8;
    let mode_bits = u32::BITS - (config.modes - 1).leading_zeros();
    let mode = bits >> 1 & ((1 << mode_bits) - 1);
    let exists = mode < config.modes;
    if !config.modes.is_power_of_two() {
        let missing = f64::from((1_u32 << mode_bits) - config.modes);
        tally.test(Rule::Payload, missing / f64::from(1_u32 << mode_bits), exists);
    }
    if !exists || config.long == 0 || config.long.count_ones() == config.modes {
        return;
    }
    let is_long = config.long >> mode & 1;
    let (previous, next) = (bits >> (1 + mode_bits) & 1, bits >> (2 + mode_bits) & 1);
    let now = 1 | is_long << 1 | if is_long == 1 { u64::from(next) << 2 } else { 0 };
    let before = std::mem::replace(&mut tally.memory, now);
    if before & 1 == 1 && is_long == 1 {
        tally.test(Rule::Continuity, 0.5, before >> 1 & 1 == u64::from(previous));
    }
    if before & 2 == 2 {
        tally.test(Rule::Continuity, 0.5, before >> 2 & 1 == is_long);
    }
}
