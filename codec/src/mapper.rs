//! Which bytes of a sample may be protected.

use std::ops::Range;

use crate::{Codec, Error, av1, avc, hevc, vp9};

/// Finds out what may be protected in the samples of one track, which come in decoding order: some
/// codecs' headers can only be read by who has read those before.
#[derive(Clone, Debug)]
pub struct Mapper(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Whole,
    Avc(avc::Mapper),
    Hevc(hevc::Mapper),
    Av1(Box<av1::Mapper>),
    Vp9(vp9::Mapper),
}

impl Mapper {
    pub(crate) fn new(codec: &Codec) -> Self {
        Self(match codec {
            Codec::Avc(config) => Kind::Avc(avc::Mapper::new(config)),
            Codec::Hevc(config) => Kind::Hevc(hevc::Mapper::new(config)),
            Codec::Av1(config) => Kind::Av1(Box::new(av1::Mapper::new(config))),
            Codec::Vp9(config) => Kind::Vp9(vp9::Mapper::new(config)),
            _ => Kind::Whole,
        })
    }

    /// Adds the ranges of `sample` that may be protected to `ranges`: sorted, without overlaps, none empty;
    /// those of AV1 may touch. For codecs without subsamples it is the whole sample.
    ///
    /// The ranges are as long as the codec allows; how they become multiples of 16 bytes is for the caller
    /// to see to, by the scheme and [`Codec::rounding`].
    ///
    /// # Errors
    /// What is wrong with the sample. The mapper is of no use after an error.
    pub fn map(&mut self, sample: &[u8], ranges: &mut Vec<Range<usize>>) -> Result<(), Error> {
        match &mut self.0 {
            Kind::Whole if sample.is_empty() => Ok(()),
            Kind::Whole => {
                ranges.push(0..sample.len());
                Ok(())
            }
            Kind::Avc(mapper) => mapper.map(sample, ranges),
            Kind::Hevc(mapper) => mapper.map(sample, ranges),
            Kind::Av1(mapper) => mapper.map(sample, ranges),
            Kind::Vp9(mapper) => mapper.map(sample, ranges),
        }
    }
}
