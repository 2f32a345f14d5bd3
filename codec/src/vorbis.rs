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

/// Modes stand at the end of the setup header (4.2.4), behind what takes long to read. Each has 41 bits
/// of which 32 are zero, and before them stands their number: so they are found from behind.
fn modes(setup: &[u8]) -> Option<Config> {
    const MODE: usize = 1 + 16 + 16 + 8;
    const COUNT: usize = 6;
    let bits = Backwards { bytes: setup };
    // Behind the modes is the framing bit, and zeros up to the end of the byte.
    let mut start = setup.iter().rposition(|&byte| byte != 0)? * 8;
    start += setup.get(start / 8)?.checked_ilog2()? as usize;
    let (mut found, mut long) = (None, 0_u64);
    for modes in 1..=64 {
        let Some(mode) = start.checked_sub(MODE) else { break };
        start = mode;
        if bits.number(start + 1, 32)? != 0 || bits.number(start + 33, 8)? >= 64 {
            break;
        }
        long = long << 1 | u64::from(bits.number(start, 1)?);
        // vorbis_mode_count is one less. Modes that look like a count before others are the more.
        if start >= COUNT && bits.number(start - COUNT, COUNT)? == modes - 1 {
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

#[cfg(test)]
mod tests {
    use std::slice::from_ref;

    use super::*;

    /// The end of a setup header as libvorbis writes it, and what may be before.
    fn setup(modes: &[(bool, u8)]) -> Vec<u8> {
        let mut bits = vec![true, false, true, true];
        let mut put =
            |value: usize, len: usize| bits.extend((0..len).map(|at| value >> at & 1 == 1));
        put(modes.len() - 1, 6);
        for &(is_long, mapping) in modes {
            put(is_long.into(), 1);
            put(0, 32);
            put(mapping.into(), 8);
        }
        put(1, 1);
        bits.chunks(8)
            .map(|bits| bits.iter().rev().fold(0, |byte, &bit| byte << 1 | u8::from(bit)))
            .collect()
    }

    fn config(modes: &[(bool, u8)]) -> Option<Config> {
        // Two headers of 3 and 2 bytes before it.
        Config::read(&[&[2, 3, 2, 1, 1, 1, 3, 3][..], &setup(modes)].concat()).ok()
    }

    #[test]
    fn modes_are_found_from_behind() {
        assert_eq!(config(&[(false, 0), (true, 1)]), Some(Config { modes: 2, long: 0b10 }));
        assert_eq!(config(&[(true, 0)]), Some(Config { modes: 1, long: 1 }));
        let three = [(true, 0), (false, 2), (false, 1)];
        assert_eq!(config(&three), Some(Config { modes: 3, long: 0b001 }));
    }

    #[test]
    fn headers_without_modes_are_refused() {
        for private in [&[][..], &[1, 0], &[2], &[2, 255], &[2, 9, 9, 1], &[2, 0, 0, 0, 0, 0x40]] {
            assert!(Config::read(private).is_err(), "{private:?}");
        }
    }

    #[test]
    fn windows_fit_those_of_their_neighbours() {
        let config = config(&[(false, 0), (true, 1)]).unwrap();
        let judge = |packets: &[u8]| {
            let mut tally = Tally::new();
            for &packet in packets {
                check(&config, &[packet, 0], &Protected::new(from_ref(&(0..2))), &mut tally);
                tally.sample_done();
            }
            tally.implausible()
        };
        // From the right: type, mode, then of a long block the blocks before and behind.
        let (short, long_first, long, long_last) = (0b00, 0b1010, 0b1110, 0b0110);
        assert_eq!(judge(&[short, long_first, long, long_last, short, short]), 0);
        assert_eq!(judge(&[long, short]), 1);
        assert_eq!(judge(&[short, long]), 1);
        assert_eq!(judge(&[long_last, long_first]), 1);
        assert_eq!(judge(&[0b01]), 1);
    }
}
