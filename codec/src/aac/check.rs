//! What AAC demands of decrypted raw data blocks.

use super::{Config, Element};
use crate::{Error, Protected, Rule, Tally, bits::Bits};

/// Judges the first element as far as it has no Huffman codes, and the end of the block.
pub(crate) fn check(config: &Config, sample: &[u8], protected: &Protected<'_>, tally: &mut Tally) {
    if protected.contains(0) {
        let mut bits = Bits::new(sample, "a raw data block");
        let holds = raw_data_block(config, &mut bits).is_ok();
        tally.test(Rule::Header, mismatches(config, sample.len()), holds);
    }
    if let Some((&last, before)) = sample.split_last()
        && protected.contains(before.len())
    {
        tally.test(Rule::Trailing, END, ends(before.last().copied().unwrap_or(0), last));
    }
}

/// How often so many random bytes do not begin with the elements that are configured.
fn mismatches(config: &Config, len: usize) -> f64 {
    let long = if config.first.is_some() { 0.833 } else { 0.329 };
    // What fills, and data streams, may come first; in short samples they often are too long.
    long + (1.0 - long) * 0.161 * (1.0 - len as f64 / 301.0).max(0.0)
}

/// How often random bytes do not end with ID_END, which is three ones, and up to seven zeros.
const END: f64 = 1.0 - 255.0 / 1024.0;

/// Up to the section data of the first element with audio (4.4.2.1 to 4.4.2.7).
fn raw_data_block(config: &Config, bits: &mut Bits<'_>) -> Result<(), Error> {
    const DATA: u32 = 4;
    const PROGRAM_CONFIG: u32 = 5;
    const FILL: u32 = 6;
    loop {
        match bits.u(3)? {
            FILL => fill_element(bits)?,
            DATA => data_stream_element(bits)?,
            // Channels may be other ones from here on.
            PROGRAM_CONFIG => return Ok(()),
            id => {
                return match config.first {
                    Some(first) if first as u32 != id => invalid("id_syn_ele", id),
                    _ if id == Element::Single as u32 => single_channel_element(config, bits),
                    _ if id == Element::Pair as u32 => channel_pair_element(config, bits),
                    _ => Ok(()),
                };
            }
        }
    }
}

fn fill_element(bits: &mut Bits<'_>) -> Result<(), Error> {
    let mut count = bits.u(4)?;
    if count == 15 {
        count += bits.u(8)?;
        count -= 1;
    }
    bits.skip(count as usize * 8)
}

fn data_stream_element(bits: &mut Bits<'_>) -> Result<(), Error> {
    bits.skip(4)?;
    let is_aligned = bits.bit()?;
    let mut count = bits.u(8)?;
    if count == 255 {
        count += bits.u(8)?;
    }
    if is_aligned {
        bits.skip(bits.position().next_multiple_of(8) - bits.position())?;
    }
    bits.skip(count as usize * 8)
}

fn single_channel_element(config: &Config, bits: &mut Bits<'_>) -> Result<(), Error> {
    // element_instance_tag, global_gain.
    bits.skip(4 + 8)?;
    let windows = Windows::read(config, bits)?;
    windows.section_data(bits)
}

fn channel_pair_element(config: &Config, bits: &mut Bits<'_>) -> Result<(), Error> {
    bits.skip(4)?;
    let windows = if bits.bit()? {
        let windows = Windows::read(config, bits)?;
        match bits.u(2)? {
            0 | 2 => {}
            1 => bits.skip((windows.groups * windows.max_sfb) as usize)?,
            mask => return invalid("ms_mask_present", mask),
        }
        bits.skip(8)?;
        windows
    } else {
        bits.skip(8)?;
        Windows::read(config, bits)?
    };
    windows.section_data(bits)
}

/// What `ics_info` says (4.4.2.1, table 4.6).
struct Windows {
    is_short: bool,
    groups: u32,
    max_sfb: u32,
}

impl Windows {
    fn read(config: &Config, bits: &mut Bits<'_>) -> Result<Self, Error> {
        const EIGHT_SHORT: u32 = 2;
        if bits.bit()? {
            return invalid("ics_reserved_bit", 1);
        }
        let is_short = bits.u(2)? == EIGHT_SHORT;
        bits.skip(1)?;
        let (max_sfb, groups, most) = if is_short {
            // Each bit of scale_factor_grouping that is 0 begins a group.
            let max_sfb = bits.u(4)?;
            (max_sfb, 8 - bits.u(7)?.count_ones(), config.short_bands)
        } else {
            let max_sfb = bits.u(6)?;
            if bits.bit()? {
                return invalid("predictor_data_present", 1);
            }
            (max_sfb, 1, config.long_bands)
        };
        match max_sfb <= most.into() {
            true => Ok(Self { is_short, groups, max_sfb }),
            false => invalid("max_sfb", max_sfb),
        }
    }

