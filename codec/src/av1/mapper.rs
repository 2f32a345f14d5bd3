//! Which bytes of a sample are tile data (binding, "Subsample encryption"): the only ones that may be
//! protected, and each tile for itself.

use std::ops::Range;

use super::{
    Config,
    descriptors::le,
    frame::uncompressed_header,
    obu::{Kind, Obu, Obus},
    references::References,
    sequence::Sequence,
    tiles::Tiles,
};
use crate::{Error, bits::Bits};

/// Finds the tiles in the samples of a track.
///
/// No layer is left out, whatever the operating point: who protects a stream does not know which one is
/// going to be decoded, and a header is read in the same way in each.
#[derive(Clone, Debug)]
pub(crate) struct Mapper {
    sequence: Option<Sequence>,
    references: References,
    /// The frame that still wants tiles.
    frame: Option<Frame>,
}

#[derive(Clone, Copy, Debug)]
struct Frame {
    tiles: Tiles,
    /// TileNum: the first tile that has not been there.
    next: u32,
}

impl Mapper {
    pub(crate) fn new(config: &Config) -> Self {
        Self { sequence: config.sequence.clone(), references: References::default(), frame: None }
    }

    /// Adds the ranges of the tiles to `ranges`. They touch where a tile has no size in front of it: the
    /// last of a tile group.
    pub(crate) fn map(
        &mut self,
        sample: &[u8],
        ranges: &mut Vec<Range<usize>>,
    ) -> Result<(), Error> {
        // A sample is a temporal unit, though its delimiter may be left out.
        self.frame = None;
        for obu in Obus::new(sample) {
            let obu = obu?;
            match obu.kind {
                Kind::SequenceHeader => {
                    self.sequence = Some(Sequence::read(&sample[obu.payload])?);
                }
                Kind::TemporalDelimiter => self.frame = None,
                Kind::FrameHeader | Kind::RedundantFrameHeader => {
                    self.frame_header(sample, &obu)?;
                }
                Kind::Frame => {
                    let length = self.frame_header(sample, &obu)?;
                    self.tile_group(sample, obu.payload.start + length..obu.payload.end, ranges)?;
                }
                Kind::TileGroup => self.tile_group(sample, obu.payload, ranges)?,
                Kind::TileList => {
                    return Err(Error::Invalid { what: "obu_type", value: TILE_LIST });
                }
                Kind::Other | Kind::Reserved => {}
            }
        }
        Ok(())
    }

    /// `frame_header_obu()`: its length in bytes.
    fn frame_header(&mut self, sample: &[u8], obu: &Obu) -> Result<usize, Error> {
        match (obu.kind, self.frame.is_some()) {
            // frame_header_copy()
            (Kind::RedundantFrameHeader, true) => return Ok(0),
            (Kind::RedundantFrameHeader, false) => {
                return Err(Error::Missing {
                    what: "the frame header of a redundant one",
                    value: 0,
                });
            }
            (_, true) => {
                return Err(Error::Invalid { what: "SeenFrameHeader", value: 1 });
            }
            (_, false) => {}
        }
        let missing = Error::Missing { what: "a sequence header", value: 0 };
        let sequence = self.sequence.as_ref().ok_or(missing)?;
        let bits = &mut Bits::new(&sample[obu.payload.clone()], "a frame header");
        let tiles = uncompressed_header(bits, sequence, obu.layer, &mut self.references)?;
        self.frame = tiles.map(|tiles| Frame { tiles, next: 0 });
        Ok(bits.position().div_ceil(8))
    }

    /// `tile_group_obu()` in these bytes of the sample.
    fn tile_group(
        &mut self,
        sample: &[u8],
        group: Range<usize>,
        ranges: &mut Vec<Range<usize>>,
    ) -> Result<(), Error> {
        let missing = Error::Missing { what: "the frame header of a tile group", value: 0 };
        let frame = self.frame.as_mut().ok_or(missing)?;
        let Tiles { count, number_bits, size_bytes } = frame.tiles;
        let bits = &mut Bits::new(&sample[group.clone()], "a tile group");
        let (mut tg_start, mut tg_end) = (0, count - 1);
        // tile_start_and_end_present_flag
        if count > 1 && bits.bit()? {
            (tg_start, tg_end) = (bits.u(number_bits)?, bits.u(number_bits)?);
        }
        if tg_start != frame.next {
            return Err(Error::Invalid { what: "tg_start", value: tg_start.into() });
        }
        if tg_end < tg_start || tg_end >= count {
            return Err(Error::Invalid { what: "tg_end", value: tg_end.into() });
        }
        let truncated = || Error::Truncated { what: "a tile group", at: group.len() };
        let mut at = group.start + bits.position().div_ceil(8);
        for _ in tg_start..tg_end {
            let data = at + size_bytes;
            // tile_size_minus_1
            let size = le(sample[..group.end].get(at..data).ok_or_else(truncated)?) + 1;
            if size >= group.end - data {
                return Err(truncated());
            }
            at = data + size;
            ranges.push(data..at);
        }
        if at >= group.end {
            return Err(truncated());
        }
        ranges.push(at..group.end);
        frame.next = tg_end + 1;
        if frame.next == count {
            self.frame = None;
        }
        Ok(())
    }
}

/// OBU_TILE_LIST, of large scale tile coding.
const TILE_LIST: u64 = 8;
