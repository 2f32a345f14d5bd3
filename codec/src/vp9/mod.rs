//! VP9 (VP9 Bitstream & Decoding Process Specification, version 0.6).

mod check;
mod compressed;
mod frames;
mod header;
mod name;

use std::ops::Range;

use crate::Error;

pub(crate) use check::check;
use header::{Header, Widths};
pub(crate) use name::name;

/// What a container says of a VP9 track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Width and height of the pictures. Frames may have others.
    pub size: (u32, u32),
}

impl Config {
    /// What the reference slots hold as far as a container tells.
    fn widths(&self) -> Widths {
        [self.size.0; 8]
    }
}

/// Finds the ends of uncompressed headers; follows the widths of the frames in the reference slots,
/// without which a header cannot be read.
#[derive(Clone, Debug)]
pub(crate) struct Mapper {
    references: Widths,
}

impl Mapper {
    pub(crate) fn new(config: &Config) -> Self {
        Self { references: config.widths() }
    }

    /// What may be protected of each frame is all but its uncompressed header; a superframe index stays
    /// clear.
    pub(crate) fn map(
        &mut self,
        sample: &[u8],
        ranges: &mut Vec<Range<usize>>,
    ) -> Result<(), Error> {
        for frame in frames::split(sample)?.iter() {
            let header = Header::read(&sample[frame.clone()], &self.references)?;
            for (slot, width) in self.references.iter_mut().enumerate() {
                if header.refresh >> slot & 1 == 1 {
                    *width = header.width;
                }
            }
            let body = frame.start + header.len..frame.end;
            // Nothing follows the header of a frame that shows another.
            if header.compressed > 0 {
                ranges.push(body);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
