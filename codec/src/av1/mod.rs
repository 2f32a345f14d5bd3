//! AV1: AV1 Bitstream & Decoding Process Specification (the clauses named here are its), in temporal
//! units of the low-overhead format, as AV1 Codec ISO Media File Format Binding and WebM carry them.
//!
//! ```text
//! sample ── obu ──▶ sequence ─▶ frame (sizes, tiles, quantizer, filters, motion, grain) ─▶ mapper
//!            │                    ▲ references                                             tile ranges
//!            └────▶ check
//! ```
//! Where tile data begins is only known to who has read the whole frame header, and that takes what
//! earlier frames left behind: sizes, order hints, segmentation. Nothing else of them is kept, as
//! nothing else changes the length of a header.

mod check;
mod descriptors;
mod filters;
mod frame;
mod grain;
mod mapper;
mod motion;
mod obu;
mod quantizer;
mod references;
mod sequence;
mod sizes;
mod tiles;

#[cfg(test)]
mod testing;

pub(crate) use {check::check, mapper::Mapper};

use self::{
    obu::{Kind, Obus},
    sequence::Sequence,
};
use crate::Error;

/// What `av1C` says, or the CodecPrivate of `V_AV1`, which is the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// The sequence header among its configOBUs. Samples may bring others.
    sequence: Option<Sequence>,
}

impl Config {
    /// Reads an `AV1CodecConfigurationRecord` (binding, 2.3.3), which may be without configOBUs.
    ///
    /// # Errors
    /// A record of another version, or a sequence header that cannot be read.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Error> {
        let Some((&[version, ..], obus)) = body.split_first_chunk::<4>() else {
            return Err(Error::Truncated { what: "av1C", at: body.len() });
        };
        if version != MARKER_AND_VERSION {
            return Err(Error::Invalid {
                what: "marker and version of av1C",
                value: version.into(),
            });
        }
        let mut sequence = None;
        for obu in Obus::new(obus) {
            let obu = obu?;
            if obu.kind == Kind::SequenceHeader {
                sequence = Some(Sequence::read(&obus[obu.payload])?);
            }
        }
        Ok(Self { sequence })
    }
}

/// The marker bit and version 1.
const MARKER_AND_VERSION: u8 = 0x81;
