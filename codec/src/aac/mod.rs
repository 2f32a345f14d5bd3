//! AAC with low complexity, with or without SBR and PS (ISO/IEC 14496-3).

mod check;

use crate::{Error, bits::Bits};

pub(crate) use check::check;

/// What raw data blocks must agree with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The first element that carries audio, if the channel configuration tells.
    first: Option<Element>,
    /// Scale factor bands of a long window.
    long_bands: u8,
    /// And of a short one.
    short_bands: u8,
}

/// A syntactic element that carries audio, by its `id_syn_ele`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Single = 0,
    Pair = 1,
}

impl Config {
    /// Reads an `AudioSpecificConfig` (1.6.2.1). `None`: another audio object type, whose blocks are not
    /// known here.
    ///
    /// # Errors
    /// It ends early.
    pub(crate) fn read(specific: &[u8]) -> Result<Option<Self>, Error> {
        const LOW_COMPLEXITY: u32 = 2;
        const SBR: u32 = 5;
        const PS: u32 = 29;
        let mut bits = Bits::new(specific, "an AudioSpecificConfig");
        let mut object_type = object_type(&mut bits)?;
        let frequency = frequency_index(&mut bits)?;
        let channels = bits.u(4)?;
        if object_type == SBR || object_type == PS {
            // The frequency after SBR; then the core's type.
            frequency_index(&mut bits)?;
            object_type = self::object_type(&mut bits)?;
        }
        if object_type != LOW_COMPLEXITY {
            return Ok(None);
        }
        let (long_bands, short_bands) =
            BANDS.get(frequency as usize).copied().unwrap_or(MOST_BANDS);
        let first = match channels {
            2 => Some(Element::Pair),
            1 | 3..=7 | 11 | 12 | 14 => Some(Element::Single),
            _ => None,
        };
        Ok(Some(Self { first, long_bands, short_bands }))
    }
}

/// `num_swb_long_window` and `num_swb_short_window` for 1024 lines by samplingFrequencyIndex (tables
/// 4.129 ff.). Those for 960 lines are not larger.
const BANDS: [(u8, u8); 13] = [
    (41, 12),
    (41, 12),
    (47, 12),
    (49, 14),
    (49, 14),
    (51, 14),
    (47, 15),
    (47, 15),
    (43, 15),
    (43, 15),
    (43, 15),
    (40, 15),
    (40, 15),
];
const MOST_BANDS: (u8, u8) = (51, 15);

fn object_type(bits: &mut Bits<'_>) -> Result<u32, Error> {
    Ok(match bits.u(5)? {
        31 => 32 + bits.u(6)?,
        object_type => object_type,
    })
}

/// The index; a frequency that is written out has none.
fn frequency_index(bits: &mut Bits<'_>) -> Result<u32, Error> {
    const WRITTEN_OUT: u32 = 15;
    let index = bits.u(4)?;
    bits.skip(if index == WRITTEN_OUT { 24 } else { 0 })?;
    Ok(index)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn configurations_of_low_complexity_are_read() {
        // FFmpeg's, 48 kHz stereo with the sync extension behind it.
        let stereo = Config { first: Some(Element::Pair), long_bands: 49, short_bands: 14 };
        assert_eq!(Config::read(&[0x11, 0x90, 0x56, 0xe5, 0]), Ok(Some(stereo)));
        // SBR with a core of 24 kHz, stereo: 5, 6, 2, 3, 2.
        let sbr = Config { first: Some(Element::Pair), long_bands: 47, short_bands: 15 };
        assert_eq!(Config::read(&[0x2b, 0x11, 0x88, 0x00]), Ok(Some(sbr)));
        // PS: the core is mono: 29, 6, 1, 3, 2.
        let ps = Config { first: Some(Element::Single), long_bands: 47, short_bands: 15 };
        assert_eq!(Config::read(&[0xeb, 0x09, 0x88, 0x00]), Ok(Some(ps)));
        // 7350 Hz written out, channels by a program config element.
        let other = Config { first: None, long_bands: 51, short_bands: 15 };
        assert_eq!(Config::read(&[0x17, 0x80, 0x0e, 0x5b, 0x00]), Ok(Some(other)));
    }

    #[test]
    fn other_object_types_are_not_known() {
        // Main; xHE-AAC (42, with an escape).
        assert_eq!(Config::read(&[0x09, 0x90]), Ok(None));
        assert_eq!(Config::read(&[0xf9, 0x46, 0x40]), Ok(None));
        assert!(Config::read(&[0x11]).is_err());
    }
}
