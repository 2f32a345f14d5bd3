//! Bits, most significant first, as every codec here writes its headers.

use crate::Error;

/// Reads bits from a slice.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bits<'b> {
    bytes: &'b [u8],
    /// Bits read so far.
    at: usize,
    /// What is being read, for errors.
    what: &'static str,
}

impl<'b> Bits<'b> {
    pub(crate) fn new(bytes: &'b [u8], what: &'static str) -> Self {
        Self { bytes, at: 0, what }
    }

    /// Bits read so far.
    pub(crate) fn position(&self) -> usize {
        self.at
    }

    /// Bits not read yet.
    pub(crate) fn left(&self) -> usize {
        self.bytes.len() * 8 - self.at
    }

    pub(crate) fn truncated(&self) -> Error {
        Error::Truncated { what: self.what, at: self.bytes.len() }
    }

    pub(crate) fn bit(&mut self) -> Result<bool, Error> {
        let byte = *self.bytes.get(self.at / 8).ok_or_else(|| self.truncated())?;
        let bit = byte >> (7 - self.at % 8) & 1;
        self.at += 1;
        Ok(bit == 1)
    }

    /// An unsigned number of up to 32 bits: `u(n)`, `f(n)`.
    pub(crate) fn u(&mut self, bits: u32) -> Result<u32, Error> {
        debug_assert!(bits <= 32);
        if (bits as usize) > self.left() {
            return Err(self.truncated());
        }
        let mut value = 0_u64;
        let mut wanted = bits;
        while wanted > 0 {
            let offset = u32::try_from(self.at % 8).unwrap_or(0);
            let taken = (8 - offset).min(wanted);
            let byte = u64::from(self.bytes[self.at / 8]);
            let piece = byte >> (8 - offset - taken) & ((1 << taken) - 1);
            value = value << taken | piece;
            self.at += taken as usize;
            wanted -= taken;
        }
        Ok(u32::try_from(value).unwrap_or(u32::MAX))
    }

    pub(crate) fn skip(&mut self, bits: usize) -> Result<(), Error> {
        if bits > self.left() {
            return Err(self.truncated());
        }
        self.at += bits;
        Ok(())
    }

    /// Exp-Golomb: `ue(v)` (ISO/IEC 14496-10, 9.1).
    pub(crate) fn ue(&mut self) -> Result<u32, Error> {
        let mut zeros = 0;
        while !self.bit()? {
            zeros += 1;
            if zeros > 32 {
                return Err(Error::Invalid { what: "an Exp-Golomb prefix", value: zeros });
            }
        }
        let zeros = u32::try_from(zeros).unwrap_or(0);
        let suffix = u64::from(self.u(zeros)?);
        let value = (1_u64 << zeros) - 1 + suffix;
        u32::try_from(value).map_err(|_| Error::Invalid { what: "an Exp-Golomb number", value })
    }

    /// Exp-Golomb with a sign: `se(v)` (ISO/IEC 14496-10, 9.1.1).
    pub(crate) fn se(&mut self) -> Result<i32, Error> {
        let code = i64::from(self.ue()?);
        let value = if code & 1 == 1 { (code + 1) / 2 } else { -(code / 2) };
        i32::try_from(value).map_err(|_| Error::Invalid {
            what: "an Exp-Golomb number",
            value: code.unsigned_abs(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_width_are_read_across_bytes() {
        let mut bits = Bits::new(&[0b1010_0000, 0xff, 0x12, 0x34, 0x56, 0x78], "a test");
        assert_eq!(bits.u(1), Ok(1));
        assert_eq!(bits.u(0), Ok(0));
        assert_eq!(bits.u(7), Ok(0b010_0000));
        assert_eq!(bits.u(4), Ok(0xf));
        assert_eq!((bits.position(), bits.left()), (12, 36));
        assert_eq!(bits.u(32), Ok(0xf123_4567));
        assert_eq!(bits.skip(5), Err(Error::Truncated { what: "a test", at: 6 }));
        assert_eq!(bits.u(5), Err(Error::Truncated { what: "a test", at: 6 }));
        assert_eq!(bits.u(4), Ok(8));
        assert!(bits.bit().is_err());
    }

    #[test]
    fn exp_golomb_numbers_are_those_of_the_standard() {
        // Table 9-2: 1, 010, 011, 00100, 00101.
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000], "a test");
        assert_eq!([0, 1, 2, 3, 4].map(|_| bits.ue().unwrap()), [0, 1, 2, 3, 4]);
        // Table 9-3: 0, 1, -1, 2, -2.
        let mut bits = Bits::new(&[0b1010_0110, 0b0100_0010, 0b1000_0000], "a test");
        assert_eq!([0; 5].map(|_| bits.se().unwrap()), [0, 1, -1, 2, -2]);
    }

    #[test]
    fn numbers_that_no_standard_has_are_refused() {
        assert!(matches!(Bits::new(&[0; 6], "a test").ue(), Err(Error::Invalid { .. })));
        // 32 zeros: the largest is 2^32 - 2, and the next has no place.
        let largest = [0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x00];
        assert!(Bits::new(&largest, "a test").ue().is_err());
        assert_eq!(Bits::new(&[0, 0, 0, 0, 0x80, 0, 0, 0, 0], "a test").ue(), Ok(u32::MAX));
        assert!(Bits::new(&[0, 1], "a test").ue().is_err());
    }
}
