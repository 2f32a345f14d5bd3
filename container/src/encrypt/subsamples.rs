//! The subsamples of a track's samples: what its codec allows, cut to what its scheme asks
//! (ISO/IEC 23001-7, 9.5 and 10).

use std::ops::Range;

use cenc::{Scheme, Subsample};
use codec::{Codec, Mapper, Rounding};

/// Bytes of an AES block.
const BLOCK: usize = 16;

/// Maps the samples of a track, which come in decoding order.
#[derive(Clone, Debug)]
pub(crate) struct SampleMap {
    /// `None`: samples are protected whole.
    mapper: Option<Mapper>,
    /// Protected ranges are multiples of a block.
    is_aligned: bool,
    /// What does not fill a block stays clear in front of them, not behind.
    keeps_end: bool,
    ranges: Vec<Range<usize>>,
}

impl SampleMap {
    /// Samples of an unknown codec are protected whole.
    pub(crate) fn new(codec: Option<&Codec>, scheme: Scheme) -> Self {
        let codec = codec.filter(|codec| codec.has_subsamples());
        let rounding = codec.map_or(Rounding::OfScheme, Codec::rounding);
        // Blocks are whole in `cens` and `cbc1` (10.2, 10.3), and CMAF asks it of `cenc`.
        let is_aligned = scheme != Scheme::Cbcs || rounding != Rounding::OfScheme;
        let keeps_end = rounding == Rounding::Front;
        Self { mapper: codec.map(Codec::mapper), is_aligned, keeps_end, ranges: Vec::new() }
    }

    pub(crate) fn has_subsamples(&self) -> bool {
        self.mapper.is_some()
    }

    /// Adds the subsamples of the next sample to a list: none, if it is protected whole.
    ///
    /// # Errors
    /// What is wrong with the sample.
    pub(crate) fn map(
        &mut self,
        sample: &[u8],
        subsamples: &mut Vec<Subsample>,
    ) -> Result<(), codec::Error> {
        let Some(mapper) = &mut self.mapper else { return Ok(()) };
        self.ranges.clear();
        mapper.map(sample, &mut self.ranges)?;
        self.cut(sample.len(), subsamples);
        Ok(())
    }

    /// Adds the subsamples of a sample of which all may be protected, for a track whose samples have
    /// subsamples for another reason.
    pub(crate) fn whole(&mut self, len: usize, subsamples: &mut Vec<Subsample>) {
        self.ranges.clear();
        self.ranges.push(0..len);
        self.cut(len, subsamples);
    }

    /// Adds the subsamples of a sample that stays clear.
    pub(crate) fn clear(&mut self, len: usize, subsamples: &mut Vec<Subsample>) {
        self.ranges.clear();
        self.cut(len, subsamples);
    }

    /// Cuts the ranges of a sample to what the scheme asks.
    fn cut(&self, len: usize, subsamples: &mut Vec<Subsample>) {
        let mut clear_from = 0;
        for range in &self.ranges {
            let rest = if self.is_aligned { range.len() % BLOCK } else { 0 };
            if rest < range.len() {
                let start = range.start + if self.keeps_end { rest } else { 0 };
                push_subsample(subsamples, start - clear_from, range.len() - rest);
                clear_from = start + range.len() - rest;
            }
        }
        if clear_from < len {
            push_subsample(subsamples, len - clear_from, 0);
        }
    }
}

/// Adds a subsample; a clear run that its 16 bits do not hold becomes several.
pub(crate) fn push_subsample(subsamples: &mut Vec<Subsample>, mut clear: usize, protected: usize) {
    let most = usize::from(u16::MAX);
    while clear > most {
        subsamples.push(Subsample::new(u16::MAX, 0));
        clear -= most;
    }
    let clear = u16::try_from(clear).unwrap_or(u16::MAX);
    // A sample's size has 32 bits.
    let protected = u32::try_from(protected).unwrap_or(u32::MAX);
    subsamples.push(Subsample::new(clear, protected));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_clear_runs_are_split() {
        for (clear, expected) in [
            (0, vec![(0, 5)]),
            (65535, vec![(65535, 5)]),
            (65536, vec![(65535, 0), (1, 5)]),
            (140_000, vec![(65535, 0), (65535, 0), (8930, 5)]),
        ] {
            let mut subsamples = Vec::new();
            push_subsample(&mut subsamples, clear, 5);
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(clear, protected)| Subsample::new(clear, protected))
                .collect();
            assert_eq!(subsamples, expected);
        }
    }

    #[test]
    fn samples_of_an_unknown_codec_are_protected_whole() {
        let mut map = SampleMap::new(None, Scheme::Cenc);
        let mut subsamples = Vec::new();
        map.map(&[1, 2, 3], &mut subsamples).unwrap();
        assert!(subsamples.is_empty() && !map.has_subsamples());
    }
}
