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
        let Specific { core_type, core_frequency, channels, .. } = Specific::read(specific)?;
        if core_type != LOW_COMPLEXITY {
            return Ok(None);
        }
        let (long_bands, short_bands) =
            BANDS.get(core_frequency.index as usize).copied().unwrap_or(MOST_BANDS);
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

/// The head of an `AudioSpecificConfig` (1.6.2.1).
pub(crate) struct Specific {
    /// The audio object type that is written first: that of SBR or PS, where they are signalled so.
    pub(crate) object_type: u32,
    /// That of the core.
    core_type: u32,
    core_frequency: Frequency,
    /// Hz of what comes out, where it is known.
    pub(crate) sampling_rate: Option<u32>,
    /// channelConfiguration of the core.
    channels: u32,
}

const SBR: u32 = 5;
const PS: u32 = 29;

impl Specific {
    /// # Errors
    /// It ends early.
    pub(crate) fn read(specific: &[u8]) -> Result<Self, Error> {
        let mut bits = Bits::new(specific, "an AudioSpecificConfig");
        let object_type = object_type(&mut bits)?;
        let core_frequency = Frequency::read(&mut bits)?;
        let channels = bits.u(4)?;
        let (mut core_type, mut sampling_rate) = (object_type, core_frequency.hz);
        if object_type == SBR || object_type == PS {
            // The frequency after SBR; then the core's type.
            sampling_rate = Frequency::read(&mut bits)?.hz;
            core_type = self::object_type(&mut bits)?;
        }
        Ok(Self { object_type, core_type, core_frequency, sampling_rate, channels })
    }

    /// How many channels come out, where the channel configuration tells (table 1.19).
    pub(crate) fn channels(&self) -> Option<u16> {
        Some(match self.channels {
            // Parametric stereo makes two of one.
            1 if self.object_type == PS => 2,
            channels @ 1..=6 => u16::try_from(channels).ok()?,
            7 | 12 | 14 => 8,
            11 => 7,
            _ => return None,
        })
    }
}

fn object_type(bits: &mut Bits<'_>) -> Result<u32, Error> {
    Ok(match bits.u(5)? {
        31 => 32 + bits.u(6)?,
        object_type => object_type,
    })
}

/// samplingFrequencyIndex, and what it stands for; a frequency that is written out has an index of its
/// own.
#[derive(Clone, Copy)]
struct Frequency {
    index: u32,
    hz: Option<u32>,
}

impl Frequency {
    fn read(bits: &mut Bits<'_>) -> Result<Self, Error> {
        /// Table 1.18.
        const HZ: [u32; 13] = [
            96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025,
            8_000, 7_350,
        ];
        const WRITTEN_OUT: u32 = 15;
        let index = bits.u(4)?;
        let hz = match index {
            WRITTEN_OUT => Some(bits.u(24)?),
            _ => HZ.get(index as usize).copied(),
        };
        Ok(Self { index, hz })
    }
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
