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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{
        Protected, Tally,
        av1::{self, testing},
    };

    #[test]
    fn tiles_are_where_other_tools_find_them() {
        let streams = testing::streams();
        assert_eq!(streams.len(), 11);
        for stream in streams {
            let mut mapper = Mapper::new(&stream.config);
            for (at, (sample, tiles)) in stream.samples.iter().enumerate() {
                let mut ranges = Vec::new();
                mapper.map(sample, &mut ranges).unwrap();
                assert_eq!(&ranges, tiles, "sample {at} of {}", stream.name);
            }
        }
    }

    #[test]
    fn a_stream_cannot_begin_with_an_inter_frame() {
        let stream = &testing::streams()[0];
        let mut mapper = Mapper::new(&stream.config);
        let inter = &stream.samples[1].0;
        let error = mapper.map(inter, &mut Vec::new()).unwrap_err();
        assert!(
            matches!(error, Error::Missing { what: "a reference frame in slot", .. }),
            "{error}"
        );
    }

    #[test]
    fn frames_need_a_sequence_header() {
        let mut mapper = Mapper::new(&Config { sequence: None });
        let error = mapper.map(&[0x12, 0, 0x32, 1, 0x80], &mut Vec::new()).unwrap_err();
        assert_eq!(error, Error::Missing { what: "a sequence header", value: 0 });
    }

    #[test]
    fn large_scale_tiles_are_refused() {
        let mut mapper = Mapper::new(&Config { sequence: None });
        let error = mapper.map(&[0x42, 0], &mut Vec::new()).unwrap_err();
        assert_eq!(error, Error::Invalid { what: "obu_type", value: 8 });
    }

    /// Reads samples until one is refused, and holds the ranges to what [`crate::Mapper`] promises.
    fn exercise<'s>(config: &Config, samples: impl IntoIterator<Item = &'s Vec<u8>>) {
        let mut mapper = Mapper::new(config);
        for sample in samples {
            let mut ranges = Vec::new();
            let mapped = mapper.map(sample, &mut ranges);
            assert!(ranges.iter().all(|range| range.start < range.end));
            assert!(ranges.is_sorted_by(|a, b| a.end <= b.start));
            assert!(ranges.last().is_none_or(|last| last.end <= sample.len()));
            let whole = std::slice::from_ref(&(0..sample.len())).to_vec();
            for protected in [&ranges, &whole] {
                av1::check(config, sample, &Protected::new(protected), &mut Tally::new());
            }
            if mapped.is_err() {
                return;
            }
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(
            config in prop::collection::vec(any::<u8>(), 0..40),
            samples in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 0..4),
        ) {
            let mut framed = vec![0x81, 0, 0, 0, 0x0a, u8::try_from(config.len()).unwrap()];
            framed.extend(&config);
            for config in [config, framed] {
                if let Ok(config) = Config::read(&config) {
                    exercise(&config, &samples);
                }
            }
        }

        #[test]
        fn damaged_samples_are_read_or_refused(
            stream in 0..11_usize,
            damage in prop::collection::vec((any::<prop::sample::Index>(), 0..60_usize, any::<u8>()), 1..6),
            cut in prop::option::of(any::<prop::sample::Index>()),
        ) {
            let stream = testing::streams().swap_remove(stream);
            let mut samples: Vec<_> = stream.samples.into_iter().map(|(sample, _)| sample).collect();
            for (sample, at, value) in damage {
                let sample = sample.get_mut(&mut samples[..]);
                if let Some(byte) = sample.get_mut(at) {
                    *byte = value;
                }
            }
            if let Some(cut) = cut {
                let sample = cut.get_mut(&mut samples[..]);
                sample.truncate(sample.len() / 2);
            }
            exercise(&stream.config, &samples);
        }
    }
}
