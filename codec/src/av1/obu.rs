//! Open bitstream units, one after the other (5.3).

use std::ops::Range;

use super::descriptors::leb128;
use crate::Error;

/// What an OBU holds (obu_type, 6.2.2), as far as it matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    SequenceHeader,
    TemporalDelimiter,
    FrameHeader,
    TileGroup,
    Frame,
    RedundantFrameHeader,
    TileList,
    /// Metadata and padding.
    Other,
    /// What decoders skip.
    Reserved,
}

/// One OBU of a sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Obu {
    pub(super) kind: Kind,
    /// The bytes of the header, obu_size with it.
    pub(super) header: Range<usize>,
    /// The bytes behind the header.
    pub(super) payload: Range<usize>,
    /// temporal_id and spatial_id, 0 where there is no extension.
    pub(super) layer: (u32, u32),
}

impl Obu {
    /// Reads the header of the OBU at `at`. Only the last of a sample may be without a size.
    fn read(sample: &[u8], at: usize) -> Result<Self, Error> {
        let truncated = || Error::Truncated { what: "an OBU", at: sample.len() };
        let header = *sample.get(at).ok_or_else(truncated)?;
        if header & FORBIDDEN != 0 {
            return Err(Error::Invalid { what: "obu_forbidden_bit", value: 1 });
        }
        let mut end = at + 1;
        let mut layer = (0, 0);
        if header & HAS_EXTENSION != 0 {
            let extension = u32::from(*sample.get(end).ok_or_else(truncated)?);
            layer = (extension >> 5, extension >> 3 & 3);
            end += 1;
        }
        let mut size = sample.len() - end;
        if header & HAS_SIZE != 0 {
            let (coded, width) = leb128(&sample[end..]).ok_or_else(truncated)?;
            end += width;
            size = coded;
        }
        if size > sample.len() - end {
            return Err(truncated());
        }
        Ok(Self { kind: kind(header), header: at..end, payload: end..end + size, layer })
    }
}

/// What kind of OBU begins with that byte.
fn kind(header: u8) -> Kind {
    match header >> 3 & 15 {
        1 => Kind::SequenceHeader,
        2 => Kind::TemporalDelimiter,
        3 => Kind::FrameHeader,
        4 => Kind::TileGroup,
        5 | 15 => Kind::Other,
        6 => Kind::Frame,
        7 => Kind::RedundantFrameHeader,
        8 => Kind::TileList,
        _ => Kind::Reserved,
    }
}

/// Whether an OBU of today begins with that byte.
pub(super) fn is_header(byte: u8) -> bool {
    byte & (FORBIDDEN | RESERVED) == 0 && kind(byte) != Kind::Reserved
}

/// How many of the 256 bytes are such: 9 kinds, with and without extension and size.
pub(super) const HEADERS: f64 = 9.0 * 4.0;

const FORBIDDEN: u8 = 0x80;
const HAS_EXTENSION: u8 = 0x04;
const HAS_SIZE: u8 = 0x02;
const RESERVED: u8 = 0x01;

/// The OBUs of a sample. Ends after an error.
#[derive(Clone, Debug)]
pub(super) struct Obus<'s> {
    sample: &'s [u8],
    at: usize,
}

impl<'s> Obus<'s> {
    pub(super) fn new(sample: &'s [u8]) -> Self {
        Self { sample, at: 0 }
    }
}

impl Iterator for Obus<'_> {
    type Item = Result<Obu, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.sample.len() {
            return None;
        }
        let obu = Obu::read(self.sample, self.at);
        self.at = obu.as_ref().map_or(self.sample.len(), |obu| obu.payload.end);
        Some(obu)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_unit_may_be_without_a_size() {
        let sample = [0x12, 0x00, 0x2e, 0x68, 0x01, 0x55, 0x30, 1, 2, 3];
        let obus: Vec<_> = Obus::new(&sample).map(Result::unwrap).collect();
        assert_eq!(obus.len(), 3);
        assert_eq!((obus[0].kind, obus[0].payload.clone()), (Kind::TemporalDelimiter, 2..2));
        assert_eq!((obus[1].kind, obus[1].layer), (Kind::Other, (3, 1)));
        assert_eq!((obus[1].header.clone(), obus[1].payload.clone()), (2..5, 5..6));
        assert_eq!((obus[2].kind, obus[2].payload.clone()), (Kind::Frame, 7..10));
    }

    #[test]
    fn units_that_go_past_the_end_are_refused() {
        for sample in [&[0x32, 5, 0][..], &[0x32, 0x80], &[0x36], &[0x92, 0]] {
            let obus: Vec<_> = Obus::new(sample).collect();
            assert!(matches!(obus[..], [Err(_)]), "{sample:?}");
        }
    }

    #[test]
    fn headers_are_counted_as_they_are_told() {
        assert_eq!((0..=255).filter(|&byte| is_header(byte)).count() as f64, HEADERS);
    }
}
