//! NAL units behind their lengths (ISO/IEC 14496-15, 5.3.3), and the payload in them
//! (ISO/IEC 14496-10, 7.3.1; ISO/IEC 23008-2, 7.3.1.1).

pub(crate) mod rules;

use std::ops::Range;

use crate::{Error, bits::Bits};

/// Bytes of a NAL unit that hold nearly every header; the rest is looked at only when they do not.
const PREFIX: usize = 128;

/// NALUnitLength in bytes, from `lengthSizeMinusOne`; 3 is reserved.
pub(crate) fn length_size(minus_one: u32) -> Result<usize, Error> {
    match minus_one {
        0 => Ok(1),
        1 => Ok(2),
        3 => Ok(4),
        _ => Err(Error::Invalid { what: "lengthSizeMinusOne", value: u64::from(minus_one) }),
    }
}

/// The place of the NAL unit whose length stands at `at` in `sample`.
pub(crate) fn unit(sample: &[u8], at: usize, length_size: usize) -> Result<Range<usize>, Error> {
    let truncated = Error::Truncated { what: "a NAL unit", at: sample.len() };
    let start = at + length_size;
    let length = sample.get(at..start).ok_or(truncated)?;
    let length = length.iter().fold(0, |length, &byte| length << 8 | usize::from(byte));
    match start.checked_add(length) {
        Some(end) if end <= sample.len() => Ok(start..end),
        _ => Err(truncated),
    }
}

/// Adds the place of each slice's data: from behind its header to the end of its NAL unit. `header_end` takes
/// each unit in turn, and answers for slices where their header ends.
pub(crate) fn slice_data(
    sample: &[u8],
    length_size: usize,
    ranges: &mut Vec<Range<usize>>,
    mut header_end: impl FnMut(&[u8]) -> Result<Option<usize>, Error>,
) -> Result<(), Error> {
    let mut at = 0;
    while at < sample.len() {
        let place = unit(sample, at, length_size)?;
        at = place.end;
        let nal = &sample[place.clone()];
        if let Some(end) = header_end(nal)?
            && end < nal.len()
        {
            ranges.push(place.start + end..place.end);
        }
    }
    Ok(())
}

/// An unsigned Exp-Golomb number that is at most `limit`.
pub(crate) fn up_to(bits: &mut Bits<'_>, what: &'static str, limit: u32) -> Result<u32, Error> {
    match bits.ue()? {
        value if value <= limit => Ok(value),
        value => Err(Error::Invalid { what, value: value.into() }),
    }
}

/// The beginning of a NAL unit, or all of it, without its emulation prevention bytes.
#[derive(Clone, Debug)]
pub(crate) struct Rbsp {
    bytes: Vec<u8>,
    /// Indices in `bytes`: an emulation prevention byte stood before each. Ascending.
    dropped: Vec<usize>,
    /// All of the NAL unit is here.
    whole: bool,
}

impl Rbsp {
    /// Of the first `limit` bytes of `nal`.
    pub(crate) fn new(nal: &[u8], limit: usize) -> Self {
        let prefix = &nal[..nal.len().min(limit)];
        let mut rbsp =
            Self { bytes: Vec::with_capacity(prefix.len()), dropped: vec![], whole: prefix == nal };
        let mut zeros = 0;
        for &byte in prefix {
            if zeros >= 2 && byte == 3 {
                rbsp.dropped.push(rbsp.bytes.len());
                zeros = 0;
                continue;
            }
            zeros = if byte == 0 { zeros + 1 } else { 0 };
            rbsp.bytes.push(byte);
        }
        rbsp
    }

    /// Reads something at the front of `nal`, from as few of its bytes as will do.
    pub(crate) fn read<T>(
        nal: &[u8],
        read: impl Fn(&Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        match read(&Self::new(nal, PREFIX)) {
            Err(Error::Truncated { .. }) if nal.len() > PREFIX => read(&Self::new(nal, nal.len())),
            result => result,
        }
    }

    pub(crate) fn bits(&self, what: &'static str) -> Bits<'_> {
        Bits::new(&self.bytes, what)
    }

    /// Where in the NAL unit byte `at` of the payload is.
    pub(crate) fn place(&self, at: usize) -> usize {
        at + self.dropped.partition_point(|&dropped| dropped <= at)
    }

    /// Where in the NAL unit the byte ends in which bit `bits - 1` of the payload is.
    pub(crate) fn end(&self, bits: usize) -> usize {
        bits.div_ceil(8).checked_sub(1).map_or(0, |last| self.place(last) + 1)
    }

    /// more_rbsp_data() (ISO/IEC 14496-10, 7.2): whether anything but the trailing bits is left behind
    /// `bits` bits.
    pub(crate) fn has_more(&self, bits: usize) -> bool {
        let last = self.bytes.iter().rposition(|&byte| byte != 0);
        !self.whole
            || last.is_some_and(|at| {
                let stop = at * 8 + 7 - self.bytes[at].trailing_zeros() as usize;
                bits < stop
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_lie_behind_their_lengths() {
        let sample = [0, 2, 0xaa, 0xbb, 0, 0, 0, 9, 1];
        assert_eq!(unit(&sample, 0, 2), Ok(2..4));
        assert_eq!(unit(&sample, 4, 2), Ok(6..6));
        for at in [6, 8] {
            let truncated = Error::Truncated { what: "a NAL unit", at: 9 };
            assert_eq!(unit(&sample, at, 2), Err(truncated));
        }
        assert_eq!(unit(&[0xff; 4], 0, 4), Err(Error::Truncated { what: "a NAL unit", at: 4 }));
        assert_eq!([0, 1, 3].map(length_size), [Ok(1), Ok(2), Ok(4)]);
        assert!(length_size(2).is_err());
    }

    #[test]
    fn bits_of_the_payload_have_a_place_in_the_unit() {
        // 65 00 00 | 03 | 01 00 00 | 03 | 00 00 | 03: a number of the payload, and its place.
        let nal = [0x65, 0, 0, 3, 1, 0, 0, 3, 0, 0, 3];
        let rbsp = Rbsp::new(&nal, nal.len());
        assert_eq!(rbsp.bytes, [0x65, 0, 0, 1, 0, 0, 0, 0]);
        assert_eq!([0, 2, 3, 5, 6, 7].map(|at| rbsp.place(at)), [0, 2, 4, 6, 8, 9]);
        // What ends before an emulation prevention byte ends before it.
        assert_eq!([0, 1, 8, 24, 25, 32].map(|bits| rbsp.end(bits)), [0, 1, 1, 3, 5, 5]);
    }

    #[test]
    fn trailing_bits_are_no_data() {
        let nal = [0x41, 0b1011_0100, 0];
        assert_eq!(
            [8, 12, 13, 14].map(|at| Rbsp::new(&nal, 3).has_more(at)),
            [true, true, false, false]
        );
        assert!(Rbsp::new(&nal, 2).has_more(13));
    }
}
