//! Which blocks of a protected range are protected in fact.

use std::fmt;

use crate::Error;

/// A pattern over the 16-byte blocks of each protected range (ISO/IEC 23001-7, 9.6): so many
/// protected, so many skipped, and again from the start.
///
/// ```text
/// 1:2     |E|s|s|E|s|s|E|            E  protected
/// 2:1     |E|E|s|E|E|s|E|            s  skipped, left clear
/// 3:0     |E|E|E|E|E|E|E|            every whole block
/// 0:0     |E|E|E|E|E|E|E|            no pattern: every block
/// 0:3     |s|s|s|s|s|s|s|            nothing
/// ```
///
/// The pattern starts anew with every range. Where a range ends within a run of protected blocks,
/// the whole blocks of that run are protected all the same. A last block of less than 16 bytes is
/// clear, unless there is no pattern and the scheme is one of AES-CTR.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Pattern {
    crypt_byte_block: u8,
    skip_byte_block: u8,
}

impl Pattern {
    /// 0:0, which protects every block of a range, and is all that goes with the schemes `cenc` and
    /// `cbc1`.
    pub const NONE: Self = Self { crypt_byte_block: 0, skip_byte_block: 0 };

    /// `crypt_byte_block` blocks protected, then `skip_byte_block` blocks skipped; each 0 to 15.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidPattern`] if one of them is above 15: the fields of `tenc` have 4 bits.
    pub const fn new(crypt_byte_block: u8, skip_byte_block: u8) -> Result<Self, Error> {
        if crypt_byte_block > MAX || skip_byte_block > MAX {
            return Err(Error::InvalidPattern { crypt_byte_block, skip_byte_block });
        }
        Ok(Self { crypt_byte_block, skip_byte_block })
    }

    /// Blocks protected in each turn, 0 to 15.
    #[must_use]
    pub const fn crypt_byte_block(self) -> u8 {
        self.crypt_byte_block
    }

    /// Blocks skipped in each turn, 0 to 15.
    #[must_use]
    pub const fn skip_byte_block(self) -> u8 {
        self.skip_byte_block
    }
}

impl fmt::Display for Pattern {
    /// Writes `crypt:skip`, as in `1:9`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.crypt_byte_block, self.skip_byte_block)
    }
}

const MAX: u8 = 15;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_has_four_bits() {
        for crypt_byte_block in 0..=u8::MAX {
            for skip_byte_block in 0..=u8::MAX {
                match Pattern::new(crypt_byte_block, skip_byte_block) {
                    Ok(pattern) => {
                        assert!(crypt_byte_block <= 15 && skip_byte_block <= 15);
                        assert_eq!(pattern.crypt_byte_block(), crypt_byte_block);
                        assert_eq!(pattern.skip_byte_block(), skip_byte_block);
                    }
                    Err(error) => {
                        assert!(crypt_byte_block > 15 || skip_byte_block > 15);
                        let expected = Error::InvalidPattern { crypt_byte_block, skip_byte_block };
                        assert_eq!(error, expected);
                    }
                }
            }
        }
    }

    #[test]
    fn displays_as_crypt_and_skip() {
        assert_eq!(Pattern::new(1, 9).unwrap().to_string(), "1:9");
        assert_eq!(Pattern::NONE.to_string(), "0:0");
    }
}