    /// Sections of bands with one codebook, which end where the bands do.
    fn section_data(&self, bits: &mut Bits<'_>) -> Result<(), Error> {
        const RESERVED: u32 = 12;
        let len_bits = if self.is_short { 3 } else { 5 };
        let escape = (1 << len_bits) - 1;
        for _ in 0..self.groups {
            let mut band = 0;
            while band < self.max_sfb {
                let codebook = bits.u(4)?;
                if codebook == RESERVED {
                    return invalid("sect_cb", codebook);
                }
                loop {
                    let len = bits.u(len_bits)?;
                    band += len;
                    if band > self.max_sfb {
                        return invalid("sect_len_incr", len);
                    }
                    if len != escape {
                        break;
                    }
                }
            }
        }
        Ok(())
    }
}

fn invalid<T>(what: &'static str, value: u32) -> Result<T, Error> {
    Err(Error::Invalid { what, value: value.into() })
}

/// Whether the last two bytes end with three ones and up to seven zeros.
fn ends(before: u8, last: u8) -> bool {
    let tail = u32::from(before) << 8 | u32::from(last);
    let zeros = tail.trailing_zeros();
    zeros < 8 && tail >> zeros & 7 == 7
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random;

    const STEREO: Config = Config { first: Some(Element::Pair), long_bands: 49, short_bands: 14 };
    const MONO: Config = Config { first: Some(Element::Single), long_bands: 49, short_bands: 14 };

    fn begins(config: &Config, sample: &[u8]) -> bool {
        raw_data_block(config, &mut Bits::new(sample, "a test")).is_ok()
    }

    #[test]
    fn silence_of_an_encoder_is_a_block() {
        // FFmpeg's mono and stereo: SCE or CPE with no bands, then ID_END.
        assert!(begins(&STEREO, &[0x21, 0x10, 0x04, 0x60, 0x8c, 0x1c]));
        assert!(ends(0x8c, 0x1c));
        assert!(begins(&MONO, &[0x01, 0x18, 0x20, 0x07]) && ends(0x20, 0x07));
        // One in place of the other.
        assert!(!begins(&MONO, &[0x21, 0x10, 0x04, 0x60, 0x8c, 0x1c]));
        assert!(!begins(&STEREO, &[0x01, 0x18, 0x20, 0x07]));
    }

    #[test]
    fn what_fills_may_come_first() {
        // FIL of one byte, DSE of one byte aligned, then SCE as above.
        assert!(begins(&MONO, &[0b1100_0010, 0, 0b0000_0001, 0x18 << 1, 0x20 << 1, 0, 0]));
        assert!(begins(&MONO, &[0x80 | 1, 0x01, 0xaa, 0x01, 0x18, 0x20, 0x07]));
        // A FIL that is longer than the block; a program config element, behind which anything may come.
        assert!(!begins(&MONO, &[0b1101_1101, 0xff, 0xff, 0, 0]));
        assert!(begins(&MONO, &[0xa0]));
    }

    #[test]
    fn reserved_values_break_a_block() {
        let mut reserved = [0x01, 0x18, 0x20, 0x07];
        // ics_reserved_bit, behind tag and global_gain.
        reserved[1] |= 1;
        assert!(!begins(&MONO, &reserved));
        // All 49 bands in one section; one band more; one band more in the section.
        assert!(begins(&MONO, &[0x01, 0x18, 0x18, 0x83, 0xf2]));
        assert!(!begins(&MONO, &[0x01, 0x18, 0x19, 0x03, 0xf2]));
        assert!(!begins(&MONO, &[0x01, 0x18, 0x18, 0x83, 0xf3]));
        // Predictor data, and a reserved codebook.
        assert!(!begins(&MONO, &[0x01, 0x18, 0x18, 0xc3, 0xf2]));
        assert!(!begins(&MONO, &[0x01, 0x18, 0x18, 0xb3, 0xf2]));
    }

    #[test]
    fn random_blocks_are_broken_as_often_as_assumed() {
        for config in [MONO, STEREO, Config { first: None, ..STEREO }] {
            for len in [60, 200, 400] {
                let broken = random::broken(len, |sample| begins(&config, sample));
                let assumed = mismatches(&config, len);
                assert!((broken - assumed).abs() < 0.01, "{len}: {broken} {assumed}");
            }
        }
        let broken = random::broken(2, |tail| ends(tail[0], tail[1]));
        assert!((broken - END).abs() < 0.005, "{broken}");
    }
}
