//! HEVC (ISO/IEC 23008-2) in samples of NAL units behind their lengths (ISO/IEC 14496-15).

mod check;
mod references;
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

/// What `hvcC` says that slices and their lengths need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    length_size: usize,
    sets: Sets,
}

impl Config {
    /// Reads an HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3.1). What follows its arrays is not
    /// looked at.
    pub(crate) fn read(record: &[u8]) -> Result<Self, Error> {
        let mut bits = Bits::new(record, "HEVCDecoderConfigurationRecord");
        // 0 is from before the standard was one.
        let version = bits.u(8)?;
        if version > 1 {
            return Err(Error::Invalid { what: "configurationVersion", value: version.into() });
        }
        // Profile, tier and level; what pictures look like; frame rate and layers.
        bits.skip(8 * 20 + 6)?;
        let length_size = nal::length_size(bits.u(2)?)?;
        let mut sets = Sets::default();
        for _ in 0..bits.u(8)? {
            bits.skip(8)?;
            for _ in 0..bits.u(16)? {
                let length = bits.u(16)? as usize;
                let start = bits.position() / 8;
                bits.skip(length * 8)?;
                sets.update(&record[start..start + length])?;
            }
        }
        Ok(Self { length_size, sets })
    }
}

/// nal_unit_type and nuh_layer_id (7.3.1.2); `None`: too short for a header.
fn unit_type(nal: &[u8]) -> Option<(u8, u8)> {
    match *nal {
        [first, second, ..] => Some((first >> 1 & 0x3f, (first & 1) << 5 | second >> 3)),
        _ => None,
    }
}

/// Whether NAL units of that type are slice segments (table 7-1); the types between are reserved.
fn is_slice(unit_type: u8) -> bool {
    matches!(unit_type, 0..=9 | 16..=21)
}

/// Finds the slice data of samples in decoding order: it may be protected, and no other bytes
/// (ISO/IEC 23001-7, 9.5.2.2).
#[derive(Clone, Debug)]
pub(crate) struct Mapper(Config);

impl Mapper {
    pub(crate) fn new(config: &Config) -> Self {
        Self(config.clone())
    }

    /// Adds the place of each slice segment's data: from behind its header and that one's alignment to the
    /// end of the NAL unit. Slices of other layers than the first are refused: their headers depend on
    /// extensions that are not read here.
    pub(crate) fn map(
        &mut self,
        sample: &[u8],
        ranges: &mut Vec<Range<usize>>,
    ) -> Result<(), Error> {
        let Config { length_size, sets, .. } = &mut self.0;
        nal::slice_data(sample, *length_size, ranges, |nal| {
            match unit_type(nal) {
                Some((unit_type, 0)) if is_slice(unit_type) => {
                    let read = |rbsp: &Rbsp| Ok(rbsp.end(Header::read(rbsp, sets)?.bits));
                    return Rbsp::read(nal, read).map(Some);
                }
                Some((unit_type, layer)) if is_slice(unit_type) => {
                    return Err(Error::Invalid { what: "nuh_layer_id", value: layer.into() });
                }
                _ => sets.update(nal)?,
            }
            Ok(None)
        })
    }
}
