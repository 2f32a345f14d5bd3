//! AVC (ISO/IEC 14496-10) in samples of NAL units behind their lengths (ISO/IEC 14496-15).

mod cabac;
mod check;
mod macroblock;
mod sets;
mod slice;

use std::ops::Range;

use self::{sets::Sets, slice::Header};
use crate::{
    Error,
    bits::Bits,
    nal::{self, Rbsp},
};

pub(crate) use self::check::check;

/// What `avcC` says that slices and their lengths need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    length_size: usize,
    sets: Sets,
}

impl Config {
    /// Reads an AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1). What follows the picture
    /// parameter sets is not looked at.
    pub(crate) fn read(record: &[u8]) -> Result<Self, Error> {
        let mut bits = Bits::new(record, "AVCDecoderConfigurationRecord");
        let version = bits.u(8)?;
        if version != 1 {
            return Err(Error::Invalid { what: "configurationVersion", value: version.into() });
        }
        // Profile, compatibility, level, reserved bits.
        bits.skip(24 + 6)?;
        let length_size = nal::length_size(bits.u(2)?)?;
        let mut sets = Sets::default();
        bits.skip(3)?;
        for count_bits in [5, 8] {
            for _ in 0..bits.u(count_bits)? {
                let length = bits.u(16)? as usize;
                let start = bits.position() / 8;
                bits.skip(length * 8)?;
                sets.update(&record[start..start + length])?;
            }
        }
        Ok(Self { length_size, sets })
    }
}

/// Finds the slice data of samples in decoding order: it may be protected, and no other bytes
/// (ISO/IEC 23001-7, 9.5.2.2).
#[derive(Clone, Debug)]
pub(crate) struct Mapper(Config);

impl Mapper {
    pub(crate) fn new(config: &Config) -> Self {
        Self(config.clone())
    }

    /// Adds the place of each slice's data: from the byte behind the one in which the slice header ends to
    /// the end of the NAL unit. Only slices of the primary coding (nal_unit_type 1 and 5) have any;
    /// data partitions, auxiliary pictures and the views of other extensions stay clear.
    pub(crate) fn map(
        &mut self,
        sample: &[u8],
        ranges: &mut Vec<Range<usize>>,
    ) -> Result<(), Error> {
        let Config { length_size, sets } = &mut self.0;
        nal::slice_data(sample, *length_size, ranges, |nal| {
            match nal.first().map(|header| header & 0x1f) {
                Some(1 | 5) => {
                    let read = |rbsp: &Rbsp| Ok(rbsp.end(Header::read(rbsp, sets)?.bits));
                    return Rbsp::read(nal, read).map(Some);
                }
                Some(7 | 8) => sets.update(nal)?,
                _ => {}
            }
            Ok(None)
        })
    }
}
